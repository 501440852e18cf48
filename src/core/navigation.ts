import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a person waits before this request in a browser. A browser that says so nowhere (an old Safari, or
 * any over plain http to another machine) asks for HTML; a program asks for anything.
 */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode === undefined ? (headers.accept ?? '').includes('text/html') : mode === 'navigate';
}

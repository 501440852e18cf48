import type { IncomingHttpHeaders } from 'node:http';

/**
 * Whether a person waits before this request in a browser. A browser that says so nowhere (an old Safari, or any
 * over plain http to another machine) asks for XHTML among others; a program asks for anything, or for HTML alone.
 */
export function isNavigation(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode === undefined ? (headers.accept ?? '').includes('application/xhtml+xml') : mode === 'navigate';
}

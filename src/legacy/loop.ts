/**
 * A legacy system that is this server. Each call carries the id of the server that makes it (Via); a request that
 * carries our own has gone in a circle, through a name that leads here or through another server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Secrets } from '../core/crypto.ts';

/** The protocol that `Via` names. */
export const VIA_VERSION = '1.1';

/** What a request in a circle is answered with (RFC 5842). */
export const LOOP_DETECTED = 508;

/** The same on every node of an installation, and another for each. */
export function viaOf(secrets: Pick<Secrets, 'hmac'>, issuer: string): string {
  return `portico-${secrets.hmac('legacy-via', issuer).slice(0, 16)}`;
}

/** True: the request was answered, since it began here. */
export function refusesLoop(request: IncomingMessage, response: ServerResponse, via: string): boolean {
  if (!hasPassed(request.headers.via, via)) return false;
  request.resume();
  response.writeHead(LOOP_DETECTED, { 'content-type': 'text/plain', 'cache-control': 'no-store' });
  response.end('Loop Detected\n');
  return true;
}

function hasPassed(header: string | undefined, via: string): boolean {
  return header?.split(',').some((hop) => hop.trim().split(/\s+/)[1] === via) ?? false;
}

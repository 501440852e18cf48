/** The server's port: bound, served, and closed once the requests in flight are answered. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/schema.ts';
import type { Lifecycle } from './lifecycle.ts';

/** Milliseconds that requests in flight may take when the server stops. */
const DRAIN = 3000;

export interface Front {
  readonly port: number;
  /** As it is written in a URL for people of this machine. */
  readonly host: string;
  answerWith(handler: RequestListener): Promise<void>;
}

/**
 * Takes the port, and gives it back until `answerWith` says who answers there. Rejects with the system's
 * error (EADDRINUSE, EACCES) where the port cannot be had.
 */
export async function listen(http: Config['http'], lifecycle: Lifecycle): Promise<Front> {
  let handler: RequestListener = (_, response) => {
    response.writeHead(503, { 'retry-after': '1', 'cache-control': 'no-store' }).end();
  };
  let served = false;
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    // A balancer that keeps connections must not send one more request on a connection that is about to go.
    if (!lifecycle.accepting()) response.setHeader('Connection', 'close');
    handler(request, response);
  });
  const port = await bind(server, http, 'http.port');
  // Bound once to fail early on EADDRINUSE, then released until the handler is ready: a balancer that does
  // not ask /readyz sends requests to any port that accepts connections.
  if (http.port !== 0) await new Promise((resolve) => server.close(resolve));
  lifecycle.onClose('listening', 'requests', async () => {
    // Requests that arrive before the balancer has seen /readyz fail are still served.
    if (served) await pause(http.stopDelay * 1000);
    await drain(server);
  });
  return {
    port,
    host: http.host === '0.0.0.0' || http.host === '::' ? 'localhost' : http.host,
    async answerWith(next: RequestListener) {
      handler = next;
      if (!server.listening) await bind(server, { ...http, port }, 'http.port');
      served = true;
    },
  };
}

/** Resolves with the port: the system's choice where `port` is 0. The error names `setting`. */
export function bind(
  server: Server,
  { port, host }: { readonly port: number; readonly host: string },
  setting: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error) => reject(Object.assign(error, { setting }));
    server.once('error', refused);
    server.listen({ port, host }, () => {
      server.off('error', refused);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** No new connections; requests in flight get DRAIN milliseconds. */
export function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), DRAIN);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    server.closeIdleConnections();
  });
}

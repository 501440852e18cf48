/** A client of one dialect, at a client address of its own so that limits of tests do not mix. */
import { type HttpClient, type Incoming, openClient } from '../support/http-client.ts';
import type { TestServer } from '../support/server.ts';

export interface Call {
  readonly json?: unknown;
  /** As it stands; wins over `json`. */
  readonly bytes?: string | Buffer;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Incoming['headers'];
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came is what the test looks into.
  readonly json: any;
}

let addresses = 0;

export interface Caller {
  call(method: string, path: string, call?: Call): Promise<Answer>;
  /** Another client address on the same server. */
  elsewhere(): Caller;
  close(): void;
}

/** `base`: what every path begins with. */
export function callerOf(server: TestServer, base: string): Caller {
  return callerAt(openClient(server.url), base);
}

function callerAt(client: HttpClient, base: string): Caller {
  addresses += 1;
  const address = `198.51.100.${addresses}`;
  return {
    async call(method, path, { json, bytes, token, headers } = {}) {
      const body = bytes ?? (json === undefined ? undefined : JSON.stringify(json));
      const reply = await client.send({
        method,
        path: base + path,
        headers: {
          'x-forwarded-for': address,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const isJson = reply.headers['content-type']?.startsWith('application/json') === true;
      const parsed = isJson && reply.text !== '' ? reply.json() : undefined;
      return { status: reply.status, headers: reply.headers, text: reply.text, json: parsed };
    },
    elsewhere: () => callerAt(client, base),
    close: () => client.close(),
  };
}

/** How often each status came, for races: `{ 200: 1, 401: 9 }`. */
export function statuses(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

export function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

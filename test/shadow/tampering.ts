/** A legacy system whose replies are changed on their way, as a test asks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface PassedOn {
  status: number;
  json: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

/** By 'POST /api/…': changes the reply in place. */
export type Tamper = Readonly<Record<string, ((reply: PassedOn, sent: string) => void) | undefined>>;

export async function startTampering(origin: string, tamper: Tamper) {
  const server = createServer(async (request, response) => {
    const sent = (await buffer(request)).toString();
    const { method = '', url = '' } = request;
    const { host: _, connection: __, 'content-length': ___, ...headers } = request.headers;
    const answered = await fetch(origin + url, {
      ...{ method, headers: headers as Record<string, string>, redirect: 'manual' as const },
      ...(sent !== '' && { body: sent }),
    });
    const text = await answered.text();
    const {
      connection: ____,
      'content-length': _____,
      date: ______,
      ...own
    } = Object.fromEntries(answered.headers);
    const reply = { status: answered.status, json: text === '' ? {} : JSON.parse(text), headers: own };
    tamper[`${method} ${url}`]?.(reply, sent);
    response.writeHead(reply.status, reply.headers);
    response.end(text === '' ? '' : JSON.stringify(reply.json));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

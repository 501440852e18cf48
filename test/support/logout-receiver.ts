/**
 * Clients that are told of sign-outs (OpenID Connect Back-Channel Logout 1.0): one address for each, that notes what
 * it was sent and answers as it is told to. It refuses, as a strict client does, a logout token that is not for it.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import type { Stores } from '../../src/store/ports/stores.ts';
import { freePort } from './ports.ts';

export interface ReceivedLogout {
  readonly clientId: string;
  readonly payload: JWTPayload;
  readonly alg: string;
  readonly kid: string | undefined;
}

export type Reply = (response: ServerResponse, clientId: string) => unknown;

export interface LogoutReceiver {
  /** Verified ones, in the order of their arrival. */
  readonly received: readonly ReceivedLogout[];
  /** Why others were not. */
  readonly refused: readonly string[];
  readonly origin: string;
  uriOf(clientId: string): string;
  /** What it answers from now on; undefined: 204. */
  reply: Reply | undefined;
  /** Resolves once `clientId` was sent so many; throws after some seconds. */
  until(clientId: string, count?: number): Promise<ReceivedLogout[]>;
  of(clientId: string): ReceivedLogout[];
  forget(): void;
  /** Like a client that is down: nothing listens. up() listens again at the same address. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const PATIENCE = 15_000;

export async function startLogoutReceiver(issuer: () => string): Promise<LogoutReceiver> {
  const received: ReceivedLogout[] = [];
  const refused: string[] = [];
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;

  async function verify(clientId: string, form: string): Promise<ReceivedLogout> {
    keys ??= createRemoteJWKSet(new URL(`${issuer()}/jwks`), { cooldownDuration: 0 });
    const token = new URLSearchParams(form).get('logout_token') ?? '';
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      ...{ issuer: issuer(), audience: clientId, typ: 'logout+jwt' },
      ...{ requiredClaims: ['iat', 'exp', 'jti', 'events'], maxTokenAge: 30, clockTolerance: 5 },
    });
    const { events, nonce, sub, sid } = payload;
    if (JSON.stringify(events) !== JSON.stringify({ [EVENT]: {} })) throw new Error('other events');
    if (nonce !== undefined) throw new Error('a nonce');
    if (sub === undefined && sid === undefined) throw new Error('nobody is named');
    return { clientId, payload, alg: protectedHeader.alg, kid: protectedHeader.kid };
  }

  const site = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://receiver');
    const clientId = pathname.slice(1);
    const form = await text(request);
    try {
      if (request.method !== 'POST') throw new Error(`a ${request.method}`);
      received.push(await verify(clientId, form));
    } catch (error) {
      refused.push(`${clientId}: ${error}`);
    }
    if (receiver.reply) await receiver.reply(response, clientId);
    else response.writeHead(204).end();
  });
  const listen = async (port: number) => {
    site.listen(port, '127.0.0.1');
    await once(site, 'listening');
  };
  // A port that the system gives to no other program while the receiver is down.
  await listen(await freePort());
  const { port } = site.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  const receiver: LogoutReceiver = {
    ...{ received, refused, origin, reply: undefined },
    uriOf: (clientId) => `${origin}/${clientId}`,
    of: (clientId) => received.filter((one) => one.clientId === clientId),
    async until(clientId, count = 1) {
      for (const end = Date.now() + PATIENCE; receiver.of(clientId).length < count; await sleep(10)) {
        if (Date.now() < end) continue;
        throw new Error(`${clientId} got ${receiver.of(clientId).length} logouts. ${refused.join('; ')}`);
      }
      return receiver.of(clientId);
    },
    forget() {
      received.length = 0;
      refused.length = 0;
    },
    async down() {
      site.closeAllConnections();
      site.close();
      await once(site, 'close');
    },
    up: () => listen(port),
    async close() {
      site.closeAllConnections();
      if (site.listening) site.close();
    },
  };
  return receiver;
}

/** Gives a registered client an address at the receiver, and `metadata` besides. */
export async function tellAt(
  { clients }: Pick<Stores, 'clients'>,
  receiver: LogoutReceiver,
  clientId: string,
  metadata: Record<string, string | boolean> = {},
): Promise<void> {
  const known = await clients.byId(clientId);
  if (known === undefined) throw new Error(`The client ${clientId} is not there.`);
  const told = { backchannel_logout_uri: receiver.uriOf(clientId), ...metadata };
  await clients.put({ ...known, metadata: { ...known.metadata, ...told } });
}

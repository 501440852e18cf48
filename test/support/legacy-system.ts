/**
 * A legacy system: what answered a vendor's API before Portico, played by hand from the vendors' contracts. It
 * knows people, makes tokens of its own forms, notes every call, and fails on demand.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { avycenna } from './legacy-vendors/avycenna.ts';
import { careportals } from './legacy-vendors/careportals.ts';
import { medisync } from './legacy-vendors/medisync.ts';
import type { LegacyRequest, LegacyResponse, LegacyVendor, VendorName } from './legacy-vendors/route.ts';
import { visitnote } from './legacy-vendors/visitnote.ts';
import { vsee } from './legacy-vendors/vsee.ts';
import { type Issued, type LegacyPerson, LegacyWorld } from './legacy-vendors/world.ts';

/** The longest base first: one begins as another. */
const vendors: readonly LegacyVendor[] = [visitnote, avycenna, vsee, careportals, medisync];

export type LegacyFault =
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The request is read and never answered. */
  | { readonly kind: 'hang' }
  /** A head and half a body, then nothing. */
  | { readonly kind: 'stall' }
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly json?: unknown;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: 'redirect'; readonly to: string }
  /** 200, JSON by its type, and no JSON. */
  | { readonly kind: 'garbage' }
  /** The right reply, as text/html. */
  | { readonly kind: 'wrong-type' }
  /** 200 with a JSON that is not the endpoint's. */
  | { readonly kind: 'misfit'; readonly json?: unknown }
  /** 32 MiB of JSON, in pieces. */
  | { readonly kind: 'huge' }
  /** Kilobytes of gzip that unfold to megabytes. */
  | { readonly kind: 'bomb' }
  /** Everything is said of somebody else: the address in the reply is this one. */
  | { readonly kind: 'another'; readonly email: string };

export interface LegacyCall {
  readonly method: string;
  /** As it came, the query included. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
  /** The body as it came. */
  readonly raw: string;
  /** What TLS was asked for (SNI). */
  readonly servername?: string | undefined;
}

export interface LegacySystem {
  /** No slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly world: LegacyWorld;
  /** In the order in which they came. */
  readonly calls: readonly LegacyCall[];
  /** Connections at this moment, and the most that there were. */
  readonly sockets: { readonly open: number; readonly most: number };
  /** What every call suffers from now on, or those whose path fits; undefined: none does. */
  suffer(fault: LegacyFault | undefined, where?: RegExp): void;
  add(vendor: VendorName, fields: Partial<LegacyPerson> & { readonly email: string }): LegacyPerson;
  /** Tokens of an earlier sign-in. */
  issue(person: LegacyPerson): Issued;
  forget(): void;
  close(): Promise<void>;
}

export interface LegacySystemOptions {
  /** PEM: https instead of http. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Seconds by which the clock that it tells in `Date` is off. */
  readonly clockOff?: number;
}

export async function startLegacySystem({ tls, clockOff }: LegacySystemOptions = {}): Promise<LegacySystem> {
  const world = new LegacyWorld();
  const calls: LegacyCall[] = [];
  const sockets = new Set<Socket>();
  let most = 0;
  let fault: LegacyFault | undefined;
  let where = /(?:)/;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = (await buffer(request)).toString();
    const { method = '', url = '', headers } = request;
    const body = bodyOf(raw, headers['content-type']);
    const { servername } = request.socket as { servername?: string | false };
    calls.push({ ...{ method, url, headers, body, raw }, servername: servername || undefined });
    if (clockOff !== undefined) {
      response.setHeader('date', new Date(Date.now() + clockOff * 1000).toUTCString());
    }
    const current = where.test(url) ? fault : undefined;
    if (current?.kind === 'delay') await new Promise((done) => setTimeout(done, current.milliseconds));
    if (current !== undefined && misbehave(current, request, response)) return;
    send(response, changed(route(request, body, world), current), current?.kind === 'wrong-type');
  }

  const listener = (request: IncomingMessage, response: ServerResponse) => {
    // A client that leaves in the middle of its request ends the call and nothing else.
    answer(request, response).catch(() => response.destroy());
  };
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.keepAliveTimeout = 60_000;
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    ...{ port, world, calls, url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}` },
    get sockets() {
      return { open: sockets.size, most };
    },
    suffer(next, paths = /(?:)/) {
      // Made before the call, whose time is short.
      if (next?.kind === 'bomb') bomb ??= gzipSync(Buffer.alloc(32 * 1024 * 1024, ' '));
      fault = next;
      where = paths;
    },
    add(vendor, fields) {
      const person = vendorNamed(vendor).person(fields);
      world.people.push(person);
      return person;
    },
    issue: (person) => world.issue(person, vendorNamed(person.vendor).tokens),
    forget: () => void calls.splice(0),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function vendorNamed(name: VendorName): LegacyVendor {
  const vendor = vendors.find((one) => one.name === name);
  if (vendor === undefined) throw new Error(`the legacy system does not play ${name}`);
  return vendor;
}

function route(
  { method = '', url = '', headers }: IncomingMessage,
  body: LegacyCall['body'],
  world: LegacyWorld,
): LegacyResponse {
  const { pathname, searchParams } = new URL(url, 'http://legacy.test');
  const vendor = vendors.find(({ base }) => pathname.startsWith(`${base}/`));
  if (vendor === undefined) return { status: 404, json: { message: 'nothing is here' } };
  const request: LegacyRequest = {
    ...{ method, body, path: pathname.slice(vendor.base.length), query: searchParams },
    header: (name) => [headers[name]].flat().join(', ') || undefined,
  };
  return vendor.answer(request, world);
}

function bodyOf(raw: string, type = ''): Record<string, unknown> {
  if (raw === '') return {};
  if (type.startsWith('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(raw));
  const json: unknown = JSON.parse(raw);
  return typeof json === 'object' && json !== null ? { ...json } : {};
}

let bomb: Buffer | undefined;

/** True: there is nothing more to answer. */
function misbehave(fault: LegacyFault, request: IncomingMessage, response: ServerResponse): boolean {
  const json = { 'content-type': 'application/json' };
  switch (fault.kind) {
    case 'hang':
      return true;
    case 'stall':
      response.writeHead(200, { ...json, 'content-length': '1000' }).write('{"data":');
      return true;
    case 'reset':
      request.socket.destroy();
      return true;
    case 'status':
      response.writeHead(fault.status, { ...json, ...fault.headers }).end(JSON.stringify(fault.json ?? {}));
      return true;
    case 'redirect':
      response.writeHead(302, { location: fault.to }).end();
      return true;
    case 'garbage':
      response.writeHead(200, json).end('<p>{"token":');
      return true;
    case 'misfit':
      response.writeHead(200, json).end(JSON.stringify(fault.json ?? { status: true, data: { token: 17 } }));
      return true;
    case 'huge':
      pour(response.writeHead(200, json));
      return true;
    case 'bomb':
      response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(bomb);
      return true;
    default:
      return false;
  }
}

/** Writes as long as the other end reads. */
function pour(response: ServerResponse): void {
  const piece = Buffer.alloc(64 * 1024, 'a');
  let left = 512;
  response.write('{"data":"');
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(piece)) return void response.once('drain', more);
    }
    if (!response.destroyed) response.end('"}');
  };
  more();
}

function changed(reply: LegacyResponse, fault: LegacyFault | undefined): LegacyResponse {
  if (fault?.kind !== 'another') return reply;
  const text = JSON.stringify(reply.json).replaceAll(/"email":"[^"]*"/g, `"email":"${fault.email}"`);
  return { ...reply, json: JSON.parse(text) };
}

function send(response: ServerResponse, { status, json, headers }: LegacyResponse, asPage: boolean): void {
  const type = asPage ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(json));
}

/**
 * Requests to URLs that clients registered (jwks_uri), or are named by (their documents), guarded against SSRF. They
 * must not reach what only this machine or its network can see: the address is judged
 * where the socket is opened, so a name that resolves differently a moment later gains nothing. Redirects
 * are not followed. Size and time are capped.
 */
import { lookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP } from 'node:net';

/** Bytes of a reply's body. */
const LARGEST = 256 * 1024;
/** Milliseconds for the whole exchange. */
const LONGEST = 5_000;

const SUBNETS: readonly [address: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const special = new BlockList();
for (const [address, bits] of SUBNETS)
  special.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Whether an IP address belongs to the public internet. IPv4 in IPv6 is judged like IPv4. */
export function isPublicAddress(address: string): boolean {
  const kind = isIP(address);
  return kind !== 0 && !special.check(address, kind === 6 ? 'ipv6' : 'ipv4');
}

export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused';
}

export interface OutboundOptions {
  readonly method?: string;
  readonly headers?: Headers | Record<string, string>;
  readonly body?: string | URLSearchParams | null;
  readonly signal?: AbortSignal;
  /** Bytes of the reply's body, where fewer are enough. */
  readonly largest?: number;
}

export type OutboundFetch = (url: string | URL, options?: OutboundOptions) => Promise<Response>;

/** `allowPrivate`: development and tests only. */
export function createOutboundFetch({ allowPrivate }: { allowPrivate: boolean }): OutboundFetch {
  return async (target, options = {}) => {
    const url = new URL(target);
    const refusal = outboundRefusal(url, { allowPrivate });
    if (refusal !== undefined) throw new OutboundRefused(refusal);
    return exchange({ url, options, allowPrivate });
  };
}

/** Why a URL is not fetched, as far as the URL itself says; undefined: it may be. */
export function outboundRefusal(url: URL, { allowPrivate }: { allowPrivate: boolean }): string | undefined {
  if (url.protocol !== 'https:' && !(allowPrivate && url.protocol === 'http:')) {
    return `${url.protocol} is not fetched`;
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isRefused = !allowPrivate && isIP(host) !== 0 && !isPublicAddress(host);
  return isRefused ? 'the address is not public' : undefined;
}

function exchange(context: { url: URL; options: OutboundOptions; allowPrivate: boolean }): Promise<Response> {
  const { url, options, allowPrivate } = context;
  const signals = [AbortSignal.timeout(LONGEST), ...(options.signal ? [options.signal] : [])];
  const body = options.body == null ? undefined : String(options.body);
  const headers = new Headers(options.headers);
  if (body !== undefined) headers.set('content-length', String(Buffer.byteLength(body)));
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: options.method ?? 'GET',
      headers: Object.fromEntries(headers),
      signal: AbortSignal.any(signals),
      agent: false,
      ...(!allowPrivate && { lookup: publicOnly }),
    });
    request.on('error', reject);
    request.on('response', (reply) => readReply(reply, options.largest ?? LARGEST).then(resolve, reject));
    request.end(body);
  });
}

/** The addresses that were judged are the ones that the socket uses. */
const publicOnly: NonNullable<http.RequestOptions['lookup']> = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
      return done(new OutboundRefused('the name leads to an address that is not public'), []);
    }
    const [first] = addresses;
    if (options.all || !first) done(null, addresses);
    else done(null, first.address, first.family);
  });
};

async function readReply(reply: http.IncomingMessage, largest: number): Promise<Response> {
  const chunks: Buffer[] = [];
  let length = 0;
  const body: AsyncIterable<Buffer> = reply;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > largest) {
      reply.destroy();
      throw new OutboundRefused(`the reply is longer than ${largest} bytes`);
    }
    chunks.push(chunk);
  }
  const status = reply.statusCode ?? 0;
  const headers = Object.entries(reply.headers).map(([name, value = '']): [string, string] => [
    name,
    [value].flat().join(', '),
  ]);
  const empty = status === 204 || status === 205 || status === 304;
  return new Response(empty ? null : Buffer.concat(chunks), { status, headers });
}

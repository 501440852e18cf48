/**
 * Which client a request really comes from. Forwarding headers count only when the peer is a configured proxy;
 * from any other peer they are taken off the request, so that nothing behind this can believe them
 * (a client that rotates X-Forwarded-For must not get a fresh budget each time).
 */
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Middleware } from 'koa';
import { canonicalAddress } from '../../core/ip-address.ts';
import { attachRequestInfo, type RequestInfo, requestInfoOf } from '../request/request-context.ts';
import { hostName } from './request-target.ts';

const FORWARDING = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-real-ip',
  'x-original-url',
  'x-rewrite-url',
] as const;

/** Where a request comes from and which host it names. Takes forwarding headers off that no proxy of ours has set. */
export type ReadOrigin = (request: IncomingMessage) => Pick<RequestInfo, 'address' | 'host'>;

/** Peers whose address is known in its canonical form. */
const MOST_PEERS = 1000;

/**
 * `proxies`: addresses and networks in CIDR notation. Throws RangeError for what is neither. `more`: other headers
 * that only proxies may send.
 */
export function createOriginReader(proxies: readonly string[], more: readonly string[] = []): ReadOrigin {
  const trusted = networks(proxies);
  const ofProxies = [...FORWARDING, ...more.map((name) => name.toLowerCase())];
  const peers = new Map<string, { peer: string; isProxy: boolean; address: string }>();
  const peerOf = (remote: string) => {
    const known = peers.get(remote);
    if (known) return known;
    const peer = plainAddress(remote);
    const fresh = { peer, isProxy: trusted(peer), address: canonicalAddress(peer) };
    if (peers.size >= MOST_PEERS) peers.clear();
    peers.set(remote, fresh);
    return fresh;
  };
  return ({ headers, socket }) => {
    const { peer, isProxy, address } = peerOf(socket.remoteAddress ?? '');
    if (!isProxy)
      // `delete` costs far more than a look, also where there is no such header.
      for (const name of ofProxies) if (headers[name] !== undefined) delete headers[name];
    const forwardedFor = headerText(headers['x-forwarded-for']);
    const host = headerText(headers['x-forwarded-host'])?.split(',', 1)[0]?.trim() ?? headers.host ?? '';
    return {
      address:
        forwardedFor === undefined ? address : canonicalAddress(clientBehind(peer, forwardedFor, trusted)),
      host: hostName(host),
    };
  };
}

export function trustedProxies(read: ReadOrigin): Middleware {
  return (ctx, next) => {
    attachRequestInfo(ctx, { ...requestInfoOf(ctx), ...read(ctx.req) });
    return next();
  };
}

/** Goes through X-Forwarded-For from its end, which our own proxies wrote, to the first address that is not ours. */
function clientBehind(peer: string, forwardedFor: string, trusted: (address: string) => boolean): string {
  let client = peer;
  for (const hop of forwardedFor.split(',').reverse()) {
    const address = plainAddress(hop.trim());
    if (isIP(address) === 0) return client;
    client = address;
    if (!trusted(address)) return client;
  }
  return client;
}

/** Without port and brackets; an IPv4-mapped address as IPv4. */
function plainAddress(text: string): string {
  const bare = text
    .replace(/^\[([^\]]+)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
    .replace(/%.*$/, '');
  return bare.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1');
}

function networks(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function headerText(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value;
}

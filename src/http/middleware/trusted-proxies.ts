/**
 * Which client a request really comes from. Forwarding headers count only when the peer is a configured proxy;
 * from any other peer they are taken off the request, so that nothing behind this can believe them
 * (a client that rotates X-Forwarded-For must not get a fresh budget each time).
 */
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Middleware } from 'koa';
import { canonicalAddress } from '../../core/ip-address.ts';
import { attachRequestInfo, requestInfoOf } from '../request/request-context.ts';
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

/**
 * `proxies`: addresses and networks in CIDR notation. Throws RangeError for what is neither. `more`: other headers
 * that only proxies may send.
 */
export function trustedProxies(proxies: readonly string[], more: readonly string[] = []): Middleware {
  const trusted = networks(proxies);
  return async (ctx, next) => {
    const peer = plainAddress(ctx.req.socket.remoteAddress ?? '');
    const { headers } = ctx.req;
    let address = peer;
    if (trusted(peer)) {
      address = clientBehind(peer, headerText(headers['x-forwarded-for']), trusted);
    } else {
      for (const name of FORWARDING) delete headers[name];
      for (const name of more) delete headers[name.toLowerCase()];
    }
    const host = headerText(headers['x-forwarded-host'])?.split(',', 1)[0]?.trim() ?? headers.host ?? '';
    attachRequestInfo(ctx, {
      ...requestInfoOf(ctx),
      address: canonicalAddress(address),
      host: hostName(host),
    });
    await next();
  };
}

/** Goes through X-Forwarded-For from its end, which our own proxies wrote, to the first address that is not ours. */
function clientBehind(
  peer: string,
  forwardedFor: string | undefined,
  trusted: (address: string) => boolean,
): string {
  let client = peer;
  for (const hop of (forwardedFor ?? '').split(',').reverse()) {
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

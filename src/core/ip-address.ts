/**
 * Who a request comes from, for counters: one text per host. An IPv6 customer owns a whole /64 and can
 * change the rest at will, and one address has many spellings (better-auth CVE-2026-45364).
 */
import { isIP } from 'node:net';

/**
 * Canonical client address: IPv4 dotted; IPv4-mapped IPv6 as that IPv4; any other IPv6 as its /64, such as
 * '2001:db8:0:7::/64'. What is no address at all (a socket that closed already) is 'unknown', one bucket.
 */
export function canonicalAddress(text: string): string {
  const address = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '');
  const kind = isIP(address);
  if (kind === 4) return address;
  if (kind !== 6) return 'unknown';
  const groups = ipv6Groups(address);
  const mapped = mappedIPv4(groups);
  if (mapped !== undefined) return mapped;
  const network = groups.slice(0, 4);
  while (network.at(-1) === 0) network.pop();
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}

/** The eight groups of a valid IPv6 address. */
function ipv6Groups(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  let text = address;
  if (dotted !== null) {
    const [, head = '', a, b, c, d] = dotted;
    text = `${head}${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`;
  }
  const [left = '', right] = text.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

function mappedIPv4(groups: readonly number[]): string | undefined {
  const [, , , , , marker, high = 0, low = 0] = groups;
  if (marker !== 0xffff || groups.slice(0, 5).some((group) => group !== 0)) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

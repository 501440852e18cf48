/**
 * Who a request comes from, for counters: one text per host. An IPv6 customer owns a whole /64 and can
 * change the rest at will, and one address has many spellings (better-auth CVE-2026-45364).
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Canonical client address: IPv4 dotted; IPv4-mapped IPv6 as that IPv4; any other IPv6 as its /64, such as
 * '2001:db8:0:7::/64'. What is no address at all (a socket that closed already) is 'unknown', one bucket.
 */
export function canonicalAddress(text: string): string {
  const address = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '');
  // ipaddr.js takes spellings, such as octal ones, that no socket reports.
  if (isIP(address) === 0) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = parsed.parts.slice(0, 4);
  while (network.at(-1) === 0) network.pop();
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}

/** A canonical address as a header names it: an IPv6 one by the first address of its /64. */
export function hostOf(canonical: string): string {
  return canonical.replace(/\/64$/, '');
}

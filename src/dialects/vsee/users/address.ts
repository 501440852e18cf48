/** The vendor's four address members as the one claim that Portico stores. */
import type { AddressClaim } from '../../contract/dialect.ts';

type SentAddress = Partial<Record<'street_addr' | 'city' | 'state' | 'zip', string | null | undefined>>;

/** The whole claim as it is afterwards; undefined when nothing of it was sent, null when nothing is left. */
export function address(sent: SentAddress, current: AddressClaim = {}): AddressClaim | null | undefined {
  const members = {
    street_address: sent.street_addr,
    locality: sent.city,
    region: sent.state,
    postal_code: sent.zip,
  };
  const input = Object.entries(members).filter(([, value]) => value !== undefined);
  if (input.length === 0) return undefined;
  // The one-text form would still show the old ones.
  const { formatted: _, ...kept } = current;
  const merged = Object.entries({ ...kept, ...Object.fromEntries(input) }).filter(
    ([, value]) => value !== null,
  );
  return merged.length === 0 ? null : Object.fromEntries(merged);
}

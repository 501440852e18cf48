import type { AccountRecord, Json } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function sendTicket(
  _identity: Identity,
  _wanted: {
    account: AccountRecord;
    purpose: string;
    prefix: string;
    /** Seconds. */
    lifetime: number;
    /** `{token}` and `{organization}` are filled in, URL-encoded. */
    link: string;
    letter: string;
    supersedes: boolean;
    /** `window` in seconds. */
    quota?: { limit: number; window: number };
    /** Default: the account's address. */
    to?: string;
    data?: Record<string, Json>;
  },
): Promise<void> {
  throw new Error('unwritten');
}

export interface TicketView {
  readonly account: AccountRecord;
  readonly data: Readonly<Record<string, Json>>;
}
export async function readTicket(
  _identity: Identity,
  _wanted: { token: string; purpose: string; organization?: string },
): Promise<TicketView | undefined> {
  throw new Error('unwritten');
}
export async function spendTicket(
  _identity: Identity,
  _wanted: { token: string; purpose: string; organization?: string },
): Promise<TicketView | undefined> {
  throw new Error('unwritten');
}

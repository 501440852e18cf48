/**
 * Tickets: long random one-use texts in the links of letters. 256 bits, so a keyed hash is all that is
 * stored. Bound to a purpose, an organization, an account and the address that the account had: a link that
 * was sent to an address that is given up opens nothing.
 */
import { randomToken } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import type { TicketRecord } from '../../store/ports/link-tokens.ts';
import type { Identity } from '../context.ts';
import type { LetterQuota } from '../emails/send-email.ts';
import { mayWrite, nobodyIn, sendLetter } from '../emails/send-email.ts';

/** The purpose of password reset links: those of every door open the hosted page, and all die together. */
export const RESET = 'reset';

/**
 * Makes a ticket and sends its link. `prefix` makes a leaked one easy to spot. `lifetime`: seconds. `link`:
 * a URL built from configuration, whose `{token}` and `{organization}` are filled in. `supersedes`: older
 * ones of the purpose die. Past the quota the work is done for nobody. `to`: another address than the account's, when
 * that is what is to be proven. `data` comes back at readTicket.
 */
export async function sendTicket(
  identity: Identity,
  wanted: {
    account: AccountRecord;
    purpose: string;
    prefix: string;
    lifetime: number;
    link: string;
    letter: string;
    supersedes: boolean;
    quota?: LetterQuota;
    to?: string;
    data?: Readonly<Record<string, Json>>;
  },
): Promise<void> {
  const { purpose, lifetime } = wanted;
  const allowed = await mayWrite(identity, wanted);
  const account = allowed ? wanted.account : nobodyIn(wanted.account.organization);
  const to = allowed ? wanted.to : undefined;
  if (wanted.supersedes) await identity.stores.tickets.removeByAccount(account.id, purpose);
  const token = randomToken(wanted.prefix);
  const hash = ticketHash(identity, token);
  const now = identity.clock.now();
  const data: Kept = { email: account.email ?? null, data: { ...wanted.data } };
  await identity.stores.tickets.put(hash, {
    purpose,
    organization: account.organization,
    accountId: account.id,
    data: identity.secrets.seal(JSON.stringify(data), contextOf(hash)),
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetime * 1000),
  });
  const link = wanted.link
    .replaceAll('{token}', encodeURIComponent(token))
    .replaceAll('{organization}', encodeURIComponent(account.organization));
  sendLetter(identity, {
    account,
    name: wanted.letter,
    data: { link, lifetime },
    ...(to === undefined ? {} : { to }),
  });
}

export interface TicketView {
  readonly account: AccountRecord;
  readonly data: Readonly<Record<string, Json>>;
}

/**
 * Reads without spending: mail scanners and impatient people ask too. Undefined: unknown, expired, spent, of
 * another purpose or organization, for an address that the account no longer has, or the account is not active.
 * Without `organization` the ticket's own counts.
 */
export async function readTicket(
  identity: Identity,
  wanted: { token: string; purpose: string; organization?: string },
): Promise<TicketView | undefined> {
  const hash = ticketHash(identity, wanted.token);
  const ticket = await identity.stores.tickets.read(hash, wanted.purpose, identity.clock.now());
  return ticket === undefined
    ? undefined
    : viewOf(identity, { hash, ticket, organization: wanted.organization });
}

/** As readTicket, and spends it: for exactly one caller. One that is not good stays unspent. */
export async function spendTicket(
  identity: Identity,
  wanted: { token: string; purpose: string; organization?: string },
): Promise<TicketView | undefined> {
  if ((await readTicket(identity, wanted)) === undefined) return undefined;
  const hash = ticketHash(identity, wanted.token);
  const ticket = await identity.stores.tickets.spend(hash, wanted.purpose, identity.clock.now());
  return ticket === undefined
    ? undefined
    : viewOf(identity, { hash, ticket, organization: wanted.organization });
}

interface Kept {
  readonly email: string | null;
  readonly data: Readonly<Record<string, Json>>;
}

async function viewOf(
  identity: Identity,
  found: { hash: string; ticket: TicketRecord; organization: string | undefined },
): Promise<TicketView | undefined> {
  const { hash, ticket, organization } = found;
  if (ticket.accountId === undefined) return undefined;
  if (organization !== undefined && ticket.organization !== organization) return undefined;
  const account = await identity.stores.accounts.byId(ticket.accountId);
  if (account?.organization !== ticket.organization || account.status !== 'active') return undefined;
  const kept = JSON.parse(identity.secrets.open(ticket.data, contextOf(hash))) as Kept;
  return kept.email === (account.email ?? null) ? { account, data: kept.data } : undefined;
}

function ticketHash(identity: Identity, token: string): string {
  return identity.secrets.mac('ticket', token);
}

function contextOf(hash: string): string {
  return `ticket:${hash}`;
}

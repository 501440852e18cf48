/**
 * Link tokens (one-time tokens, as in a magic link): 256 random bits in the link of an email, stored as an HMAC.
 * Bound to a purpose, an organization, an account and the account's address of that moment: after the address
 * changes, the link is invalid.
 */

import { randomToken } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { EmailName } from '../../model/email-name.ts';
import type { Json } from '../../model/json.ts';
import type { LinkTokenRecord } from '../../store/ports/link-tokens.ts';
import type { Identity } from '../context.ts';
import { absentAccountIn, type EmailQuota, mayWrite, sendEmail } from '../emails/send-email.ts';

/** The purpose of password reset links: those of every channel open the hosted page, and all die together. */
export const RESET = 'reset';

/**
 * Makes a link token and sends its link. `prefix` makes a leaked one easy to spot. `lifetime`: seconds. `link`:
 * a URL built from configuration, whose `{token}` and `{organization}` are filled in. `supersedes`: older
 * ones of the purpose die. Past the quota the same work sends nothing. `to`: another address than the account's, when
 * that is what is to be proven. `data` comes back at readLinkToken.
 */
export async function sendLinkToken(
  identity: Identity,
  input: {
    account: AccountRecord;
    purpose: string;
    prefix: string;
    lifetime: number;
    link: string;
    email: EmailName;
    supersedes: boolean;
    quota?: EmailQuota;
    to?: string;
    data?: Readonly<Record<string, Json>>;
  },
): Promise<void> {
  const { purpose, lifetime } = input;
  const allowed = await mayWrite(identity, input);
  const account = allowed ? input.account : absentAccountIn(input.account.organization);
  const to = allowed ? input.to : undefined;
  if (input.supersedes) await identity.stores.linkTokens.removeByAccount(account.id, purpose);
  const token = randomToken(input.prefix);
  const hash = linkTokenHash(identity, token);
  const now = identity.clock.now();
  const data: Kept = { email: account.email ?? null, data: { ...input.data } };
  await identity.stores.linkTokens.put(hash, {
    purpose,
    organization: account.organization,
    accountId: account.id,
    data: identity.secrets.encrypt(JSON.stringify(data), contextOf(hash)),
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetime * 1000),
  });
  const link = input.link
    .replaceAll('{token}', encodeURIComponent(token))
    .replaceAll('{organization}', encodeURIComponent(account.organization));
  sendEmail(identity, {
    account,
    name: input.email,
    data: { link, lifetime },
    ...(to === undefined ? {} : { to }),
  });
}

export interface LinkTokenView {
  readonly account: AccountRecord;
  readonly data: Readonly<Record<string, Json>>;
}

/**
 * Reads without spending: mail scanners and impatient people ask too. Undefined: unknown, expired, spent, of
 * another purpose or organization, for an address that the account no longer has, or the account is not active.
 * Without `organization` the link token's own counts.
 */
export async function readLinkToken(
  identity: Identity,
  input: { token: string; purpose: string; organization?: string },
): Promise<LinkTokenView | undefined> {
  const hash = linkTokenHash(identity, input.token);
  const linkToken = await identity.stores.linkTokens.read(hash, input.purpose, identity.clock.now());
  return linkToken === undefined
    ? undefined
    : viewOf(identity, { hash, linkToken, organization: input.organization });
}

/** As readLinkToken, and spends it: for exactly one caller. One that is not good stays unspent. */
export async function spendLinkToken(
  identity: Identity,
  input: { token: string; purpose: string; organization?: string },
): Promise<LinkTokenView | undefined> {
  if ((await readLinkToken(identity, input)) === undefined) return undefined;
  const hash = linkTokenHash(identity, input.token);
  const linkToken = await identity.stores.linkTokens.spend(hash, input.purpose, identity.clock.now());
  return linkToken === undefined
    ? undefined
    : viewOf(identity, { hash, linkToken, organization: input.organization });
}

interface Kept {
  readonly email: string | null;
  readonly data: Readonly<Record<string, Json>>;
}

async function viewOf(
  identity: Identity,
  result: { hash: string; linkToken: LinkTokenRecord; organization: string | undefined },
): Promise<LinkTokenView | undefined> {
  const { hash, linkToken, organization } = result;
  if (linkToken.accountId === undefined) return undefined;
  if (organization !== undefined && linkToken.organization !== organization) return undefined;
  const account = await identity.stores.accounts.byId(linkToken.accountId);
  if (account?.organization !== linkToken.organization || account.status !== 'active') return undefined;
  const kept = JSON.parse(identity.secrets.decrypt(linkToken.data, contextOf(hash))) as Kept;
  return kept.email === (account.email ?? null) ? { account, data: kept.data } : undefined;
}

function linkTokenHash(identity: Identity, token: string): string {
  return identity.secrets.hmac('ticket', token);
}

function contextOf(hash: string): string {
  return `ticket:${hash}`;
}

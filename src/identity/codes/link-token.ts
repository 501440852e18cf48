/**
 * Link tokens (one-time tokens, as in a magic link): 256 random bits in the link of an email, stored as an HMAC.
 * Bound to a purpose, an organization, an account and the account's address of that moment: after the address
 * changes, the link is invalid.
 */

import { randomToken } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { EmailName } from '../../model/email-name.ts';
import type { Json } from '../../model/json.ts';
import type { Identity } from '../context.ts';
import { absentAccountIn, mayWrite, sendEmail } from '../emails/send-email.ts';
import type { Quota } from '../rate-limits/budgets.ts';
import { keepRecord, openRecord } from './encrypted-record.ts';

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
    quota?: Quota;
    to?: string;
    data?: Readonly<Record<string, Json>>;
  },
): Promise<void> {
  const { purpose, lifetime } = input;
  const allowed = await mayWrite(identity, input);
  const account = allowed ? input.account : absentAccountIn(input.account.organization);
  const { id: accountId, organization } = account;
  if (input.supersedes) await identity.stores.linkTokens.removeByAccount(accountId, purpose);
  const token = randomToken(input.prefix);
  const data = { email: account.email ?? null, data: { ...input.data } };
  await keepRecord(identity, {
    kind: 'ticket',
    secret: token,
    purpose,
    organization,
    accountId,
    lifetime,
    data,
  });
  const link = input.link
    .replaceAll('{token}', encodeURIComponent(token))
    .replaceAll('{organization}', encodeURIComponent(organization));
  const to = allowed ? input.to : undefined;
  sendEmail(identity, { account, name: input.email, data: { link, lifetime }, to });
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
export function readLinkToken(identity: Identity, input: Asked): Promise<LinkTokenView | undefined> {
  return open(identity, 'read', input);
}

/** As readLinkToken, and spends it: for exactly one caller. One that is not good stays unspent. */
export async function spendLinkToken(identity: Identity, input: Asked): Promise<LinkTokenView | undefined> {
  return (await open(identity, 'read', input)) && open(identity, 'spend', input);
}

interface Asked {
  readonly token: string;
  readonly purpose: string;
  readonly organization?: string | undefined;
}

async function open(
  identity: Identity,
  how: 'read' | 'spend',
  { token, purpose, organization }: Asked,
): Promise<LinkTokenView | undefined> {
  const linkToken = await openRecord(identity, how, { kind: 'ticket', secret: token, purpose });
  if (linkToken?.accountId === undefined) return undefined;
  if (organization !== undefined && linkToken.organization !== organization) return undefined;
  const account = await identity.stores.accounts.byId(linkToken.accountId);
  if (account?.organization !== linkToken.organization || account.status !== 'active') return undefined;
  const { email, data } = linkToken.data as { email: string | null; data: LinkTokenView['data'] };
  return email === (account.email ?? null) ? { account, data } : undefined;
}

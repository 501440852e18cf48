/** Making accounts. That a name is free is decided by the store's index, not by a look-up before. */

import { randomToken } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { foldName, normalizeEmail, takeName } from '../../core/text.ts';
import type { AccountRecord, AccountStatus, LegacyEntry, ProfileClaims } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import type { TakenName } from '../../store/ports/accounts.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { forgetGoneAddress } from './gone-people.ts';
import { hashNewPassword } from './judge-password.ts';

/** `openedAt` of an account that a person opened at the hosted pages. */
export const HOSTED = 'hosted';

export interface NewAccountFields {
  readonly email?: string;
  /** Default: false. */
  readonly emailVerified?: boolean;
  /** May hold an '@' only when it is the account's own address. */
  readonly username?: string;
  readonly password?: string;
  /** Default: active. */
  readonly status?: AccountStatus;
  readonly claims?: ProfileClaims;
  /** Operators give these, and nothing that a person can reach. */
  readonly roles?: readonly string[];
  /** As AccountRecord has it. Absent: an operator makes the account. */
  readonly openedAt?: string;
  readonly aliases?: Readonly<Record<string, string>>;
  /** By dialect. */
  readonly vendor?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Whose legacy system knows the person, and since when it does. Default: now. */
  readonly legacy?: Readonly<Record<string, LegacyEntry>>;
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

export interface NewAccountInput {
  readonly organization: string;
  readonly account: NewAccountFields;
  /** Instead of `account.password`: the hash of one that was judged before. */
  readonly passwordHash?: string;
  /** Code points; default 12. */
  readonly passwordMinimum?: number;
  /** Given, the audit line is written. */
  readonly context?: RequestContext;
  /** The client address of a person who opens the account, where it counts. Absent: an operator or a clinic does. */
  readonly openedFrom?: string;
}

/**
 * Refused('account-exists' | 'password-too-short' | 'password-too-common' | 'unavailable' | 'too-many-requests').
 * The password is hashed before the name is tried, so that a channel that must not tell (the hosted page) takes the
 * same time. Sends no email.
 */
export async function registerAccount(identity: Identity, input: NewAccountInput): Promise<AccountRecord> {
  const outcome = await insertAccount(identity, input);
  if ('taken' in outcome) throw new Refused('account-exists', { detail: `The ${outcome.taken} is taken.` });
  return outcome.account;
}

/** As registerAccount, for callers that care which name is taken. */
export async function insertAccount(
  identity: Identity,
  input: NewAccountInput,
): Promise<{ account: AccountRecord } | { taken: TakenName }> {
  const { openedFrom } = input;
  const make = () => insert(identity, input);
  if (openedFrom === undefined) return make();
  return countedWhenMade(identity, openedFrom, make, (outcome) => 'account' in outcome);
}

/**
 * Counts an account at its person's client address before `open`; only one that is made stays counted.
 * Refused('too-many-requests').
 */
export async function countedWhenMade<Outcome>(
  identity: Identity,
  address: string,
  open: () => Promise<Outcome>,
  isMade: (outcome: Outcome) => boolean,
): Promise<Outcome> {
  const takeBack = await identity.strangers.count('accounts', address);
  let created = false;
  try {
    const outcome = await open();
    created = isMade(outcome);
    return outcome;
  } finally {
    if (!created) await takeBack();
  }
}

async function insert(
  identity: Identity,
  input: NewAccountInput,
): Promise<{ account: AccountRecord } | { taken: TakenName }> {
  const { organization, account: fields, passwordMinimum = 12, context } = input;
  refuseForeignAddress(fields);
  const { password } = fields;
  const passwordHash =
    password === undefined
      ? input.passwordHash
      : await hashNewPassword(identity, { password, minimum: passwordMinimum, organization });
  const account = recordOf({ organization, fields, passwordHash, now: identity.clock.now() });
  // Before the account is there: who finds it must not wait for its maker.
  await forgetGoneAddress(identity, account);
  const outcome = await identity.stores.accounts.insert(account);
  if (outcome !== 'inserted') return outcome;
  if (context !== undefined)
    recordEvent(identity, { event: 'account.register', organization, subject: account.id, context });
  return { account };
}

/** A username that is another person's address would block them from it (Keycloak GHSA-cq42-vhv7-xr7p). */
function refuseForeignAddress({ email, username }: NewAccountFields): void {
  if (username === undefined || !username.includes('@')) return;
  if (email !== undefined && foldName(username) === normalizeEmail(email)) return;
  const issues = [{ path: ['username'], message: 'The username may not be an e-mail address.' }];
  throw new Refused('invalid-fields', { issues });
}

/** The record of a new account, not stored yet. */
export function recordOf({
  organization,
  fields,
  passwordHash,
  now,
}: {
  organization: string;
  fields: NewAccountFields;
  passwordHash?: string | undefined;
  now: Date;
}): AccountRecord {
  const vendor = Object.entries(fields.vendor ?? {}).map(([name, members]) => [name, { ...members }]);
  return {
    id: randomToken('acc_'),
    organization,
    status: fields.status ?? 'active',
    ...(fields.email !== undefined && { email: normalizeEmail(fields.email) }),
    emailVerified: fields.emailVerified ?? false,
    ...(fields.username !== undefined && { username: takeName(fields.username) }),
    ...(passwordHash !== undefined && { passwordHash }),
    claims: { ...fields.claims },
    roles: [...(fields.roles ?? [])],
    ...(fields.openedAt !== undefined && { openedAt: fields.openedAt }),
    aliases: { ...fields.aliases },
    vendor: Object.fromEntries(vendor),
    ...(fields.legacy !== undefined && { legacy: { ...fields.legacy } }),
    createdAt: fields.createdAt ?? now,
    updatedAt: fields.updatedAt ?? now,
    version: 1,
  };
}

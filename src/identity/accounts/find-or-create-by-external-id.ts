/**
 * Accounts that a clinic's own portal signs in under an id of its own. The key is a second alias, unique by
 * index, and the only thing that links: finding a person by e-mail or username would be account take-over.
 */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Identity } from '../context.ts';
import { insertAccount, type NewAccountFields } from './create-account.ts';
import { updateAccount } from './update-account.ts';

/** Of the alias that holds the clinic's key. */
const SUFFIX = '-sso';

/** The account as it is when no clinic signs in to it: without its key and its decisions. */
export function withoutSingleSignOn({ clinicDecisions }: Identity, account: AccountRecord): AccountRecord {
  const names = Object.keys(account.aliases).filter((name) => name.endsWith(SUFFIX));
  if (names.length === 0) return account;
  const vendor = { ...account.vendor };
  for (const dialect of names.map((name) => name.slice(0, -SUFFIX.length))) {
    const decided = clinicDecisions.get(dialect)?.members ?? [];
    const members = Object.entries(vendor[dialect] ?? {}).filter(([member]) => !decided.includes(member));
    vendor[dialect] = Object.fromEntries(members);
  }
  const aliases = Object.entries(account.aliases).filter(([name]) => !names.includes(name));
  return { ...account, aliases: Object.fromEntries(aliases), vendor };
}

/**
 * The account that was made under `key` in this organization, whatever its status, or a new one by `fresh`
 * (asked again when a name of its was taken meanwhile). First calls in parallel make one account; a deleted
 * account is followed by a new one. Refused('account-exists') when `fresh` insists on a name that is taken.
 */
export async function findOrCreateByKey(
  identity: Identity,
  input: {
    organization: string;
    dialect: string;
    key: string;
    fresh: () => Promise<NewAccountFields>;
    /** The account that a legacy system knows by the key, and that gets it now. */
    elsewhere?: () => Promise<AccountRecord | undefined>;
  },
): Promise<{ account: AccountRecord; created: boolean }> {
  const { organization, dialect, key, fresh } = input;
  const alias = `${dialect}${SUFFIX}`;
  const value = `${organization}\0${key}`;
  for (let tries = 0; tries < 10; tries += 1) {
    const present = await identity.stores.accounts.byAlias(alias, value);
    if (present !== undefined) return { account: present, created: false };
    const there = await input.elsewhere?.();
    if (there !== undefined) return { account: await withKey(identity, there, alias, value), created: false };
    const fields = await fresh();
    const account = { ...fields, aliases: { ...fields.aliases, [alias]: value } };
    const outcome = await insertAccount(identity, { organization, account });
    if ('account' in outcome) return { account: outcome.account, created: true };
  }
  throw new Refused('account-exists', { detail: 'A name of the new account is taken.' });
}

/** Refused('forbidden'): a clinic knows the person by another key. */
function withKey(
  identity: Identity,
  account: AccountRecord,
  alias: string,
  value: string,
): Promise<AccountRecord> {
  return updateAccount(identity, account.id, (present) => {
    const { [alias]: key = value } = present.aliases;
    if (key !== value) throw new Refused('forbidden', { detail: 'The person has another key.' });
    return { ...present, aliases: { ...present.aliases, [alias]: value } };
  });
}

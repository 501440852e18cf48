/**
 * Accounts that a clinic's own portal signs in under an id of its own. The key is a second alias, unique by
 * index, and the only thing that links: finding a person by e-mail or username would be account take-over.
 */
import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
import { Refused } from './refusal.ts';
import { insertAccount, type NewAccountFields } from './register-account.ts';

/**
 * The account that was made under `key` in this organization, whatever its status, or a new one by `fresh`
 * (asked again when a name of its was taken meanwhile). First calls in parallel make one account; a deleted
 * account is followed by a new one. Refused('account-exists') when `fresh` insists on a name that is taken.
 */
export async function findOrCreateByKey(
  identity: Identity,
  wanted: {
    organization: string;
    dialect: string;
    key: string;
    fresh: () => Promise<NewAccountFields>;
  },
): Promise<{ account: AccountRecord; created: boolean }> {
  const { organization, dialect, key, fresh } = wanted;
  const alias = `${dialect}-sso`;
  const value = `${organization}\0${key}`;
  for (let tries = 0; tries < 10; tries += 1) {
    const present = await identity.stores.accounts.byAlias(alias, value);
    if (present !== undefined) return { account: present, created: false };
    const fields = await fresh();
    const account = { ...fields, aliases: { ...fields.aliases, [alias]: value } };
    const outcome = await insertAccount(identity, { organization, account });
    if ('account' in outcome) return { account: outcome.account, created: true };
  }
  throw new Refused('account-exists', { detail: 'A name of the new account is taken.' });
}

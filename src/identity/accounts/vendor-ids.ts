/** The ids by which vendors know an account: made when first needed, kept for life, unique by index. */
import { type RandomForm, randomText, randomUUID } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Identity } from '../context.ts';
import { updateAccount } from './update-account.ts';

/**
 * The account with its alias `name` and the members `mints` of `vendor[name]`, drawn now where they are
 * missing. Costs nothing when all are there. Does not move updatedAt. Parallel calls agree on one value.
 */
export async function ensureAlias(
  identity: Identity,
  account: AccountRecord,
  input: { name: string; form: RandomForm | 'uuid'; mints?: Readonly<Record<string, RandomForm>> },
): Promise<AccountRecord> {
  const { name, form, mints = {} } = input;
  const complete = (present: AccountRecord) =>
    present.aliases[name] !== undefined &&
    Object.keys(mints).every((member) => present.vendor[name]?.[member] !== undefined);
  const complement = (present: AccountRecord): AccountRecord => {
    const alias = present.aliases[name] ?? (form === 'uuid' ? randomUUID() : randomText(form));
    const minted = Object.entries(mints).map(([member, kind]) => [member, randomText(kind)]);
    const members = { ...Object.fromEntries(minted), ...present.vendor[name] };
    const vendor = Object.keys(mints).length === 0 ? present.vendor : { ...present.vendor, [name]: members };
    return { ...present, aliases: { ...present.aliases, [name]: alias }, vendor };
  };
  if (complete(account)) return account;
  for (let tries = 0; tries < 10; tries += 1) {
    try {
      const change = (present: AccountRecord) => (complete(present) ? null : complement(present));
      return await updateAccount(identity, account.id, change, { quiet: true });
    } catch (error) {
      // Another account drew the same value: once more.
      if (!(error instanceof Refused && error.reason === 'account-exists')) throw error;
    }
  }
  throw new Error(`No free alias '${name}' was found: its form has too few values.`);
}

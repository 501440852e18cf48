/** Changing an account: read, decide, compare-and-set, and again after a conflicting write. */
import { isDeepStrictEqual } from 'node:util';
import { Refused } from '../../core/refused.ts';
import { foldName, normalizeEmail } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Identity } from '../context.ts';

/** Writers of one account come in twos and threes; who loses so often is not unlucky but wrong. */
const TRIES = 50;

/**
 * `change` gets the present record and returns the wanted one, or null for no change; it may run more than
 * once and must not change what it is given. updatedAt moves when something changed, never with `quiet`
 * (changes that are not the person's: a rehash, a minted id). A username that is the address follows the
 * address, so that a former address is no sign-in name.
 * Refused('account-not-found') when it is gone, ('account-exists') when a new name is taken.
 */
export async function updateAccount(
  identity: Pick<Identity, 'stores' | 'clock'>,
  id: string,
  change: (account: AccountRecord) => AccountRecord | null,
  options: { quiet?: boolean } = {},
): Promise<AccountRecord> {
  const { accounts } = identity.stores;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const present = await accounts.byId(id);
    if (present === undefined) throw new Refused('account-not-found');
    const changed = change(structuredClone(present));
    if (changed === null) return present;
    const input = withNames(present, changed);
    if (isDeepStrictEqual(input, present)) return present;
    if (options.quiet !== true) input.updatedAt = identity.clock.now();
    const outcome = await accounts.update(input);
    if (outcome === 'updated') return { ...input, version: input.version + 1 };
    if (outcome === 'gone') throw new Refused('account-not-found');
    if (outcome !== 'conflict')
      throw new Refused('account-exists', { detail: `The ${outcome.taken} is taken.` });
  }
  throw new Error(`The account ${id} could not be changed: ${TRIES} conflicts in a row.`);
}

function withNames(present: AccountRecord, changed: AccountRecord): AccountRecord {
  const input = { ...changed, version: present.version };
  if (input.email !== undefined) input.email = normalizeEmail(input.email);
  const { email, username } = present;
  const followed = email !== undefined && username !== undefined && foldName(username) === foldName(email);
  if (followed && input.email !== email && input.username === username) {
    if (input.email === undefined) delete input.username;
    else input.username = input.email;
  }
  return input;
}

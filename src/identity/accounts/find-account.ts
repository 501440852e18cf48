/** Reading accounts. An account of another organization does not exist for a caller that names one. */
import type { AccountRecord } from '../../model/account.ts';
import type { LoginName } from '../../store/ports/accounts.ts';
import type { Identity } from '../context.ts';

/** Undefined: unknown, or of another organization than the one that is named. */
export async function findAccount(
  identity: Identity,
  input: { id: string; organization?: string },
): Promise<AccountRecord | undefined> {
  const account = await identity.stores.accounts.byId(input.id);
  if (input.organization !== undefined && account?.organization !== input.organization) return undefined;
  return account;
}

/** The account that a sign-in name leads to: tried as each of `by` in turn, compared folded. */
export function findByLogin(
  identity: Identity,
  { organization, login, by }: { organization: string; login: string; by: readonly LoginName[] },
): Promise<AccountRecord | undefined> {
  return identity.stores.accounts.byLogin(organization, login.trim(), by);
}

/** Few enough to be worked on at once, whatever the store; many enough to share a transaction. */
const BATCH = 50;

/** Every account of the organization, in order of id, batch by batch. */
export async function* accountBatches(
  identity: Identity,
  organization: string,
): AsyncIterable<readonly AccountRecord[]> {
  let after: string | undefined;
  while (true) {
    const batch = await identity.stores.accounts.page(organization, {
      limit: BATCH,
      ...(after !== undefined && { after }),
    });
    yield batch;
    if (batch.length < BATCH) return;
    after = batch.at(-1)?.id;
  }
}

/**
 * Reading accounts. An account of another organization does not exist for a caller that names one.
 */
import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';

/** Undefined: unknown, or of another organization than the one that is named. */
export async function findAccount(
  identity: Identity,
  wanted: { id: string; organization?: string },
): Promise<AccountRecord | undefined> {
  const account = await identity.stores.accounts.byId(wanted.id);
  if (wanted.organization !== undefined && account?.organization !== wanted.organization) return undefined;
  return account;
}

/** The account that a sign-in name leads to: tried as each of `by` in turn, compared folded. */
export async function findByLogin(
  identity: Identity,
  wanted: { organization: string; login: string; by: readonly ('email' | 'username')[] },
): Promise<AccountRecord | undefined> {
  const { accounts } = identity.stores;
  const login = wanted.login.trim();
  // All at once: the number of round trips must not tell which name was found.
  const found = await Promise.all(
    wanted.by.map((name) =>
      name === 'email'
        ? accounts.byEmail(wanted.organization, login)
        : accounts.byUsername(wanted.organization, login),
    ),
  );
  return found.find((account) => account !== undefined);
}

const PAGE = 200;

/** Every account of the organization, in order of id, read page by page. */
export async function* eachAccount(identity: Identity, organization: string): AsyncIterable<AccountRecord> {
  let after: string | undefined;
  while (true) {
    const page = await identity.stores.accounts.page(organization, {
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    yield* page;
    if (page.length < PAGE) return;
    after = page.at(-1)?.id;
  }
}

/** What an account has made itself and what it was sent: keys, links, codes, link tokens. */
import type { Identity } from '../context.ts';

/** Ends codes and link tokens that were emailed before. */
export async function endEmails(identity: Pick<Identity, 'stores'>, accountId: string): Promise<void> {
  const { codes, linkTokens } = identity.stores;
  await Promise.all([codes.removeByAccount(accountId), linkTokens.removeByAccount(accountId)]);
}

/** Ends grants, browser sessions and API keys, but for the grants of a client that is to keep them. */
export async function endAccess(
  identity: Identity,
  accountId: string,
  keep?: { readonly clientId: string },
): Promise<void> {
  await Promise.all([
    identity.access.endAll(accountId, keep),
    identity.stores.apiKeys.removeByAccount(accountId),
  ]);
}

/**
 * The same, and what apps were allowed. That comes last: a consent that is given meanwhile goes as well, or
 * finds that its session has ended.
 */
export async function endAccessForGood(
  identity: Identity,
  accountId: string,
  keep?: { readonly clientId: string },
): Promise<void> {
  await endAccess(identity, accountId, keep);
  await identity.access.forgetConsents(accountId);
}

/** What an operator does for a person who has lost every factor, recovery codes included. */
import type { Identity, RequestContext } from '../context.ts';
import { changeFactors } from './change-factors.ts';

/**
 * Removes all of them, app passwords and remembered browsers included, and ends every sign-in: one of them may
 * have been made with the lost factor. The password stays. False: there was none. Refused('account-not-found').
 */
export async function resetFactors(
  identity: Identity,
  { accountId, context }: { accountId: string; context: RequestContext },
): Promise<boolean> {
  const reset = await changeFactors(identity, {
    ...{ accountId, context, event: 'factor.reset' },
    change: (factors) => (Object.keys(factors).length === 0 ? null : {}),
  });
  if (reset !== undefined) await identity.access.endAll(accountId);
  return reset !== undefined;
}

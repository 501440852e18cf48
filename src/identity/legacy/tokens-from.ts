/** What ends all of an account's access also ends the tokens that a legacy system made for it, learned or not. */
import { Refused } from '../../core/refused.ts';
import { knownAt } from '../accounts/password-authority.ts';
import { updateAccount } from '../accounts/update-account.ts';
import type { AccessEnder, Identity } from '../context.ts';

type Noting = Pick<Identity, 'stores' | 'clock' | 'legacy'>;

/** `access`, after which no token of before is adopted any more. Accounts that no legacy system may know are left alone. */
export function endingLegacyTokens(access: AccessEnder, identity: Noting): AccessEnder {
  return {
    ...access,
    async endAll(accountId, keep) {
      await noteTokensFrom(identity, accountId);
      await access.endAll(accountId, keep);
    },
  };
}

/** First: an adoption under way looks for it when it is done. */
async function noteTokensFrom(identity: Noting, accountId: string): Promise<void> {
  const tokensFrom = identity.clock.now().toISOString();
  try {
    await updateAccount(
      identity,
      accountId,
      (account) => (knownAt(account, identity.legacy).length === 0 ? null : { ...account, tokensFrom }),
      { quiet: true },
    );
  } catch (error) {
    // It is gone already.
    if (!(error instanceof Refused) || error.reason !== 'account-not-found') throw error;
  }
}

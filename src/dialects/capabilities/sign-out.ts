/** Ending sign-ins, and accounts. */
import { deleteAccount } from '../../identity/accounts/delete-account.ts';
import type { Use } from '../contract/use.ts';
import type { Bound } from './scope.ts';

export function endingUses(bound: Bound): Pick<Use, 'endSignIn' | 'endGrant' | 'deleteAccount'> {
  const { services, mounted } = bound;
  const { grants } = services.oidc;
  return {
    async endSignIn(token, options = {}) {
      const grant = await grants.grantOf(token, mounted.clientId);
      if (grant === undefined) return false;
      if (options.owner !== undefined && options.owner !== grant.accountId) return false;
      await grants.endGrant(grant.grantId);
      bound.did('sign-out', grant.accountId);
      return true;
    },
    async endGrant(grantId) {
      await grants.endGrant(grantId);
      bound.did('sign-out', bound.exchange.caller?.account?.id ?? '');
    },
    async deleteAccount(accountId) {
      const account = await bound.need(accountId);
      await deleteAccount(bound.identity, { accountId: account.id, context: bound.context });
    },
  };
}

/** Ending sign-ins. */
import type { SignOutUse } from '../contract/use.ts';
import type { Bound } from './scope.ts';

export function signOutUse(bound: Bound): SignOutUse {
  const { services, mounted } = bound;
  const { grants } = services.oidc;
  return {
    async byToken(token, options = {}) {
      const grant = await grants.grantOf(token, mounted.clientId);
      if (grant === undefined) return false;
      if (options.owner !== undefined && options.owner !== grant.accountId) return false;
      await grants.endGrant(grant.grantId);
      bound.did('logout', grant.accountId);
      return true;
    },
    async byGrant(grantId) {
      await grants.endGrant(grantId);
      bound.did('logout', bound.exchange.caller?.account?.id ?? '');
    },
  };
}

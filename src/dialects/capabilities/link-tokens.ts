/** What a link from an email is good for: it proves the address, or sets a new password. */

import { type LinkTokenView, RESET, readLinkToken } from '../../identity/codes/link-token.ts';
import { confirmAddress } from '../../identity/self-service/confirm-email.ts';
import { resetPassword } from '../../identity/self-service/reset-password.ts';
import { Refused } from '../contract/dialect.ts';
import type { LinkTokensUse } from '../contract/use.ts';
import type { Bound } from './scope.ts';

async function holder(bound: Bound, linkToken: LinkTokenView | undefined) {
  if (linkToken === undefined || linkToken.account.status !== 'active') return undefined;
  return (await bound.adopt(linkToken.account)) ? bound.viewIfKnown(linkToken.account) : undefined;
}

export function linkTokensUse(bound: Bound): LinkTokensUse {
  const { identity, exchange } = bound;
  const asked = (token: string, purpose: string) => {
    const organization = exchange.organization?.id;
    const input = { token, purpose };
    return organization === undefined ? input : { ...input, organization };
  };
  const read = async (token: string, purpose: string) =>
    holder(bound, await readLinkToken(identity, asked(token, purpose)));
  return {
    read,
    async confirmAddress(token, purpose) {
      const { clientId } = bound.mounted;
      const result = await read(token, purpose);
      const account = result && (await confirmAddress(identity, { ...asked(token, purpose), clientId }));
      if (account === undefined) throw new Refused('link-token-refused');
      bound.did('link-token.spend', account.id, { purpose });
      return bound.view(account);
    },
    async resetPassword(token, password, { minimum }) {
      const link = asked(token, RESET);
      const result = await read(token, RESET);
      const account = result && (await resetPassword(identity, { ...link, password, minimum }));
      if (account === undefined) throw new Refused('link-token-refused');
      bound.did('password.set', account.id);
      return bound.view(account);
    },
  };
}

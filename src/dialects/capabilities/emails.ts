/** Codes and links by email. They go out after the reply; what goes wrong with one is logged, never told. */

import { type LinkTokenView, RESET, readLinkToken, sendLinkToken } from '../../identity/codes/link-token.ts';
import { sendCode } from '../../identity/codes/one-time-code.ts';
import { nobodyIn } from '../../identity/emails/send-email.ts';
import { CONFIRMS, confirmAddress } from '../../identity/self-service/confirm-email.ts';
import { resetPassword } from '../../identity/self-service/reset-password.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { Use } from '../contract/use.ts';
import type { Bound } from './scope.ts';

type Emails = Pick<
  Use,
  'sendCode' | 'sendLinkToken' | 'readLinkToken' | 'confirmAddress' | 'resetPassword' | 'notify'
>;

async function holder(bound: Bound, linkToken: LinkTokenView | undefined) {
  if (linkToken === undefined || linkToken.account.status !== 'active') return undefined;
  return (await bound.adopt(linkToken.account)) ? bound.viewIfKnown(linkToken.account) : undefined;
}

/** Looked up also where there is nobody, which takes the same time. */
function addressee(bound: Bound, account: AccountView | undefined) {
  return bound.find(account?.id ?? 'nobody');
}

export function emailUses(bound: Bound): Emails {
  const { identity, exchange } = bound;
  const asked = (token: string, purpose: string) => {
    const organization = exchange.organization?.id;
    const input = { token, purpose };
    return organization === undefined ? input : { ...input, organization };
  };
  const read = async (token: string, purpose: string) =>
    holder(bound, await readLinkToken(identity, asked(token, purpose)));
  return {
    async sendCode(input) {
      const account = await addressee(bound, input.account);
      const asker = { address: bound.context.address };
      await sendCode(identity, { ...input, account: account ?? nobodyIn(bound.organization().id), asker });
      if (account !== undefined) bound.did('code.send', account.id);
    },
    async sendLinkToken({ confirms, ...input }) {
      const account = await addressee(bound, input.account);
      await sendLinkToken(identity, {
        ...input,
        account: account ?? nobodyIn(bound.organization().id),
        ...(confirms === true && { data: CONFIRMS }),
      });
      if (account !== undefined) bound.did('ticket.send', account.id, { purpose: input.purpose });
    },
    readLinkToken: read,
    async confirmAddress(token, purpose) {
      const { clientId } = bound.mounted;
      const result = await read(token, purpose);
      const account = result && (await confirmAddress(identity, { ...asked(token, purpose), clientId }));
      if (account === undefined) throw new Refused('link-token-refused');
      bound.did('ticket.spend', account.id, { purpose });
      return bound.view(account);
    },
    async resetPassword(token, password, { minimum }) {
      const link = asked(token, RESET);
      const result = await read(token, RESET);
      const account = result && (await resetPassword(identity, { ...link, password, minimum }));
      if (account === undefined) throw new Refused('link-token-refused');
      bound.did('password.change', account.id);
      return bound.view(account);
    },
    notify(account, email) {
      if (account.email === undefined) return;
      const { locale } = account.claims;
      identity.mailer.send({
        name: email,
        to: account.email,
        ...(locale === undefined ? {} : { locale }),
        organization: account.organization,
        data: {},
      });
    },
  };
}

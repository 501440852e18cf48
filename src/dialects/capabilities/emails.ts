/** Codes and links by email. They go out after the reply; what goes wrong with one is logged, and no client sees it. */

import { sendLinkToken } from '../../identity/codes/link-token.ts';
import { sendCode } from '../../identity/codes/one-time-code.ts';
import { absentAccountIn } from '../../identity/emails/send-email.ts';
import { CONFIRMS } from '../../identity/self-service/confirm-email.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { EmailsUse } from '../contract/use.ts';
import type { Bound } from './scope.ts';

/** Looks up an account also where there is none, so that both take the same time. */
function addressee(bound: Bound, account: AccountView | undefined) {
  return bound.find(account?.id ?? 'nobody');
}

export function emailsUse(bound: Bound): EmailsUse {
  const { identity } = bound;
  return {
    async sendCode(input) {
      const account = await addressee(bound, input.account);
      const asker = { address: bound.context.address };
      await sendCode(identity, {
        ...input,
        account: account ?? absentAccountIn(bound.organization().id),
        asker,
      });
      if (account !== undefined) bound.did('code.send', account.id);
    },
    async sendLinkToken({ confirms, ...input }) {
      const account = await addressee(bound, input.account);
      await sendLinkToken(identity, {
        ...input,
        account: account ?? absentAccountIn(bound.organization().id),
        ...(confirms === true && { data: CONFIRMS }),
      });
      if (account !== undefined) bound.did('link-token.send', account.id, { purpose: input.purpose });
    },
  };
}

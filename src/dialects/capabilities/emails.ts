/**
 * Codes and links by email, and what a link is good for: it proves the address, or sets a new password. Emails go
 * out after the reply; what goes wrong with one is logged, and no client sees it.
 */
import { type LinkTokenView, RESET, readLinkToken, sendLinkToken } from '../../identity/codes/link-token.ts';
import { sendCode } from '../../identity/codes/one-time-code.ts';
import { absentAccountIn } from '../../identity/emails/send-email.ts';
import { letLegacyWrite } from '../../identity/legacy/ask-code.ts';
import { isLegacyLink, setPasswordThere, verifyAddressThere } from '../../identity/legacy/ask-link.ts';
import { CONFIRMS, confirmAddress } from '../../identity/self-service/confirm-email.ts';
import { resetPassword } from '../../identity/self-service/reset-password.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { EmailsUse, LinkTokensUse } from '../contract/use.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { adopt, did, find, organizationOf, viewIfKnown } from './scope.ts';

/** Looks up an account also where there is none, so that both take the same time. */
function addressee(current: CurrentRequest, account: AccountView | undefined) {
  return find(current, account?.id ?? 'nobody');
}

export function emailsUse(current: CurrentRequest): EmailsUse {
  const { identity, context } = current;
  return {
    async sendCode({ named, ...input }) {
      const account = await addressee(current, input.account);
      const asker = { address: context.address };
      const to = account ?? absentAccountIn(organizationOf(current).id);
      await sendCode(identity, { ...input, account: to, asker });
      if (account !== undefined) did(current, 'code.send', account.id);
      else letLegacyWrite(identity, 'sendCode', { organization: to.organization, ...named, context });
    },
    async sendLinkToken({ confirms, named, ...input }) {
      const account = await addressee(current, input.account);
      const to = account ?? absentAccountIn(organizationOf(current).id);
      await sendLinkToken(identity, { ...input, account: to, ...(confirms && { data: CONFIRMS }) });
      if (account !== undefined) did(current, 'link-token.send', account.id, { purpose: input.purpose });
      else if (named !== undefined)
        letLegacyWrite(identity, 'reset', { organization: to.organization, ...named, context });
    },
  };
}

async function holder(current: CurrentRequest, link: LinkTokenView | undefined) {
  if (link === undefined || !(await adopt(current, link.account))) return undefined;
  return viewIfKnown(current, link.account);
}

export function linkTokensUse(current: CurrentRequest): LinkTokensUse {
  const { identity, mounted } = current;
  const asked = (token: string, purpose: string) => {
    const input = { token, purpose };
    return current.organization ? { ...input, organization: current.organization.id } : input;
  };
  // Where the request names no organization, the link is taken for one of the dialect's own.
  const { organization: own = { id: String(mounted.settings.organization) } } = current;
  const foreign = (token: string) => ({ organization: own.id, token, context: current.context });
  const read = async (token: string, purpose: string) =>
    holder(current, await readLinkToken(identity, asked(token, purpose)));
  return {
    read,
    async confirmAddress(token, purpose) {
      const { clientId } = mounted;
      if ((await read(token, purpose)) === undefined) return verifyAddressThere(identity, foreign(token));
      const account = await confirmAddress(identity, { ...asked(token, purpose), clientId });
      if (account === undefined) throw new Refused('link-token-refused');
      did(current, 'link-token.spend', account.id, { purpose });
    },
    async resetPassword(token, password, { minimum }) {
      const link = asked(token, RESET);
      if ((await read(token, RESET)) === undefined)
        return setPasswordThere(identity, { ...foreign(token), password });
      const account = await resetPassword(identity, { ...link, password, minimum });
      if (account === undefined) throw new Refused('link-token-refused');
      did(current, 'password.set', account.id);
    },
    isLegacy: (token) => isLegacyLink(identity, foreign(token)),
  };
}

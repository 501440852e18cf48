/** Codes and links by letter. They go out after the reply; what goes wrong with one is logged, never told. */

import type { TicketView } from '../../identity/codes/link-token.ts';
import { RESET, readTicket, sendTicket } from '../../identity/codes/link-token.ts';
import { sendCode } from '../../identity/codes/one-time-code.ts';
import { nobodyIn } from '../../identity/emails/send-email.ts';
import { CONFIRMS, confirmAddress } from '../../identity/self-service/confirm-email.ts';
import { resetPassword } from '../../identity/self-service/reset-password.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { Use } from '../contract/use.ts';
import type { Bound } from './scope.ts';

type Letters = Pick<
  Use,
  'sendCode' | 'sendTicket' | 'readTicket' | 'confirmAddress' | 'resetPassword' | 'notify'
>;

async function holder(bound: Bound, ticket: TicketView | undefined) {
  if (ticket === undefined || ticket.account.status !== 'active') return undefined;
  return (await bound.adopt(ticket.account)) ? bound.viewIfKnown(ticket.account) : undefined;
}

/** Looked up also where there is nobody, which takes the same time. */
function addressee(bound: Bound, account: AccountView | undefined) {
  return bound.find(account?.id ?? 'nobody');
}

export function letterUses(bound: Bound): Letters {
  const { identity, exchange } = bound;
  const asked = (token: string, purpose: string) => {
    const organization = exchange.organization?.id;
    const wanted = { token, purpose };
    return organization === undefined ? wanted : { ...wanted, organization };
  };
  const read = async (token: string, purpose: string) =>
    holder(bound, await readTicket(identity, asked(token, purpose)));
  return {
    async sendCode(wanted) {
      const account = await addressee(bound, wanted.account);
      const asker = { address: bound.origin.address };
      await sendCode(identity, { ...wanted, account: account ?? nobodyIn(bound.organization().id), asker });
      if (account !== undefined) bound.did('code.send', account.id);
    },
    async sendTicket({ confirms, ...wanted }) {
      const account = await addressee(bound, wanted.account);
      await sendTicket(identity, {
        ...wanted,
        account: account ?? nobodyIn(bound.organization().id),
        ...(confirms === true && { data: CONFIRMS }),
      });
      if (account !== undefined) bound.did('ticket.send', account.id, { purpose: wanted.purpose });
    },
    readTicket: read,
    async confirmAddress(token, purpose) {
      const { clientId } = bound.mounted;
      const found = await read(token, purpose);
      const account = found && (await confirmAddress(identity, { ...asked(token, purpose), clientId }));
      if (account === undefined) throw new Refused('ticket-refused');
      bound.did('ticket.spend', account.id, { purpose });
      return bound.view(account);
    },
    async resetPassword(token, password, { minimum }) {
      const link = asked(token, RESET);
      const found = await read(token, RESET);
      const account = found && (await resetPassword(identity, { ...link, password, minimum }));
      if (account === undefined) throw new Refused('ticket-refused');
      bound.did('password.change', account.id);
      return bound.view(account);
    },
    notify(account, letter) {
      if (account.email === undefined) return;
      const { locale } = account.claims;
      identity.mailer.send({
        name: letter,
        to: account.email,
        ...(locale === undefined ? {} : { locale }),
        organization: account.organization,
        data: {},
      });
    },
  };
}

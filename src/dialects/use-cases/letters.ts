/** Codes and links by letter. They go out after the reply; what goes wrong with one is logged, never told. */
import { pretendLetter, sendCode } from '../../identity/codes.ts';
import { readTicket, sendTicket, spendTicket, type TicketView } from '../../identity/tickets.ts';
import type { Use } from '../dialect.ts';
import type { Bound } from './binding.ts';

type Letters = Pick<
  Use,
  'sendCode' | 'sendTicket' | 'readTicket' | 'spendTicket' | 'pretendLetter' | 'notify'
>;

async function holder(bound: Bound, ticket: TicketView | undefined) {
  if (ticket === undefined || ticket.account.status !== 'active') return undefined;
  return (await bound.adopt(ticket.account)) ? bound.viewIfKnown(ticket.account) : undefined;
}

export function letterUses(bound: Bound): Letters {
  const { identity, exchange } = bound;
  const asked = (token: string, purpose: string) => {
    const organization = exchange.organization?.id;
    const wanted = { token, purpose };
    return organization === undefined ? wanted : { ...wanted, organization };
  };
  return {
    async sendCode(wanted) {
      const account = await bound.find(wanted.account.id);
      if (account === undefined) return;
      await sendCode(identity, { ...wanted, account, asker: { address: bound.origin.address } });
      bound.did('code.send', account.id);
    },
    async sendTicket(wanted) {
      const account = await bound.find(wanted.account.id);
      if (account === undefined) return;
      await sendTicket(identity, { ...wanted, account });
      bound.did('ticket.send', account.id, { purpose: wanted.purpose });
    },
    readTicket: async (token, purpose) => holder(bound, await readTicket(identity, asked(token, purpose))),
    async spendTicket(token, purpose) {
      const account = await holder(bound, await spendTicket(identity, asked(token, purpose)));
      if (account !== undefined) bound.did('ticket.spend', account.id, { purpose });
      return account;
    },
    pretendLetter: () => pretendLetter(identity, { quota: { limit: 1, window: 1 } }),
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

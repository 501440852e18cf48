/** Letters that journeys begin with. */
import { sendTicket } from '../../src/identity/tickets.ts';
import type { TestServer } from '../support/server.ts';

/** Sends the letter that a forgotten password causes; resolves once it is on its way. */
export async function resetPasswordLetterTo(server: TestServer, email: string): Promise<void> {
  const { identity, stores } = server.running;
  const account = await stores.accounts.byEmail('default', email);
  if (account === undefined) throw new Error(`${email} is not there.`);
  await sendTicket(identity, {
    account,
    purpose: 'reset',
    prefix: 'rst_',
    lifetime: 3600,
    link: `${server.issuer}/reset?token={token}`,
    letter: 'reset-link',
    supersedes: true,
  });
}

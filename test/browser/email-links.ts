/** Emails that journeys begin with, and what people take out of them. */
import { PURPOSE } from '../../src/dialects/medisync/verification.ts';
import { sendLinkToken } from '../../src/identity/codes/link-token.ts';
import type { TestServer } from '../support/server.ts';

/** Sends the email that a forgotten password causes; resolves once it is on its way. */
export async function resetPasswordEmailTo(server: TestServer, email: string): Promise<void> {
  const { identity, stores } = server.running;
  const account = await stores.accounts.byEmail('default', email);
  if (account === undefined) throw new Error(`${email} is not there.`);
  await sendLinkToken(identity, {
    account,
    purpose: 'reset',
    prefix: 'rst_',
    lifetime: 3600,
    link: `${server.issuer}/reset?token={token}`,
    email: 'reset-link',
    supersedes: true,
  });
}

/** The link by which MediSync has an address confirmed, from the email. */
export async function verificationLink(server: TestServer, email: string): Promise<string> {
  const { identity, stores } = server.running;
  const account = await stores.accounts.byEmail('default', email);
  if (account === undefined) throw new Error(`${email} is not there.`);
  await sendLinkToken(identity, {
    account,
    purpose: PURPOSE,
    prefix: 'vt_',
    lifetime: 3600,
    link: `${server.issuer}/api/verification/verify?token={token}`,
    email: 'verify-address',
    supersedes: true,
  });
  const { text } = await server.mail.take(email);
  return /https?:\/\/\S+\/verify\?token=\S+/.exec(text)?.[0] ?? '';
}

/** The six digits of the newest email to the address that nobody has read; waits for it. */
export async function codeFor(server: TestServer, email: string): Promise<string> {
  const { text } = await server.mail.take(email);
  const code = /\b\d{6}\b/.exec(text)?.[0];
  if (code === undefined) throw new Error(`No code in:\n${text}`);
  return code;
}

/** The reset link of such an email. */
export async function resetLinkFor(server: TestServer, email: string): Promise<string> {
  const { text } = await server.mail.take(email);
  const link = /https?:\/\/\S+\/reset\?token=\S+/.exec(text)?.[0];
  if (link === undefined) throw new Error(`No link in:\n${text}`);
  return link;
}

/** The subject of such an email. */
export async function subjectFor(server: TestServer, email: string): Promise<string> {
  return (await server.mail.take(email)).subject;
}

/** What ends at Apple when it ends here, and what ends here when Apple says so. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { generateKeyPair } from 'jose';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { linkIdentity, unlinkIdentity } from '../../src/identity/upstream/link-identity.ts';
import { type Channel, openChannel } from '../browser/sign-in-methods/sign-in-server.ts';
import { eventually } from '../support/in-time.ts';
import type { SignOptions, TestUpstream } from '../support/upstream.ts';

const DAY = 86_400;
const context = { address: '203.0.113.7', requestId: 'test', clientId: 'portico', channel: 'hosted' };

describe('what Apple is told, and tells', () => {
  let channel: Channel;
  let apple: TestUpstream;
  before(async () => {
    channel = await openChannel();
    apple = channel.server.upstream;
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, registration: true });
  });
  after(() => channel.close());

  const running = () => channel.server.running;
  const deliveries = () => running().stores.deliveries.list(new Date(), { limit: 100 });
  const linksOf = async (accountId: string) =>
    (await running().stores.identities.listByAccount(accountId)).map(({ subject }) => subject);
  const audited = async (subject: string, event: string) =>
    (await running().stores.audit.latest({ limit: 100, subject, event })).map(({ detail }) => detail);

  /** Signs in with Apple. The last token of Apple's is this person's. */
  async function signedIn(sub: string, claims: Record<string, unknown> = { email: `${sub}@icloud.com` }) {
    const visit = await (await channel.begin()).with('apple', { sub, email_verified: 'true', ...claims });
    const { sub: accountId } = await visit.claims();
    return { visit, accountId: String(accountId), token: apple.given.at(-1) ?? '' };
  }

  const keptTokens = async () => {
    const { payloads } = await running().stores.oidcRecords.payloads({ limit: 10_000 });
    return payloads.filter(({ kind }) => kind === 'UpstreamToken').length;
  };

  it('N20 N13 revokes the token when the account is deleted, however long Apple is away', async () => {
    const first = await signedIn('deleted');
    const { accountId, token } = await signedIn('deleted');
    expect(accountId).to.equal(first.accountId);
    expect(await keptTokens(), 'one, encrypted where a rotation of the server key finds it').to.equal(1);
    apple.setDown(true);
    await deleteAccount(running().identity, { accountId, context });
    await eventually(async () => expect((await deliveries())[0]?.problem).to.be.a('string'));
    expect(apple.revoked).to.deep.equal([]);
    apple.setDown(false);
    channel.later(10);
    await eventually(() => expect(apple.revoked).to.deep.equal([token]));
    await eventually(async () => expect([await deliveries(), await keptTokens()]).to.deep.equal([[], 0]));
    await eventually(async () => {
      const [detail] = await audited(accountId, 'upstream-token.revoke');
      expect(detail).to.include({ provider: 'apple', tries: 2 });
    });
    const file = readFileSync(path.join(channel.server.folder, 'portico.db'));
    for (const secret of [token, first.token]) {
      expect(file.includes(secret), 'in the store').to.equal(false);
      expect(channel.server.logText(), 'in the log').to.not.contain(secret);
    }
  });

  it('N20 revokes the token when the link ends, and not the one of the next link', async () => {
    const { accountId, token } = await signedIn('unlinked');
    const link = { accountId, issuer: apple.issuers.apple, subject: 'unlinked' };
    apple.setDown(true);
    await unlinkIdentity(running().identity, { ...link, context });
    expect(await linksOf(accountId)).to.deep.equal([]);
    apple.setDown(false);
    const again = await signedIn('unlinked');
    expect(again.accountId).to.equal(accountId);
    channel.later(10);
    await eventually(() => expect(apple.revoked).to.include(token));
    await eventually(async () => expect(await deliveries()).to.deep.equal([]));
    expect(apple.revoked).to.not.include(again.token);
    expect(await keptTokens()).to.equal(1);
  });

  /* -------------------------------------------------------------- notifications */

  const now = () => Math.floor(Date.now() / 1000);
  let notices = 0;

  /** As Apple signs one; `claims` may change it. */
  function notice(event: unknown, claims: Record<string, unknown> = {}, sign?: SignOptions): Promise<string> {
    notices += 1;
    const events = JSON.stringify(event);
    const own = { sub: undefined, jti: `notice-${notices}`, events, exp: now() + DAY };
    return apple.signIdToken('apple', { ...own, ...claims }, sign);
  }

  async function post(payload: unknown, provider = 'apple'): Promise<number> {
    const reply = await fetch(`${channel.server.url}/federation/${provider}/notifications`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof payload === 'string' && payload.startsWith('{') ? payload : JSON.stringify({ payload }),
    });
    await reply.arrayBuffer();
    return reply.status;
  }

  const eventOf = (type: string, sub: string) => ({ type, sub, event_time: Date.now() });
  const goesOn = async ({ visit }: Awaited<ReturnType<typeof signedIn>>) =>
    typeof (await channel.begin({}, visit.session)).at === 'string';

  it('N20 ends the link and the sign-ins that Apple’s person ended there, once', async () => {
    const person = await signedIn('revoked');
    const { accountId, token } = person;
    expect(await goesOn(person)).to.equal(true);
    const told = await notice(eventOf('consent-revoked', 'revoked'));
    expect(await post(told)).to.equal(200);
    expect(await linksOf(accountId)).to.deep.equal([]);
    expect(await goesOn(person), 'single sign-on').to.equal(false);
    expect((await running().stores.accounts.byId(accountId))?.status, 'the account stays').to.equal('active');
    // The person comes back, and the old notice comes again; so does another one of that time.
    const back = await signedIn('revoked');
    expect(back.accountId).to.equal(accountId);
    const old = await notice(eventOf('consent-revoked', 'revoked'), { iat: now() - 600 });
    for (const again of [told, told, old]) expect(await post(again)).to.equal(200);
    expect(await linksOf(accountId)).to.deep.equal(['revoked']);
    expect(await goesOn(back)).to.equal(true);
    await eventually(async () =>
      expect(await audited(accountId, 'identity.notice')).to.deep.equal([
        { channel: 'hosted', issuer: apple.issuers.apple, notice: 'consent-revoked' },
      ]),
    );
    expect(apple.revoked, 'what Apple ended itself').to.not.include(token);
  });

  it('N20 keeps the only way in for who may consent again, and not for an Apple account that is gone', async () => {
    const person = await signedIn('only-apple', {});
    const { accountId } = person;
    // Beside it one of an upstream that is switched off, which is no way in.
    const off = { accountId, issuer: 'https://off.test', subject: 'off' };
    await linkIdentity(running().identity, off);
    expect(await post(await notice(eventOf('consent-revoked', 'only-apple')))).to.equal(200);
    expect(await linksOf(accountId)).to.have.members(['only-apple', 'off']);
    await unlinkIdentity(running().identity, off);
    expect(await goesOn(person)).to.equal(false);
    expect((await signedIn('only-apple', {})).accountId).to.equal(accountId);
    expect(await post(await notice(eventOf('account-delete', 'only-apple')))).to.equal(200);
    expect(await linksOf(accountId)).to.deep.equal([]);
  });

  it('N20 notes what Apple says of forwarded emails, and takes what it does not know', async () => {
    const person = await signedIn('relay');
    const { accountId } = person;
    for (const type of ['email-disabled', 'email-enabled', 'anything-new'])
      expect(await post(await notice(eventOf(type, 'relay')))).to.equal(200);
    expect(await post(await notice(eventOf('consent-revoked', 'of-another-app')))).to.equal(200);
    await eventually(async () =>
      expect((await audited(accountId, 'identity.notice')).map((detail) => detail?.notice)).to.deep.equal([
        'email-enabled',
        'email-disabled',
      ]),
    );
    expect([await linksOf(accountId), await goesOn(person)]).to.deep.equal([['relay'], true]);
  });

  it('N20 believes Apple’s signature alone: for this app, of today, about an event', async () => {
    const person = await signedIn('hostile');
    const { accountId } = person;
    const event = eventOf('account-delete', 'hostile');
    const { privateKey } = await generateKeyPair('RS256');
    const { issuer, subject } = { issuer: 'https://idp.test', subject: 'hostile' };
    await linkIdentity(running().identity, { accountId, issuer, subject });
    const [head = '', body = '', signature = ''] = (await notice(event)).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const refused: Record<string, unknown> = {
      'for another app': await notice(event, { aud: 'another-app' }),
      'for two apps': await notice(event, { aud: [apple.clients.apple.clientId, 'another-app'] }),
      'by another issuer': await notice(event, { iss: apple.issuers.google }),
      'by another key': await notice(event, {}, { key: privateKey }),
      'by a key that Apple does not have': await notice(event, {}, { header: { kid: 'unknown' } }),
      'two days old': await notice(event, { iat: now() - 2 * DAY }),
      over: await notice(event, { exp: now() - 120 }),
      'of no time': await notice(event, { iat: undefined }),
      'without a name': await notice(event, { jti: undefined }),
      'of another kind': await notice(event, {}, { header: { typ: 'logout+jwt' } }),
      'without a signature': `${head}.${body}.`,
      'alg none': `${none}.${body}.`,
      changed: `${head}.${Buffer.from(JSON.stringify({ ...event })).toString('base64url')}.${signature}`,
      'an ID token': await apple.signIdToken('apple', { sub: 'hostile' }),
      'about no event': await notice(undefined, { events: 'account-delete' }),
      'about no person': await notice({ type: 'account-delete' }),
      'no token': 'account-delete',
      'no text': 7,
      'no member': '{"events":{}}',
      'no JSON': '{"payload":',
    };
    for (const [what, payload] of Object.entries(refused)) expect(await post(payload), what).to.equal(400);
    expect(await post('x'.repeat(20_000))).to.equal(413);
    expect(await post(await notice(event), 'google')).to.equal(404);
    expect(await post(await notice(event), 'nobody')).to.equal(404);
    expect([await linksOf(accountId), await goesOn(person)]).to.deep.equal([['hostile', 'hostile'], true]);
    // The same subject at another upstream is another person.
    expect(await post(await notice(event))).to.equal(200);
    const links = await running().stores.identities.listByAccount(accountId);
    expect(links.map((link) => link.issuer)).to.deep.equal(['https://idp.test']);
  });
});

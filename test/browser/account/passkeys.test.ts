/** Passkeys on my account, by forms alone: the authenticator is in memory. */
import { expect } from 'chai';
import { passkeysOf } from '../../../src/model/factors.ts';
import { type Authenticator, createAuthenticator, passkeyOptions } from '../../support/authenticator.ts';
import { AT_A_HOST } from '../../support/passkeys.ts';
import { type AccountWorld, alertOf, DOCTOR, MARA, pathOf, startAccountWorld } from './account-world.ts';

const LIST = '/account/factors';

describe('the passkeys on my account', () => {
  let world: AccountWorld;
  let mara: Authenticator;
  let doctor: Authenticator;
  let moved = 0;
  const clock = { now: () => new Date(Date.now() + moved) };
  before(async () => {
    world = await startAccountWorld({ config: AT_A_HOST, clock });
    mara = createAuthenticator({ origin: world.server.issuer, synced: true });
    doctor = createAuthenticator({ origin: world.server.issuer });
  });
  after(() => world.server.close());

  const asked = (body: string) => passkeyOptions(body, 'creation');

  it('N3 N6 N9 the first one brings ten recovery codes, is told by email, and is listed with its name and last use', async () => {
    const visitor = await world.signedIn(MARA);
    const list = await visitor.open(LIST);
    expect(list.body).to.contain('<noscript>').and.contain('name="name"');
    const options = JSON.parse(asked(list.body));
    expect(options).to.deep.include({ attestation: 'none', excludeCredentials: [] });
    expect(options.authenticatorSelection).to.deep.include({
      residentKey: 'required',
      userVerification: 'required',
    });
    expect(options.user.name).to.equal(MARA.login);
    const name = '<Work> phone';
    const response = mara.create(asked(list.body));
    const done = await visitor.send(list, `${LIST}/passkeys`, { response, name });
    expect(pathOf(done)).to.equal(LIST);
    expect(done.body.match(/<li><code>/g)).to.have.length(10);
    expect(done.body)
      .to.contain('&lt;Work&gt; phone')
      .and.contain('never used')
      .and.contain('Synced to your other devices');
    const { subject } = await world.server.mail.take(MARA.login);
    expect(subject).to.equal('Added to your account: a passkey');
    // From now on a change takes a sign-in with it; the form that was sent once more leads there.
    const again = await visitor.send(list, `${LIST}/passkeys`, { response, name });
    expect(pathOf(again)).to.match(/^\/interaction\//);
    expect(passkeysOf(await world.account(MARA.login))).to.have.length(1);
  });

  it('N3 the answer to another person’s page, or to another browser’s, is refused in words, and the page goes on', async () => {
    const stranger = createAuthenticator({ origin: world.server.issuer });
    const mine = await world.signedIn(DOCTOR);
    const other = await world.signedIn(DOCTOR, '203.0.113.8');
    let page = await mine.open(LIST);
    const cases: [string, string][] = [
      [stranger.create(asked((await other.open(LIST)).body)), 'not the newest'],
      [stranger.create(asked(page.body), { origin: 'http://localhost' }), 'was not accepted'],
      [stranger.create(asked(page.body), { rpId: 'example.test' }), 'was not accepted'],
      [stranger.create(asked(page.body), { verified: false }), 'did not check that it is you'],
      [
        stranger.create(asked(page.body), {
          id: passkeysOf(await world.account(MARA.login))[0]?.id ?? '',
        }),
        'another account',
      ],
    ];
    for (const [response, words] of cases) {
      page = await mine.send(page, `${LIST}/passkeys`, { response, name: 'kept' });
      expect(page.status).to.equal(400);
      expect(alertOf(page), words).to.contain(words);
    }
    page = await mine.send(page, `${LIST}/passkeys`, { response: doctor.create(asked(page.body)) });
    expect(page.body).to.contain('<strong>Passkey 1</strong>');
    expect((await world.account(DOCTOR.login)).factors?.recoveryCodes).to.have.length(10);
  });

  it('N9 one is added or removed soon after a sign-in with it, and the last one takes the recovery codes along', async () => {
    const visitor = world.visitor();
    const signIn = async () => {
      const asks = await visitor.signIn(MARA);
      expect(asks.body).to.contain('data-request=').and.not.contain('data-autofill');
      const { origin, pathname } = new URL(asks.url);
      expect(origin).to.equal(world.server.issuer);
      return visitor.send(asks, `${pathname}/passkey`, { response: mara.get(passkeyOptions(asks.body)) });
    };
    await signIn();
    const list = await visitor.open(LIST);
    expect(list.body).to.contain('last used').and.contain('/passkeys/remove');
    expect(JSON.parse(asked(list.body)).excludeCredentials).to.deep.equal([
      { id: mara.ids[0], type: 'public-key', transports: ['internal'] },
    ]);
    moved += 11 * 60_000;
    const late = await visitor.open(LIST);
    expect(late.body).to.not.contain('data-creation').and.not.contain('/passkeys/remove');
    expect(pathOf(await visitor.send(list, `${LIST}/passkeys/remove`))).to.match(/^\/interaction\//);
    expect(passkeysOf(await world.account(MARA.login))).to.have.length(1);
    moved = 0;
    const fresh = await visitor.open(LIST);
    const gone = await visitor.send(fresh, `${LIST}/passkeys/remove`);
    expect(pathOf(gone)).to.equal(LIST);
    expect(await world.account(MARA.login)).to.not.have.property('factors');
    // What is gone already is what the person asked for.
    expect((await visitor.send(fresh, `${LIST}/passkeys/remove`)).status).to.equal(200);
    const events = await world.server.running.stores.audit.latest({ limit: 50 });
    expect(
      events.map(({ event }) => event).filter((event) => event.startsWith('factor.')),
    ).to.include.members(['factor.add', 'factor.remove']);
  });

  it('no new passkey, and no app, is added where the organization does not offer them, and those that are there stay', async () => {
    const { organizations } = world.server.running.stores;
    const organization = (await organizations.byId('default')) ?? expect.fail('There is no organization.');
    const visitor = await world.signedIn(MARA);
    const before = await visitor.open(LIST);
    await organizations.put({ ...organization, factors: { offered: ['app'] } });
    moved += 60_000;
    expect((await visitor.open(LIST)).body).to.not.contain('data-creation');
    const response = mara.create(asked(before.body));
    expect((await visitor.send(before, `${LIST}/passkeys`, { response })).status).to.equal(403);
    await organizations.put({ ...organization, factors: { offered: ['passkey'] } });
    moved += 60_000;
    expect((await visitor.open(LIST)).body)
      .to.contain('data-creation')
      .and.not.contain('/app/new');
    expect((await visitor.send(before, `${LIST}/app/new`)).status).to.equal(403);
    await organizations.put(organization);
    moved += 60_000;
  });

  it('the only way in stays', async () => {
    const { id } = await world.account(DOCTOR.login);
    await world.change(DOCTOR.login, ({ passwordHash: _, ...account }) => ({
      ...account,
      emailVerified: false,
    }));
    const visitor = world.visitor();
    const page = await visitor.open(LIST);
    const { pathname } = new URL(page.url);
    const signedIn = await visitor.send(page, `${pathname}/passkey`, {
      response: doctor.get(passkeyOptions(page.body)),
    });
    expect(pathOf(signedIn)).to.equal(LIST);
    const kept = await visitor.send(signedIn, `${LIST}/passkeys/remove`);
    expect(kept.status).to.equal(409);
    expect(alertOf(kept)).to.contain('your only sign-in method');
    const { accounts, identities } = world.server.running.stores;
    expect((await accounts.byId(id))?.factors?.passkeys).to.have.length(1);
    // Beside it a link is not the only one, and its page says so; of an upstream that is not configured it is no way in.
    const createdAt = new Date();
    const link = { organization: 'default', issuer: 'https://idp.test', subject: 'doctor', accountId: id };
    await identities.link({ ...link, createdAt });
    expect((await visitor.send(signedIn, `${LIST}/passkeys/remove`)).status).to.equal(409);
    const links = await visitor.open('/account/sign-ins');
    expect(links.body).to.not.contain('your only sign-in method');
    expect((await visitor.send(links, '/account/sign-ins/unlink')).url).to.contain('done=unlinked');
  });
});

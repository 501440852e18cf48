/** Back-channel logout: what ends a session, and what its clients are sent. */
import path from 'node:path';
import { expect } from 'chai';
import { buildEndSessionUrl } from 'openid-client';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { reclaimAccount } from '../../src/identity/accounts/reclaim-account.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { setPassword } from '../../src/identity/self-service/set-password.ts';
import {
  type AccountWorld,
  CHIEF,
  DOCTOR,
  FRESH,
  MARA,
  PATIENT,
  startAccountWorld,
  type Visitor,
} from '../browser/account/account-world.ts';
import { openTerminal, type Terminal } from '../cli/run-portico.ts';
import { ownApp, spa, type TestClient, webApp } from '../support/clients.ts';
import { eventually } from '../support/in-time.ts';
import { type LogoutReceiver, startLogoutReceiver, tellAt } from '../support/logout-receiver.ts';
import { relyingParty, type SignIn, signIn, walk, walkOut } from '../support/relying-party.ts';

describe('back-channel logout', function () {
  this.timeout(60_000);
  let world: AccountWorld;
  let receiver: LogoutReceiver;
  let terminal: Terminal;

  before(async () => {
    world = await startAccountWorld({ config: { outbound: { allowPrivate: true } } });
    const { issuer, folder, running } = world.server;
    receiver = await startLogoutReceiver(() => issuer);
    await tellAt(running.stores, receiver, webApp.clientId, {
      ...{ backchannel_logout_session_required: true, id_token_signed_response_alg: 'ES256' },
      subject_type: 'pairwise',
    });
    await tellAt(running.stores, receiver, ownApp.clientId);
    terminal = openTerminal({
      ...{ issuer, store: { embedded: { file: path.join(folder, 'portico.db') } } },
      keys: { encryption: Buffer.alloc(32, 7).toString('base64') },
    });
  });
  after(async () => {
    terminal.close();
    await world.server.close();
    await receiver.close();
  });
  beforeEach(() => receiver.forget());

  const audited = async (event: string) =>
    (await world.server.running.stores.audit.latest({ event, limit: 100 })).length;

  /** The outbox is written to beside the request. */
  /** Signed in at three clients in one browser; the third takes no logouts. */
  async function signedIn(person: typeof MARA, visitor = world.visitor()) {
    const at = async (client: TestClient): Promise<SignIn> => {
      const party = await relyingParty(world.server.issuer, client);
      return signIn(party, { ...person, session: visitor.session });
    };
    const [web, own] = [await at(webApp), await at(ownApp)];
    await at(spa);
    return { visitor, web, own, claims: web.tokens.claims(), sub: (await world.account(person.login)).id };
  }

  type SignedIn = Awaited<ReturnType<typeof signedIn>>;

  async function expectBothTold({ claims, sub }: Pick<SignedIn, 'claims' | 'sub'>, how: string) {
    const [[web], [own]] = [await receiver.until(webApp.clientId), await receiver.until(ownApp.clientId)];
    // Each by the name that its ID tokens have.
    expect(claims?.sub, how).to.not.equal(sub);
    expect(web?.payload, how).to.include({ sub: claims?.sub, sid: claims?.sid });
    expect(own?.payload, how).to.include({ sub }).and.to.not.have.property('sid');
    expect([web?.alg, own?.alg], how).to.deep.equal(['ES256', 'RS256']);
    expect(web?.payload.jti, how).to.not.equal(own?.payload.jti);
    expect(receiver.received, how).to.have.length(2);
    expect(receiver.refused, how).to.deep.equal([]);
    receiver.forget();
  }

  async function logoutUrl(of: SignIn, client: TestClient, hinted: boolean): Promise<string> {
    const { configuration } = await relyingParty(world.server.issuer, client);
    return buildEndSessionUrl(configuration, {
      post_logout_redirect_uri: String(client.postLogoutRedirectUri),
      ...(hinted && { id_token_hint: String(of.tokens.id_token) }),
    }).href;
  }

  it('LO2 discovery offers it, and an ID token names the session where the client asks for that', async () => {
    const reply = await fetch(`${world.server.issuer}/.well-known/openid-configuration`);
    expect(await reply.json()).to.include({
      ...{ backchannel_logout_supported: true, backchannel_logout_session_supported: true },
    });
    const { web, own } = await signedIn(MARA);
    expect(web.tokens.claims()?.sid).to.be.a('string');
    expect(own.tokens.claims()).to.not.have.property('sid');
  });

  it('LO12 a vendor’s sign-out ends the browser sessions that its token opened, and tells their clients', async () => {
    const { url } = world.server;
    const vsee = async (call: string, body: object): Promise<{ data: { token: string } }> => {
      const headers = { 'content-type': 'application/json', 'x-accountcode': 'default' };
      const init = { method: 'POST', headers, body: JSON.stringify(body) };
      const reply = await fetch(`${url}/api_v3/users/${call}`, init);
      return (await reply.json()) as { data: { token: string } };
    };
    const { login: username, password } = MARA;
    const { token } = (await vsee('login', { username, password })).data;
    const own = await world.visitor().signIn(MARA);
    expect(own.status).to.equal(200);
    const visitor = world.visitor();
    await visitor.session.request(`${url}/auth?sso_token=${token}`);
    const opened = await signedIn(MARA, visitor);
    expect(await vsee('logout', { tokens: [token] })).to.deep.equal({ data: true });
    await expectBothTold(opened, 'a vendor’s sign-out');
    expect((await visitor.open('/account')).forms.some(({ names }) => names.includes('password'))).to.equal(
      true,
    );
  });

  const ends: Readonly<Record<string, (at: SignedIn) => Promise<unknown>>> = {
    'a client that shows its ID token': async ({ visitor, own }) =>
      walkOut(visitor.session, await logoutUrl(own, ownApp, true), String(ownApp.postLogoutRedirectUri)),
    'a person who says yes on the sign-out page': async ({ visitor, own }) =>
      walkOut(visitor.session, await logoutUrl(own, ownApp, false), String(ownApp.postLogoutRedirectUri)),
    'a person who ends the browser on my account': async ({ sub }) => {
      const other = await world.visitor().signIn(MARA);
      expect(other.status).to.equal(200);
      const [session] = (await world.server.running.oidc.accountAccess.listSessions(sub)).filter(
        ({ clients }) => clients.includes(webApp.clientId),
      );
      const visitor = world.visitor();
      await visitor.signIn(MARA);
      const page = await visitor.open('/account/access');
      const form = page.forms.find(({ fields }) => fields.session === session?.uid);
      if (form === undefined) throw new Error(page.body);
      await visitor.session.submit(page, {}, { form });
    },
    'another person who signs in over it': async ({ visitor }) => {
      const party = await relyingParty(world.server.issuer, spa);
      const { url } = await party.begin({ prompt: 'login' });
      await walk(visitor.session, url, spa.redirectUri, PATIENT);
    },
    'a new password': ({ sub }) =>
      setPassword(world.server.running.identity, { accountId: sub, password: MARA.password, minimum: 12 }),
    'a block': async ({ sub }) => {
      await setStatus(world.server.running.identity, { accountId: sub, status: 'blocked' });
      await setStatus(world.server.running.identity, { accountId: sub, status: 'active' });
    },
    'an operator': async ({ sub }) => {
      const ran = await terminal.session(['account', 'sign-out', sub, '--yes']);
      expect(ran.code, ran.stderr).to.equal(0);
    },
    'an operator, of one session': async ({ sub }) => {
      const [session] = await world.server.running.oidc.accountAccess.listSessions(sub);
      const ran = await terminal.session([
        ...['account', 'sign-out', sub, '--session', String(session?.uid), '--yes'],
      ]);
      expect(ran.code, ran.stderr).to.equal(0);
    },
    'a first proof of the address': async ({ sub }) => {
      const account = await world.change(MARA.login, (one) => ({ ...one, emailVerified: false }));
      const { passwordHash } = account;
      await reclaimAccount(world.server.running.identity, { account });
      await world.change(MARA.login, (one) => ({ ...one, passwordHash: String(passwordHash) }));
      expect(account.id).to.equal(sub);
    },
  };

  for (const [how, end] of Object.entries(ends)) {
    it(`LO2 ${how} reaches every client of the session, once`, async () => {
      const { access } = world.server.running.identity;
      await access.endAll((await world.account(MARA.login)).id);
      const at = await signedIn(MARA);
      receiver.forget();
      const before = await Promise.all([audited('logout.queued'), audited('logout.delivered')]);
      await end(at);
      await expectBothTold(at, how);
      const { deliveries } = world.server.running.stores;
      await eventually(async () => {
        const after = await Promise.all([audited('logout.queued'), audited('logout.delivered')]);
        expect([after[0] - before[0], after[1] - before[1]]).to.deep.equal([2, 2]);
        expect(await deliveries.list(new Date(), { limit: 10 })).to.deep.equal([]);
      });
    });
  }

  it('LO2 a deleted account reaches them, though nothing of it is left', async () => {
    const at = await signedIn(DOCTOR);
    receiver.reply = (response) => response.writeHead(503).end();
    await deleteAccount(world.server.running.identity, { accountId: at.sub });
    await receiver.until(webApp.clientId);
    await receiver.until(ownApp.clientId);
    receiver.forget();
    receiver.reply = undefined;
    const retried = await terminal.session(['logout', 'list', '--waiting', '--json']);
    for (const { id } of retried.json()) await terminal.session(['logout', 'retry', String(id)]);
    await expectBothTold(at, 'deleted');
  });

  it('LO2 a new password on my account leaves the browser it was set in signed in, and ends the other', async () => {
    const [here, there] = [await signedIn(CHIEF), await signedIn(CHIEF)];
    const visitor: Visitor = here.visitor;
    await visitor.open('/account');
    const page = await visitor.open('/account/password');
    const changed = await visitor.send(page, '/account/password', {
      current: CHIEF.password,
      password: FRESH,
    });
    expect(changed.url).to.contain('done=password-changed');
    await expectBothTold(there, 'the other browser');
  });

  it('LO2 a person who stays signed in ends it at the client that asked, and at no other', async () => {
    const at = await signedIn(MARA);
    receiver.forget();
    const page = await at.visitor.session.open(await logoutUrl(at.web, webApp, false));
    if (typeof page === 'string') throw new Error(page);
    const form = page.forms.find(({ fields }) => 'xsrf' in fields && !('logout' in fields));
    if (form === undefined) throw new Error(page.body);
    await at.visitor.session.submit(page, {}, { until: ['https://app.test'], form });
    const [told] = await receiver.until(webApp.clientId);
    expect(told?.payload).to.include({ sub: at.claims?.sub, sid: at.claims?.sid });
    expect(receiver.received).to.have.length(1);
  });
});

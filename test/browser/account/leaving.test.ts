/** Taking one's data along, and deleting the account. */
import { expect } from 'chai';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import { relyingParty, signIn } from '../../support/relying-party.ts';
import {
  type AccountWorld,
  alertOf,
  CHIEF,
  CODES,
  DOCTOR,
  formTo,
  MARA,
  PATIENT,
  pathOf,
  shown,
  startAccountWorld,
} from './account-world.ts';

describe('leaving', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  it('downloads everything that is known, and nothing that opens a channel', async () => {
    const party = await relyingParty(world.server.issuer);
    const visitor = world.visitor();
    await signIn(party, { ...MARA, session: visitor.session });
    const account = await world.account(MARA.login);
    await linkIdentity(world.server.running.identity, {
      accountId: account.id,
      issuer: 'https://accounts.google.com',
      subject: 'mara-at-google',
    });
    const page = await visitor.open('/account/data');
    expect(page.body).to.contain('/account/data.json');
    const reply = await visitor.session.request(`${world.server.url}/account/data.json`);
    expect(reply.status).to.equal(200);
    expect(reply.headers.get('content-type')).to.contain('application/json');
    expect(reply.headers.get('content-disposition')).to.equal('attachment; filename="my-account.json"');
    expect(reply.headers.get('cache-control')).to.equal('no-store');
    const text = await reply.text();
    const file = JSON.parse(text);
    expect(file.account).to.include({ sub: account.id, email: MARA.login, given_name: 'Mara' });
    expect(file.linked_sign_ins[0]).to.include({ subject: 'mara-at-google' });
    expect(file.apps.map(({ client_id }: { client_id: string }) => client_id)).to.include('web-app');
    expect(file.sessions).to.have.length(1);
    expect(file.events.map(({ event }: { event: string }) => event)).to.include('sign-in');
    expect(text).to.not.contain('$argon2').and.not.contain('Hash');
  });

  it('S4 L3 deletes with the password: sessions, grants, keys and every personal word are gone', async () => {
    const party = await relyingParty(world.server.issuer);
    const [visitor, elsewhere] = [world.visitor(), world.visitor()];
    const app = await signIn(party, { ...DOCTOR, session: elsewhere.session });
    await visitor.signIn(DOCTOR);
    const { id } = await world.account(DOCTOR.login);
    const created = await visitor.send(await visitor.open('/account/keys'), '/account/keys', {
      ...{ name: 'k', days: '0', 'scope:read:users': 'yes' },
    });
    const key = /avk_[0-9a-f]{64}/.exec(created.body)?.[0] ?? '';
    const page = await visitor.open('/account/delete');
    const wrong = await visitor.send(page, '/account/delete', { password: 'Not-The-Password-11' });
    expect(wrong.status).to.equal(400);
    expect(alertOf(wrong)).to.contain('Wrong password');
    const done = await visitor.send(page, '/account/delete', { password: DOCTOR.password });
    expect(pathOf(done)).to.equal('/account/deleted');
    const { stores, oidc } = world.server.running;
    expect(await stores.accounts.byId(id)).to.equal(undefined);
    expect(await oidc.accountAccess.listSessions(id)).to.deep.equal([]);
    expect(await oidc.accountAccess.listGrants(id)).to.deep.equal([]);
    expect(await stores.apiKeys.listByAccount(id)).to.deep.equal([]);
    expect(pathOf(await elsewhere.open('/account'))).to.match(/^\/interaction\//);
    const authorization = `Bearer ${app.tokens.access_token}`;
    expect((await fetch(`${world.server.url}/userinfo`, { headers: { authorization } })).status).to.equal(
      401,
    );
    const me = await fetch(`${world.server.url}/api/v1/auth/me`, { headers: { 'x-api-key': key } });
    expect(me.status).to.equal(401);
    const again = await visitor.open('/account');
    const refused = await visitor.session.submit(again, DOCTOR, { form: formTo(again, /\/sign-in$/) });
    expect(shown(refused).status).to.equal(400);
    const lines = await stores.audit.latest({ limit: 50, subject: id });
    expect(lines.map(({ event }) => event)).to.include('account.delete');
    expect(JSON.stringify(lines)).to.not.contain('Reis').and.not.contain(DOCTOR.login);
  });

  it('deletes with a code where there is no password; the code is for this browser and for this alone', async () => {
    const visitor = await world.signedIn(CHIEF);
    const { id } = await world.account(CHIEF.login);
    await world.change(CHIEF.login, ({ passwordHash: _gone, ...account }) => account);
    const page = await visitor.open('/account/delete');
    expect(page.forms.some(({ action }) => action.endsWith('/account/delete'))).to.equal(false);
    const asked = await visitor.send(page, '/account/delete/code');
    const email = await world.server.mail.take(CHIEF.login);
    expect(email.subject).to.equal('Your code to delete your account');
    const code = /\b\d{6}\b/.exec(email.text)?.[0] ?? '';
    const wrong = code === '111111' ? '222222' : '111111';
    const refused = await visitor.send(asked, '/account/delete', { code: wrong });
    expect(refused.status).to.equal(400);
    const address = await visitor.open('/account/address');
    const form = {
      ...formTo(address, '/account/address'),
      action: `${world.server.url}/account/address/code`,
    };
    await visitor.session.submit(address, { code, to: 'x' }, { form });
    const done = await visitor.send(asked, '/account/delete', { code });
    expect(pathOf(done)).to.equal('/account/deleted');
    expect(await world.server.running.stores.accounts.byId(id)).to.equal(undefined);
  });

  it('O4 counts wrong codes, and keeps the account', async () => {
    const visitor = await world.signedIn(PATIENT, '203.0.113.77');
    await world.change(PATIENT.login, ({ passwordHash: _gone, ...account }) => account);
    const asked = await visitor.send(await visitor.open('/account/delete'), '/account/delete/code');
    const code = await world.codeFor(PATIENT.login);
    const wrong = code === '111111' ? '222222' : '111111';
    for (let i = 0; i < 5; i += 1) await visitor.send(asked, '/account/delete', { code: wrong });
    expect((await visitor.send(asked, '/account/delete', { code })).status).to.equal(400);
    expect((await world.account(PATIENT.login)).status).to.equal('active');
  });

  it('C7 opens no account to deletion by a link', async () => {
    const visitor = await world.signedIn(MARA);
    await visitor.open(`/account/delete?password=${MARA.password}&code=000000&sent=yes`);
    expect((await world.account(MARA.login)).status).to.equal('active');
    expect((await world.account(CODES)).status).to.equal('active');
  });
});

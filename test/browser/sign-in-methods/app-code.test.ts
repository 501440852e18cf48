/** A code of the authenticator app, or a recovery code, after the password. */
import { expect } from 'chai';
import { secretsFrom } from '../../../src/core/crypto.ts';
import { ACR } from '../../../src/oidc/contract.ts';
import { createOidcRecords } from '../../../src/oidc/persistence/records.ts';
import { giveApp, type TestApp } from '../../support/authenticator-app.ts';
import { TEST_KEY } from '../../support/server.ts';
import { alertOf, type Channel, headingOf, openChannel, type Visit } from './sign-in-server.ts';

const STEP_UP = 'urn:portico:acr:stepup';
const PASSWORD = 'Harbour-Lantern-Quartz-41';

describe('a sign-in of an account with an authenticator app', () => {
  let channel: Channel;
  let person: { login: string; password: string };
  let app: TestApp;
  let people = 0;
  before(async () => {
    channel = await openChannel();
  });
  beforeEach(async () => {
    people += 1;
    person = { login: `app-${people}@clinic.test`, password: PASSWORD };
    const { identity } = channel.server.running;
    const passwordHash = await identity.hasher.hash(PASSWORD);
    const { id } = await channel.make({ email: person.login, passwordHash });
    app = await giveApp(identity, id);
    channel.later(60);
  });
  after(() => channel.close());

  const half = async (extra?: Record<string, string>) =>
    (await channel.begin(extra)).press('/sign-in', person);
  const enter = (visit: Visit, code: string) => visit.press('/app-code', { code });

  it('N15 N4 wants its code after the password, refuses a wrong and a used one, and says what was proven', async () => {
    const visit = await half();
    expect(headingOf(visit.page)).to.equal('Confirm it’s you');
    await enter(visit, '000000');
    expect(visit.page.status).to.equal(400);
    expect(alertOf(visit.page)).to.contain('authenticator app');
    const code = app.code();
    await enter(visit, `${code.slice(0, 3)} ${code.slice(3)}`);
    const claims = await visit.claims();
    expect(claims).to.include({ acr: STEP_UP });
    expect(claims.amr).to.have.members(['pwd', 'otp', 'mfa']);
    const other = await enter(await half(), code);
    expect(alertOf(other.page)).to.contain('wrong or has been used');
    await enter(other, app.code(1));
    expect(await other.claims()).to.include({ acr: STEP_UP });
  });

  it('N6 takes a recovery code in its place, once', async () => {
    const [code = ''] = app.recoveryCodes;
    const visit = await (await half()).press('/recovery-code', { code: code.toUpperCase() });
    expect((await visit.claims()).amr).to.have.members(['pwd', 'otp', 'mfa']);
    const other = await (await half({ acr_values: STEP_UP })).press('/recovery-code', { code });
    expect(alertOf(other.page)).to.contain('Each one works once');
    expect(other.page.body).to.match(/<details class="aside" open>/);
  });

  it('N5 of sixty guesses at once five are judged; the right one among the last is not, by any browser', async () => {
    const visit = await half();
    const form = visit.page.forms.find(({ action }) => action.endsWith('/app-code'));
    if (form === undefined) throw new Error('There is no form.');
    const headers = { origin: channel.server.url, 'sec-fetch-site': 'same-origin' };
    const guesses = Array.from({ length: 60 }, (_, i) => (i < 55 ? `9999${i % 90}` : app.code()));
    const statuses = await Promise.all(
      guesses.map(async (code, i) => {
        const body = new URLSearchParams({ ...form.fields, code });
        const from = { ...headers, 'x-forwarded-for': `203.0.113.${i}` };
        return (await visit.session.request(form.action, { method: 'POST', body, headers: from })).status;
      }),
    );
    expect(statuses.filter((status) => status === 400)).to.have.length(5);
    expect(statuses.filter((status) => status === 429)).to.have.length(55);
    const told = [await channel.server.mail.take(person.login), await channel.server.mail.take(person.login)];
    expect(told.map(({ subject }) => subject)).to.have.members([
      'Added to your account: an authenticator app',
      'Wrong codes after your first sign-in step',
    ]);
    const again = await half();
    await enter(again, app.code());
    expect(again.page.status).to.equal(429);
    await again.press('/recovery-code', { code: app.recoveryCodes[0] ?? '' });
    expect(again.page.status).to.equal(429);
    channel.later(901);
    expect((await (await enter(await half(), app.code())).claims()).amr).to.include('mfa');
  });

  it('N15 takes no code of a person who has proven nothing, or who is blocked meanwhile', async () => {
    const visit = await channel.begin();
    const [form] = visit.page.forms;
    if (form === undefined) throw new Error('There is no form.');
    for (const [path, code] of [
      ['app-code', app.code()],
      ['recovery-code', app.recoveryCodes[1] ?? ''],
    ] as const) {
      const action = form.action.replace(/\/[\w/]+$/, `/${path}`);
      const page = await visit.session.submit(visit.page, { code }, { form: { ...form, action } });
      expect(page).to.have.property('body').that.contains('name="password"');
    }
    const started = await half();
    const account = await channel.account(person.login);
    if (account === undefined) throw new Error('gone');
    await channel.server.running.stores.accounts.update({ ...account, status: 'blocked' });
    await enter(started, app.code());
    expect(started.page.body).to.contain('name="password"');
  });

  it('N15 no two codes make up for a sign-in by the clinic’s key, which is no proof of the person', async () => {
    const visit = await half();
    await enter(visit, app.code());
    const { stores, identity } = channel.server.running;
    const { id = '' } = (await channel.account(person.login)) ?? {};
    const records = createOidcRecords({
      ...{ store: stores.oidcRecords, clock: identity.clock },
      secrets: secretsFrom(Buffer.from(TEST_KEY, 'base64')),
    });
    for (const { payload } of await records.listByAccount('Session', id))
      await records.save('Session', String(payload.jti), { ...payload, amr: ['sso'], acr: ACR.legacy }, 3600);
    const again = await channel.begin({ acr_values: STEP_UP }, visit.session);
    expect(headingOf(again.page)).to.equal('Sign in');
    expect(again.page.forms.some(({ action }) => action.endsWith('/app-code'))).to.equal(false);
  });
});

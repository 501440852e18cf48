/** My account's page of factors: setting an authenticator app up, recovery codes, and the end of both. */
import { mock } from 'node:test';
import { expect } from 'chai';
import type { AccountRecord } from '../../../src/model/account.ts';
import { shownBy } from '../../support/authenticator-app.ts';
import type { Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  DOCTOR,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from './account-world.ts';

const LIST = '/account/factors';

describe('the factors on my account', () => {
  let world: AccountWorld;
  beforeEach(async () => {
    world = await startAccountWorld();
  });
  afterEach(async () => {
    mock.timers.reset();
    await world.server.close();
  });

  const secretOn = (page: Page) =>
    (/<pre class="key">([^<]*)</.exec(page.body)?.[1] ?? '').replaceAll(' ', '');
  const shows = (secret: string) => shownBy(secret, new Date());
  const codesOn = (page: Page) => [...page.body.matchAll(/<li><code>([^<]*)</g)].map(([, code = '']) => code);

  /** Signs in again, with the recovery code, where a change asks for it. */
  async function confirm(visitor: Visitor, code: string): Promise<Page> {
    const page = await visitor.open(`/account/again?page=${encodeURIComponent(LIST)}`);
    const half = shown(await visitor.session.submit(page, MARA, { form: formTo(page, /\/sign-in$/) }));
    const form = formTo(half, /\/recovery-code$/);
    return shown(await visitor.session.submit(half, { code }, { form }));
  }

  async function setUp(visitor: Visitor): Promise<{ secret: string; page: Page }> {
    const setup = await visitor.send(await visitor.open(LIST), `${LIST}/app/new`);
    const secret = secretOn(setup);
    return { secret, page: await visitor.send(setup, `${LIST}/app`, { code: shows(secret) }) };
  }

  it('N6 N9 an app is set up with its key as a picture and as text; the first one brings ten codes, shown once', async () => {
    const visitor = await world.signedIn(MARA);
    const list = await visitor.open(LIST);
    expect(codesOn(list)).to.deep.equal([]);
    const setup = await visitor.send(list, `${LIST}/app/new`);
    expect(setup.body).to.match(
      /<svg class="qr" role="img" aria-label="QR code[^"]*" viewBox="0 0 (\d+) \1"/,
    );
    expect(setup.body).to.not.contain('style=');
    const secret = secretOn(setup);
    expect(secret).to.match(/^[A-Z2-7]{32}$/);
    const uri = /href="(otpauth:[^"]*)"/.exec(setup.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(decodeURIComponent(uri)).to.equal(
      `otpauth://totp/Portico:${MARA.login}?issuer=Portico&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    );
    // Reloading shows the same; a wrong code shows it again and costs nothing but that.
    expect(secretOn(await visitor.open(`${LIST}/app${new URL(setup.url).search}`))).to.equal(secret);
    const wrong = await visitor.send(setup, `${LIST}/app`, { code: '000000' });
    expect(wrong.status).to.equal(400);
    expect(alertOf(wrong)).to.contain('This code is wrong');
    expect(secretOn(wrong)).to.equal(secret);
    expect((await world.account(MARA.login)).factors).to.equal(undefined);
    const done = await visitor.send(wrong, `${LIST}/app`, { code: shows(secret) });
    expect(pathOf(done)).to.equal(LIST);
    const codes = codesOn(done);
    expect(codes).to.have.length(10);
    expect(codesOn(await visitor.open(LIST + new URL(done.url).search))).to.deep.equal([]);
    const { text, subject } = await world.server.mail.take(MARA.login);
    expect(subject).to.equal('Added to your account: an authenticator app');
    expect(text).to.contain('/account/factors?organization=default').and.to.not.contain(secret);
    // From now on a change asks for a sign-in with the app; a set-up that is over leads to the list.
    const over = await visitor.send(wrong, `${LIST}/app`, { code: shows(secret) });
    expect(pathOf(over)).to.match(/^\/interaction\//);
    await confirm(visitor, codes[0] ?? '');
    expect(pathOf(await visitor.open(`${LIST}/app${new URL(setup.url).search}`))).to.equal(LIST);
    expect((await visitor.open('/account')).body).to.contain('1 set up');
  });

  it('N9 new codes end the old ones, and an app that is removed takes them along; all of it is told and audited', async () => {
    const visitor = await world.signedIn(MARA);
    const { page } = await setUp(visitor);
    expect(page.forms.filter(({ action }) => action.includes(LIST))).to.deep.equal([]);
    const confirmed = await confirm(visitor, codesOn(page)[0] ?? '');
    const renewed = await visitor.send(confirmed, `${LIST}/codes`);
    expect(codesOn(renewed)).to.have.length(10).and.to.not.include.members(codesOn(page).slice(0, 1));
    expect((await world.account(MARA.login)).factors?.recoveryCodes).to.have.length(10);
    const removed = await visitor.send(renewed, `${LIST}/app/remove`);
    expect(removed.body).to.contain('The authenticator app has been removed');
    expect((await world.account(MARA.login)).factors).to.equal(undefined);
    // The form of another tab: there is nothing that codes stand in for.
    const late = await visitor.send(renewed, `${LIST}/codes`);
    expect(pathOf(late)).to.equal(LIST);
    expect(late.body).to.not.contain('You have new recovery codes');
    const { id: subject } = await world.account(MARA.login);
    const lines = await world.server.running.stores.audit.latest({ limit: 50, subject });
    const events = lines.filter(({ event }) => /^factor\.(?!use)/.test(event)).reverse();
    expect(events.map(({ event, detail, address }) => [event, detail?.factor, address])).to.deep.equal([
      ['factor.add', 'app', '203.0.113.7'],
      ['factor.add', 'recovery-codes', '203.0.113.7'],
      ['factor.remove', 'app', '203.0.113.7'],
    ]);
    const subjects: string[] = [];
    for (const _ of events) subjects.push((await world.server.mail.take(MARA.login)).subject);
    expect(subjects).to.have.members([
      'Added to your account: an authenticator app',
      'Added to your account: recovery codes',
      'Removed from your account: an authenticator app',
    ]);
  });

  it('N9 a set-up is good in its own account alone, and no longer than half an hour', async () => {
    const mara = await world.signedIn(MARA);
    const doctor = await world.signedIn(DOCTOR);
    const setup = await mara.send(await mara.open(LIST), `${LIST}/app/new`);
    expect(pathOf(await doctor.open(`${LIST}/app${new URL(setup.url).search}`))).to.equal(LIST);
    const own = await doctor.send(await doctor.open(LIST), `${LIST}/app/new`);
    const foreign = { setup: formTo(setup, `${LIST}/app`).fields.setup ?? '', code: shows(secretOn(setup)) };
    await doctor.send(own, `${LIST}/app`, foreign);
    expect((await world.account(DOCTOR.login)).factors).to.equal(undefined);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 31 * 60_000 });
    const later = await world.signedIn(MARA);
    expect(pathOf(await later.open(`${LIST}/app${new URL(setup.url).search}`))).to.equal(LIST);
  });

  it('N9 asks for a new sign-in before any change, once the last one is ten minutes old', async () => {
    const visitor = await world.signedIn(MARA);
    const { page: done } = await setUp(visitor);
    const page = await confirm(visitor, codesOn(done)[0] ?? '');
    const form = formTo(page, `${LIST}/app/remove`);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * 60_000 });
    const old = await visitor.open(LIST);
    expect(old.forms.filter(({ action }) => action.includes(LIST))).to.deep.equal([]);
    expect(old.body).to.contain('href="/account/again?page=%2Faccount%2Ffactors"');
    for (const path of ['/app/remove', '/app/new', '/app', '/codes']) {
      const action = world.server.url + LIST + path;
      const reply = await visitor.session.submit(page, {}, { form: { ...form, action } });
      expect(typeof reply === 'string' ? reply : pathOf(reply), path).to.match(/^\/interaction\//);
    }
    expect(pathOf(await visitor.open(`${LIST}/app?setup=x`))).to.match(/^\/interaction\//);
    expect((await world.account(MARA.login)).factors?.app).to.be.an('object');
  });

  it('N9 leads back to the page it was asked from, also where the session lacks a factor', async () => {
    const visitor = await world.signedIn(MARA);
    const app = { salt: 'c2FsdA', step: 0, createdAt: '2020-01-01T00:00:00.000Z' };
    await world.change(MARA.login, (account) => ({ ...account, factors: { app } }));
    const asked = `${world.server.url}/account/again?page=${encodeURIComponent(LIST)}`;
    const { headers } = await visitor.session.request(asked);
    const { searchParams } = new URL(headers.get('location') ?? '', asked);
    expect([searchParams.get('prompt'), searchParams.get('state')]).to.deep.equal(['login', LIST]);
  });

  it('N13 the download names factors without a secret, and no log has one', async () => {
    const visitor = await world.signedIn(MARA);
    const { secret, page } = await setUp(visitor);
    await confirm(visitor, codesOn(page)[0] ?? '');
    expect((await visitor.open('/account/access')).body).to.match(/with password, code\s*</);
    const file = JSON.parse((await visitor.open('/account/data.json')).body) as {
      factors: Record<string, unknown>;
    };
    const { app, recoveryCodes = [] } = ((await world.account(MARA.login)) as AccountRecord).factors ?? {};
    expect(file.factors).to.deep.equal({
      authenticator_app: { created_at: app?.createdAt, last_used_at: null },
      recovery_codes_left: 9,
      passkeys: [],
      remembered_devices: [],
      app_passwords: [],
    });
    const text = world.server.logText() + JSON.stringify(file);
    expect(text).to.contain('factor.add');
    const token = new URL(page.url).searchParams.get('codes') ?? 'none';
    expect(text).to.not.contain(token);
    for (const kept of [secret, app?.salt ?? 'none', ...recoveryCodes, ...codesOn(page)])
      expect(text).to.not.contain(kept);
  });
});

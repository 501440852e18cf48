/** API keys that people make for themselves. */
import { expect } from 'chai';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import type { Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  CHIEF,
  DOCTOR,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from './account-world.ts';

describe('the page of API keys', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  const keyOn = (page: Page) => /<pre[^>]*>(avk_[0-9a-f]{64})<\/pre>/.exec(page.body)?.[1];
  const make = async (visitor: Visitor, fields: Record<string, string>) =>
    visitor.send(await visitor.open('/account/keys'), '/account/keys', { days: '30', ...fields });
  const tryKey = (key: string, headers: Record<string, string> = {}) =>
    fetch(`${world.server.url}/api/v1/auth/me`, { headers: { 'x-api-key': key, ...headers } });

  it('K1 makes one that works, shows it once, and stores no text of it', async () => {
    const visitor = await world.signedIn(DOCTOR);
    const page = await make(visitor, {
      name: 'Reports',
      'scope:read:users': 'yes',
      'scope:read:health': 'yes',
    });
    const key = keyOn(page) ?? '';
    expect(key).to.match(/^avk_[0-9a-f]{64}$/);
    expect((await tryKey(key)).status).to.equal(200);
    const again = await visitor.open(new URL(page.url).pathname + new URL(page.url).search);
    expect(again.body).to.contain('Reports').and.not.contain(key);
    expect(keyOn(await visitor.open('/account/keys'))).to.equal(undefined);
    const { id } = await world.account(DOCTOR.login);
    const stored = await world.server.running.stores.apiKeys.listByAccount(id);
    expect(stored).to.have.length(1);
    expect(stored[0]?.scopes).to.have.members(['read:users', 'read:health']);
    const days = ((stored[0]?.expiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000;
    expect(days).to.be.within(29.9, 30);
    expect(JSON.stringify(stored)).to.not.contain(key.slice(4));
    expect(world.server.logText()).to.not.contain(key.slice(4));
  });

  it("K1 shows it to nobody else, whoever has the page's address", async () => {
    const [doctor, mara] = [world.visitor(), world.visitor()];
    await doctor.signIn(DOCTOR);
    await mara.signIn(MARA);
    const page = await doctor.open('/account/keys');
    const form = formTo(page, '/account/keys');
    const reply = await doctor.session.request(form.action, {
      method: 'POST',
      body: new URLSearchParams({ ...form.fields, name: 'x', days: '30', 'scope:read:users': 'yes' }),
    });
    const there = await mara.open(reply.headers.get('location') ?? '');
    expect(keyOn(there)).to.equal(undefined);
  });

  it('K2 gives no right that the account does not have, and only to the account itself', async () => {
    const visitor = await world.signedIn(DOCTOR);
    const page = await visitor.open('/account/keys');
    expect(page.body).to.not.contain('scope:admin');
    const wide = await make(visitor, { name: 'wide', 'scope:admin': 'yes' });
    expect(wide.status).to.equal(400);
    const chief = await world.account(CHIEF.login);
    const mixed = await make(visitor, {
      ...{ name: 'mixed', 'scope:admin': 'yes', 'scope:read:users': 'yes' },
      ...{
        userId: chief.id,
        accountId: chief.id,
        account: chief.id,
        scopes: 'admin',
        organization: 'clinicdev',
      },
    });
    expect(keyOn(mixed)).to.be.a('string');
    const { id } = await world.account(DOCTOR.login);
    const created = (await world.server.running.stores.apiKeys.listByAccount(id)).find(
      ({ name }) => name === 'mixed',
    );
    expect(created).to.deep.include({ scopes: ['read:users'], organization: 'default', accountId: id });
    expect(await world.server.running.stores.apiKeys.listByAccount(chief.id)).to.deep.equal([]);
  });

  it('K2 gives an administrator the wider one', async () => {
    const visitor = await world.signedIn(CHIEF);
    expect(keyOn(await make(visitor, { name: 'all', 'scope:admin': 'yes' }))).to.be.a('string');
  });

  it('K3 deletes one at once; what is deleted and what never was look alike', async () => {
    const visitor = await world.signedIn(DOCTOR);
    const page = await make(visitor, { name: 'short-lived', 'scope:read:users': 'yes' });
    const key = keyOn(page) ?? '';
    expect((await tryKey(key)).status).to.equal(200);
    const form = page.forms.find(({ action, fields }) => /delete$/.test(action) && fields.key !== undefined);
    const { id } = await world.account(DOCTOR.login);
    const record = (await world.server.running.stores.apiKeys.listByAccount(id)).find(
      ({ name }) => name === 'short-lived',
    );
    if (form === undefined || record === undefined) throw new Error('No key.');
    const own = { ...form, fields: { ...form.fields, key: record.id } };
    const done = shown(await visitor.session.submit(page, {}, { form: own }));
    expect(done.url).to.contain('done=key-deleted');
    const [dead, unknown] = [await tryKey(key), await tryKey(`avk_${'0'.repeat(64)}`)];
    expect(dead.status).to.equal(401);
    expect(await dead.text()).to.equal(await unknown.text());
    expect(
      (await fetch(`${world.server.url}/api/v1/auth/me?api_key=${key}&x-api-key=${key}`)).status,
    ).to.equal(401);
    // Pressed twice.
    expect(pathOf(shown(await visitor.session.submit(page, {}, { form: own })))).to.equal('/account/keys');
  });

  it("K2 deletes nobody else's", async () => {
    const [doctor, chief] = [world.visitor(), world.visitor()];
    await chief.signIn(CHIEF);
    await make(chief, { name: 'mine', 'scope:read:users': 'yes' });
    const { id } = await world.account(CHIEF.login);
    const { apiKeys } = world.server.running.stores;
    const [key] = await apiKeys.listByAccount(id);
    await doctor.signIn(DOCTOR);
    const page = await doctor.open('/account/keys');
    const form = { ...formTo(page, '/account/keys'), action: `${world.server.url}/account/keys/delete` };
    await doctor.session.submit(page, { key: key?.id ?? '' }, { form });
    expect(await apiKeys.byId(key?.id ?? '')).to.not.equal(undefined);
  });

  for (const [what, fields] of [
    ['no name', { name: ' ', 'scope:read:users': 'yes' }],
    ['no scope', { name: 'x' }],
    ['an unknown scope', { name: 'x', 'scope:everything': 'yes' }],
    ['an unknown vendor', { name: 'x', 'scope:read:users': 'yes', vendor: 'vsee' }],
    ['another life', { name: 'x', 'scope:read:users': 'yes', days: '36500' }],
    ['a name of two lines', { name: 'x\ny', 'scope:read:users': 'yes' }],
  ] as const) {
    it(`makes none with ${what}`, async () => {
      const visitor = await world.signedIn(MARA);
      const page = await make(visitor, fields);
      expect(page.status).to.equal(400);
      expect(alertOf(page)).to.not.equal('');
      const { id } = await world.account(MARA.login);
      expect(await world.server.running.stores.apiKeys.listByAccount(id)).to.deep.equal([]);
    });
  }

  it('says when there are too many', async () => {
    const visitor = await world.signedIn(MARA);
    const { id } = await world.account(MARA.login);
    for (let i = 0; i < 100; i += 1) {
      await createApiKey(world.server.running.identity, {
        ...{
          organization: 'default',
          vendor: 'avycenna',
          accountId: id,
          name: `k${i}`,
          scopes: ['read:users'],
        },
        id: { prefix: 'key_', alphabet: 'abcdefghij', length: 8 },
        key: { prefix: 'avk_', alphabet: '0123456789abcdef', length: 64 },
      });
    }
    const page = await make(visitor, { name: 'one more', 'scope:read:users': 'yes' });
    expect(page.status).to.equal(409);
    expect(alertOf(page)).to.contain('100 keys');
  });

  it('is not there for accounts of an organization whose keys it does not make', async () => {
    const visitor = world.visitor();
    const page = await visitor.open('/account?organization=north_clinic');
    const lea = { login: 'lea@x.test', password: 'Marble-Orchid-Signal-33' };
    const home = shown(await visitor.session.submit(page, lea, { form: formTo(page, /\/sign-in$/) }));
    expect(home.body).to.not.contain('/account/keys');
    expect((await visitor.open('/account/keys')).forms).to.deep.equal([]);
  });
});

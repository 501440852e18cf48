/** Stores that forget answer within a rehearsal as the store itself would, and leave it as it was. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { systemClock } from '../../src/core/clock.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { openEmbeddedStores } from '../../src/store/embedded/embedded-stores.ts';
import { openEmbeddedDump } from '../../src/store/embedded/sqlite/dump.ts';
import { createForgetfulStores } from '../../src/store/forgetful/forgetful-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';

const log = pino({ level: 'silent' });
const NOW = new Date('2026-11-29T08:00:00.000Z');
const LATER = new Date('2026-11-29T09:00:00.000Z');

const account = (id: string, more: Partial<AccountRecord> = {}): AccountRecord => ({
  ...{ id, organization: 'default', status: 'active', email: `${id}@x.test`, emailVerified: true },
  ...{ username: `user-${id}`, claims: {}, roles: [], aliases: { vsee: `2-${id}` }, vendor: {} },
  ...{ createdAt: NOW, updatedAt: NOW, version: 1 },
  ...more,
});
const key = (id: string, accountId: string) => ({
  ...{ id, organization: 'default', vendor: 'avycenna', accountId, name: id, keyHash: `hash-${id}` },
  ...{ scopes: [], createdAt: NOW },
});
const record = (grantId: string, more: object = {}) => ({
  ...{ payload: 'sealed', createdAt: NOW, expiresAt: LATER, grantId, accountId: 'ada', durable: true },
  ...more,
});
const link = (accountId: string) => ({
  ...{
    purpose: 'reset',
    organization: 'default',
    accountId,
    data: 'sealed',
    createdAt: NOW,
    expiresAt: LATER,
  },
});
const identity = (subject: string) => ({
  ...{ organization: 'default', issuer: 'https://up.test', subject, accountId: 'ada', createdAt: NOW },
});

async function fill({
  accounts,
  identities,
  apiKeys,
  oidcRecords,
  linkTokens,
  leases,
  metadata,
  presence,
}: Stores) {
  for (const id of ['ada', 'ben', 'cyd']) await accounts.insert(account(id));
  await identities.link(identity('s-1'));
  await apiKeys.insert(key('k-1', 'ada'));
  await oidcRecords.put('Grant', 'g-1', record('g-1'));
  await oidcRecords.put('AccessToken', 't-1', record('g-1'));
  await oidcRecords.put('RefreshToken', 'r-1', record('g-1'));
  await linkTokens.put('l-1', link('ada'));
  await leases.acquire('held', 'other', NOW, LATER);
  await metadata.set('known', 'before');
  await presence.put('ada', { lastSeenAt: NOW, until: LATER });
}

/** What a request may do to a store, one after the other; each answer counts. */
async function* work(stores: Stores): AsyncGenerator<unknown> {
  const { accounts, identities, apiKeys, oidcRecords, linkTokens, leases, metadata, presence } = stores;
  yield await accounts.insert(account('dot'));
  yield await accounts.insert(account('dot', { email: 'other@x.test', username: 'other', aliases: {} }));
  yield await accounts.insert(account('eve', { email: 'ADA@x.test' }));
  yield await accounts.insert(account('eve', { username: 'User-Ben' }));
  yield await accounts.insert(account('eve', { aliases: { vsee: '2-cyd' } }));
  yield await accounts.byEmail('default', 'Dot@x.test');
  yield await accounts.byLogin('default', 'user-dot', ['email', 'username']);
  yield await accounts.update({ ...account('ada'), claims: { name: 'Ada' }, email: 'new@x.test' });
  yield await accounts.update({ ...account('ada'), claims: { name: 'Old' } });
  yield await accounts.update({ ...account('ben'), email: 'new@x.test' });
  yield await accounts.byEmail('default', 'ada@x.test');
  yield await accounts.byEmail('default', 'new@x.test');
  yield await accounts.touch('ada', LATER);
  yield await accounts.byId('ada');
  yield [await accounts.remove('cyd'), await accounts.remove('cyd'), await accounts.byAlias('vsee', '2-cyd')];
  yield await accounts.update(account('cyd'));
  yield await accounts.insert(account('cyd'));
  yield await accounts.page('default', { limit: 10 });
  yield await accounts.page('default', { after: 'ben', limit: 1 });
  yield [await identities.link(identity('s-1')), await identities.link(identity('s-2'))];
  yield (await identities.listByAccount('ada')).map(({ subject }) => subject).sort();
  yield await identities.unlink('default', 'https://up.test', 's-1');
  yield await identities.find('default', 'https://up.test', 's-1');
  yield await identities.removeByAccount('ada');
  yield [await apiKeys.insert(key('k-1', 'ada')), await apiKeys.insert(key('k-2', 'ada'), 2)];
  yield await apiKeys.insert(key('k-3', 'ada'), 2);
  yield [
    await apiKeys.remove('k-1', 'ben'),
    await apiKeys.remove('k-1', 'ada'),
    await apiKeys.byHash('hash-k-1'),
  ];
  yield await apiKeys.listByAccount('ada');
  yield await oidcRecords.consume('RefreshToken', 'r-1', NOW);
  yield await oidcRecords.consume('RefreshToken', 'r-1', NOW);
  await oidcRecords.put('RefreshToken', 'r-1', record('g-1', { payload: 'sealed again' }));
  yield await oidcRecords.byId('RefreshToken', 'r-1', NOW);
  yield await oidcRecords.byId('AccessToken', 't-1', LATER);
  await oidcRecords.putAll([{ kind: 'AccessToken', id: 't-2', record: record('g-2') }]);
  yield (await oidcRecords.listByAccount('AccessToken', 'ada', NOW)).map(({ id }) => id).sort();
  yield await oidcRecords.removeByGrant('AccessToken', 'g-1');
  await oidcRecords.removeByGrant(undefined, 'g-1');
  yield await oidcRecords.byId('Grant', 'g-1', NOW);
  yield await oidcRecords.listByGrant('RefreshToken', 'g-1', NOW);
  yield [await oidcRecords.remove('AccessToken', 't-2'), await oidcRecords.remove('AccessToken', 't-2')];
  yield await linkTokens.read('l-1', 'reset', NOW);
  yield [await linkTokens.spend('l-1', 'reset', NOW), await linkTokens.spend('l-1', 'reset', NOW)];
  await linkTokens.put('l-2', link('ada'));
  await linkTokens.removeByAccount('ada', 'verify');
  yield await linkTokens.read('l-2', 'reset', NOW);
  await linkTokens.removeByAccount('ada');
  yield await linkTokens.read('l-2', 'reset', NOW);
  yield [await leases.acquire('held', 'me', NOW, LATER), await leases.acquire('mine', 'me', NOW, LATER)];
  yield await leases.read('mine', NOW);
  yield await leases.complete('mine', 'you', { encrypted: 'e', at: NOW, until: LATER });
  yield await leases.complete('mine', 'me', { encrypted: 'e', at: NOW, until: LATER });
  yield await leases.read('mine', NOW);
  await leases.forget('mine');
  yield await leases.read('mine', NOW);
  yield [
    await metadata.setOnce('known', 'x'),
    await metadata.setOnce('fresh', 'x'),
    await metadata.get('fresh'),
  ];
  yield [await metadata.replace('known', 'x', 'y'), await metadata.replace('known', 'before', 'y')];
  yield await metadata.get('known');
  await presence.put('ben', { lastSeenAt: NOW, until: LATER });
  yield [await presence.read('ben', NOW), await presence.read('ada', LATER)];
  await presence.remove('ada');
  yield await presence.read('ada', NOW);
}

describe('stores that forget', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-forgetful-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const open = async (name: string) => {
    const file = path.join(folder, name);
    const stores = await openEmbeddedStores({ file, log });
    await stores.migrate();
    await fill(stores);
    return { file, stores };
  };
  const digest = async (file: string) => {
    const dump = await openEmbeddedDump({ file, log });
    const text = await dump.digest();
    await dump.close();
    return text;
  };

  it('M23 answer as the store itself, keep nothing, and begin anew each time', async () => {
    const real = await open('real.db');
    const under = await open('under.db');
    const before = await digest(under.file);
    const forgetful = createForgetfulStores(under.stores, systemClock);
    const expected = await Array.fromAsync(work(real.stores));
    for (let times = 0; times < 2; times += 1) {
      const { result, made } = await forgetful.rehearse(NOW, () => Array.fromAsync(work(forgetful.stores)));
      expect(result).to.deep.equal(expected);
      expect(made).to.equal(true);
    }
    expect(await digest(under.file)).to.equal(before);
    expect(await digest(real.file)).not.to.equal(before);
    await Promise.all([real.stores.close(), under.stores.close()]);
  });
});

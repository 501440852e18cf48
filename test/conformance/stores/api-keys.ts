import { expect } from 'chai';
import type { ApiKeyRecord } from '../../../src/model/api-key.ts';
import {
  type BackEnd,
  CALLS,
  countOf,
  fresh,
  hostileNames,
  later,
  type OpenBackEnd,
  times,
} from './back-end.ts';
import { type Racers, startRacers } from './racers.ts';

export function apiKeyStoreSuite(open: OpenBackEnd): void {
  describe('API keys', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.apiKeys;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    const apiKey = (over: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
      id: fresh('key'),
      organization: fresh('clinic'),
      vendor: 'vsee',
      name: 'Front desk',
      keyHash: fresh('hash'),
      scopes: ['read'],
      createdAt: new Date(),
      ...over,
    });

    it('gives back every member as it was stored, by id and by hash', async () => {
      const full = apiKey({
        accountId: fresh('a'),
        secretHash: 'secret',
        expiresAt: new Date(),
        lastUsedAt: new Date(),
      });
      const bare = apiKey();
      for (const key of [full, bare]) {
        expect(await store().insert(key)).to.equal('inserted');
        expect(await store().byId(key.id)).to.deep.equal(key);
        expect(await store().byHash(key.keyHash)).to.deep.equal(key);
      }
    });

    it('refuses an id or a hash that is there already', async () => {
      const key = apiKey();
      await store().insert(key);
      expect(await store().insert(apiKey({ id: key.id }))).to.equal('taken');
      expect(await store().insert(apiKey({ keyHash: key.keyHash }))).to.equal('taken');
      const accountId = fresh('a');
      expect(await store().insert(apiKey({ keyHash: key.keyHash, accountId }), 3)).to.equal('taken');
      expect(await store().listByAccount(accountId)).to.deep.equal([]);
    });

    it(`stores no more than the limit of ${CALLS} keys that one owner asks for at once`, async () => {
      const accountId = fresh('account');
      const outcomes = await racers.race(
        'apiKeys.insert',
        times(CALLS, () => [apiKey({ accountId }), 5]),
      );
      expect(countOf(outcomes, 'inserted')).to.equal(5);
      expect(countOf(outcomes, 'full')).to.equal(CALLS - 5);
      expect(await store().listByAccount(accountId)).to.have.length(5);
    });

    it('has room again after a key was removed, and no limit where none is given', async () => {
      const accountId = fresh('account');
      const keys = times(2, () => apiKey({ accountId }));
      for (const key of keys) expect(await store().insert(key, 2)).to.equal('inserted');
      expect(await store().insert(apiKey({ accountId }), 2)).to.equal('full');
      await store().remove(keys[0]?.id ?? '');
      expect(await store().insert(apiKey({ accountId }), 2)).to.equal('inserted');
      expect(await store().insert(apiKey({ accountId }))).to.equal('inserted');
      expect(await store().insert(apiKey({ accountId }), 3)).to.equal('full');
    });

    it('lists by account and by organization, oldest first', async () => {
      const accountId = fresh('account');
      const organization = fresh('clinic');
      const start = new Date();
      const keys = times(3, (index) => apiKey({ accountId, organization, createdAt: later(start, index) }));
      for (const key of [...keys].reverse()) await store().insert(key);
      const shared = apiKey({ organization, createdAt: later(start, 9) });
      await store().insert(shared);
      expect(await store().listByAccount(accountId)).to.deep.equal(keys);
      expect(await store().listByOrganization(organization)).to.deep.equal([...keys, shared]);
    });

    it('notes its last use', async () => {
      const key = apiKey();
      await store().insert(key);
      const at = later(key.createdAt, 1000);
      await store().touch(key.id, at);
      expect(await store().byId(key.id)).to.deep.equal({ ...key, lastUsedAt: at });
    });

    it(`X2 removes a key for exactly one of ${CALLS} callers, and for its owner only`, async () => {
      const accountId = fresh('account');
      const key = apiKey({ accountId });
      await store().insert(key);
      expect(await store().remove(key.id, 'somebody else')).to.equal(false);
      const removed = await racers.race(
        'apiKeys.remove',
        times(CALLS, () => [key.id, accountId]),
      );
      expect(countOf(removed, true)).to.equal(1);
      expect(await store().byHash(key.keyHash)).to.equal(undefined);
    });

    it('removes all keys of an account', async () => {
      const accountId = fresh('account');
      for (const key of [apiKey({ accountId }), apiKey({ accountId })]) await store().insert(key, 5);
      const other = apiKey({ accountId: fresh('other') });
      await store().insert(other);
      expect(await store().removeByAccount(accountId)).to.equal(2);
      expect(await store().listByAccount(accountId)).to.deep.equal([]);
      expect(await store().byId(other.id)).to.deep.equal(other);
    });

    it('X5 keeps keys apart whose ids, hashes and owners are hostile', async () => {
      const names = hostileNames();
      for (const name of names) {
        const key = apiKey({ id: name, keyHash: name, organization: name, accountId: name });
        expect(await store().insert(key, 1)).to.equal('inserted');
      }
      for (const name of names) {
        expect((await store().byHash(name))?.id === name).to.equal(true);
        expect(await store().listByAccount(name)).to.have.length(1);
        expect(await store().listByOrganization(name)).to.have.length(1);
      }
    });
  });
}

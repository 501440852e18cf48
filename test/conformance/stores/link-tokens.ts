import { expect } from 'chai';
import type { LinkTokenRecord } from '../../../src/store/ports/link-tokens.ts';
import { type BackEnd, CALLS, fresh, hostileNames, later, type OpenBackEnd, times } from './back-end.ts';
import { expectExpiryAt } from './expiry.ts';
import { type Racers, startRacers } from './racers.ts';

export function linkTokenStoreSuite(open: OpenBackEnd): void {
  describe('link tokens', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.linkTokens;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    const linkToken = (over: Partial<LinkTokenRecord> = {}): LinkTokenRecord => ({
      purpose: 'reset',
      organization: 'clinic',
      data: 'sealed "ä"\0\n',
      createdAt: new Date(),
      expiresAt: later(new Date(), 600_000),
      ...over,
    });

    it('is read as it was stored, without being spent', async () => {
      for (const record of [linkToken(), linkToken({ accountId: fresh('account') })]) {
        const hash = fresh('hash');
        await store().put(hash, record);
        expect(await store().read(hash, 'reset', new Date())).to.deep.equal(record);
        expect(await store().read(hash, 'reset', new Date())).to.deep.equal(record);
        expect(await store().spend(hash, 'reset', new Date())).to.deep.equal(record);
      }
    });

    it('X2 goes to exactly one of 50 callers', async () => {
      const hash = fresh('hash');
      const record = linkToken({ accountId: fresh('account') });
      await store().put(hash, record);
      const answers = await racers.race(
        'linkTokens.spend',
        times(CALLS, () => [hash, 'reset', new Date()]),
      );
      expect(answers.filter((answer) => answer !== undefined)).to.deep.equal([record]);
      expect(await store().read(hash, 'reset', new Date())).to.equal(undefined);
    });

    it('is good for its purpose only', async () => {
      const hash = fresh('hash');
      await store().put(hash, linkToken());
      expect(await store().read(hash, 'verify', new Date())).to.equal(undefined);
      expect(await store().spend(hash, 'verify', new Date())).to.equal(undefined);
      expect(await store().spend(hash, 'reset', new Date())).not.to.equal(undefined);
    });

    it('X3 dies at its expiry by the clock of the caller', async () => {
      const hash = fresh('hash');
      const record = linkToken();
      await store().put(hash, record);
      await expectExpiryAt(
        record.expiresAt,
        async (now) => (await store().read(hash, 'reset', now)) !== undefined,
      );
      for (const offset of [1000, 0]) {
        expect(await store().spend(hash, 'reset', later(record.expiresAt, offset))).to.equal(undefined);
      }
      expect(await store().spend(hash, 'reset', later(record.expiresAt, -1))).to.deep.equal(record);
    });

    it('ends with its account, for one purpose or for all', async () => {
      const accountId = fresh('account');
      const put = async (over: Partial<LinkTokenRecord>) => {
        const hash = fresh('hash');
        await store().put(hash, linkToken(over));
        return hash;
      };
      const reset = await put({ accountId });
      const verify = await put({ accountId, purpose: 'verify' });
      const other = await put({ accountId: fresh('other') });
      await store().removeByAccount(accountId, 'reset');
      expect(await store().read(reset, 'reset', new Date())).to.equal(undefined);
      expect(await store().read(verify, 'verify', new Date())).not.to.equal(undefined);
      await store().removeByAccount(accountId);
      expect(await store().read(verify, 'verify', new Date())).to.equal(undefined);
      expect(await store().read(other, 'reset', new Date())).not.to.equal(undefined);
    });

    it('X5 keeps link tokens apart whose hashes, purposes and accounts are hostile', async () => {
      const names = hostileNames();
      for (const name of names)
        await store().put(name, linkToken({ purpose: name, accountId: name, data: name }));
      for (const [index, name] of names.entries()) {
        expect((await store().read(name, name, new Date()))?.data === name).to.equal(true);
        if (index % 2) expect((await store().spend(name, name, new Date()))?.data === name).to.equal(true);
        else await store().removeByAccount(name, name);
        expect(await store().read(name, name, new Date())).to.equal(undefined);
      }
    });
  });
}

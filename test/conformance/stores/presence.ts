import { expect } from 'chai';
import { type BackEnd, fresh, hostileNames, later, type OpenBackEnd } from './back-end.ts';
import { expectExpiryAt } from './expiry.ts';

export function presenceStoreSuite(open: OpenBackEnd): void {
  describe('presence', () => {
    let backEnd: BackEnd;
    const store = () => backEnd.stores.presence;
    before(async () => {
      backEnd = await open();
    });
    after(() => backEnd.close());

    it('is what was noted last, until it is removed', async () => {
      const accountId = fresh('account');
      const now = new Date();
      expect(await store().read(accountId, now)).to.equal(undefined);
      for (const seconds of [1, 2]) {
        const presence = { lastSeenAt: later(now, seconds * 1000), until: later(now, 60_000 + seconds) };
        await store().put(accountId, presence);
        expect(await store().read(accountId, now)).to.deep.equal(presence);
      }
      await store().remove(accountId);
      expect(await store().read(accountId, now)).to.equal(undefined);
      await store().remove(accountId);
    });

    it('X3 ends by the clock of the caller', async () => {
      const accountId = fresh('account');
      const until = later(new Date(), 60_000);
      await store().put(accountId, { lastSeenAt: new Date(), until });
      await expectExpiryAt(until, async (now) => (await store().read(accountId, now)) !== undefined);
    });

    it('X5 stays apart where account ids are hostile', async () => {
      const names = hostileNames();
      const now = new Date();
      for (const [index, name] of names.entries()) {
        await store().put(name, { lastSeenAt: later(now, index), until: later(now, 60_000) });
      }
      for (const [index, name] of names.entries()) {
        expect((await store().read(name, now))?.lastSeenAt).to.deep.equal(later(now, index));
      }
    });
  });
}

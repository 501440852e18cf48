import { expect } from 'chai';
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

export function leaseStoreSuite(open: OpenBackEnd): void {
  describe('leases', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.leases;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    /** A key that `owner` claimed until 10 s after `now`. */
    const claimed = async (owner = 'owner') => {
      const key = fresh('key');
      const now = new Date();
      const until = later(now, 10_000);
      expect(await store().acquire(key, owner, now, until)).to.equal(true);
      return { key, now, until };
    };

    it('X2 go to exactly one of 50 callers', async () => {
      const key = fresh('key');
      const now = new Date();
      const answers = await racers.race(
        'leases.acquire',
        times(CALLS, (index) => [key, `owner-${index}`, now, later(now, 10_000)]),
      );
      expect(countOf(answers, true)).to.equal(1);
      const winner = `owner-${answers.indexOf(true)}`;
      const settled = await racers.race(
        'leases.complete',
        times(CALLS, (index) => [
          key,
          `owner-${index}`,
          { encrypted: `by ${index}`, at: now, until: later(now, 10_000) },
        ]),
      );
      expect(countOf(settled, true)).to.equal(1);
      expect(await store().read(key, now)).to.deep.equal({ encrypted: `by ${winner.slice(6)}`, at: now });
    });

    it('tell the others where the work stands', async () => {
      const key = fresh('key');
      const now = new Date();
      expect(await store().read(key, now)).to.equal('free');
      await store().acquire(key, 'owner', now, later(now, 10_000));
      expect(await store().read(key, now)).to.equal('claimed');
      const at = later(now, 500);
      expect(
        await store().complete(key, 'owner', { encrypted: 'done', at, until: later(now, 20_000) }),
      ).to.equal(true);
      expect(await store().read(key, now)).to.deep.equal({ encrypted: 'done', at });
      expect(await store().acquire(key, 'late', now, later(now, 10_000))).to.equal(false);
    });

    it('X3 run out by the clock of the caller, so that another can do the work', async () => {
      const { key, until } = await claimed();
      expect(await store().read(key, later(until, -1))).to.equal('claimed');
      expect(await store().acquire(key, 'second', later(until, -1), later(until, 10_000))).to.equal(false);
      expect(await store().read(key, until)).to.equal('free');
      const second = await racers.race(
        'leases.acquire',
        times(CALLS, (index) => [key, `second-${index}`, until, later(until, 10_000)]),
      );
      expect(countOf(second, true)).to.equal(1);
      expect(
        await store().complete(key, 'owner', { encrypted: 'late', at: until, until: later(until, 1000) }),
      ).to.equal(false);
      expect(await store().read(key, until)).to.equal('claimed');
    });

    it('are not settled by their owner after they ran out', async () => {
      const { key, until } = await claimed();
      expect(
        await store().complete(key, 'owner', { encrypted: 'late', at: until, until: later(until, 1000) }),
      ).to.equal(false);
      expect(await store().read(key, later(until, -1))).to.equal('claimed');
    });

    it('X3 keep a result until its own end, by the clock of the caller', async () => {
      const { key, now } = await claimed();
      const until = later(now, 30_000);
      await store().complete(key, 'owner', { encrypted: 'done', at: now, until });
      expect(await store().read(key, later(until, -1))).to.deep.equal({ encrypted: 'done', at: now });
      expect(await store().read(key, until)).to.equal('free');
      expect(await store().acquire(key, 'next', until, later(until, 10_000))).to.equal(true);
      expect(await store().read(key, until)).to.equal('claimed');
    });

    it('are given up by their owner only, and only while unsettled', async () => {
      const { key, now, until } = await claimed();
      await store().release(key, 'somebody else');
      expect(await store().read(key, now)).to.equal('claimed');
      await store().release(key, 'owner');
      expect(await store().read(key, now)).to.equal('free');
      expect(await store().acquire(key, 'second', now, until)).to.equal(true);
      await store().complete(key, 'second', { encrypted: 'done', at: now, until });
      await store().release(key, 'second');
      expect(await store().read(key, now)).to.deep.equal({ encrypted: 'done', at: now });
    });

    it('are forgotten whoever holds them, and then no late result comes back', async () => {
      const { key, now, until } = await claimed();
      await store().forget(key);
      expect(await store().complete(key, 'owner', { encrypted: 'late', at: now, until })).to.equal(false);
      expect(await store().read(key, now)).to.equal('free');
      await store().acquire(key, 'owner', now, until);
      await store().complete(key, 'owner', { encrypted: 'done', at: now, until });
      await store().forget(key);
      expect(await store().read(key, now)).to.equal('free');
    });

    it('X5 stay apart where keys and owners are hostile', async () => {
      const names = hostileNames();
      const now = new Date();
      const until = later(now, 10_000);
      for (const name of names) expect(await store().acquire(name, name, now, until)).to.equal(true);
      for (const name of names) {
        expect(await store().complete(name, 'x', { encrypted: 'forged', at: now, until })).to.equal(false);
        expect(await store().complete(name, name, { encrypted: name, at: now, until })).to.equal(true);
      }
      for (const name of names) {
        const state = await store().read(name, now);
        expect(typeof state === 'object' && state.encrypted === name).to.equal(true);
      }
    });
  });
}

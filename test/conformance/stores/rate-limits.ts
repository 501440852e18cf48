import { expect } from 'chai';
import type { Budget, Limit, Standing, Taken } from '../../../src/store/ports/rate-limits.ts';
import { type BackEnd, CALLS, fresh, hostileNames, later, type OpenBackEnd, times } from './back-end.ts';
import { expectExpiryAt } from './expiry.ts';
import { type Racers, startRacers } from './racers.ts';

const LIMIT = { limit: 3, window: 60_000 };

export function rateLimitStoreSuite(open: OpenBackEnd): void {
  describe('attempts', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.rateLimits;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    describe('in a sliding window', () => {
      it('are allowed up to the limit and then refused until the oldest has left the window', async () => {
        const key = fresh('key');
        const start = new Date();
        const take = (offset: number) => store().take(key, fresh('mark'), LIMIT, later(start, offset));
        expect(await take(0)).to.deep.equal({ allowed: true, count: 1, retryAfter: 0 });
        expect(await take(1000)).to.deep.equal({ allowed: true, count: 2, retryAfter: 0 });
        expect(await take(2000)).to.deep.equal({ allowed: true, count: 3, retryAfter: 58_000 });
        expect(await take(3000)).to.deep.equal({ allowed: false, count: 3, retryAfter: 57_000 });
        expect(await take(59_999)).to.deep.equal({ allowed: false, count: 3, retryAfter: 1 });
        expect(await take(60_000)).to.deep.equal({ allowed: true, count: 3, retryAfter: 1000 });
        expect(await take(60_500)).to.deep.equal({ allowed: false, count: 3, retryAfter: 500 });
        expect(await take(200_000)).to.deep.equal({ allowed: true, count: 1, retryAfter: 0 });
      });

      it(`never pass the limit: of ${CALLS} from two processes at once exactly as many are allowed`, async () => {
        const key = fresh('key');
        const now = new Date();
        const limit = { limit: 10, window: 60_000 };
        const taken = await racers.race(
          'rateLimits.take',
          times(CALLS, () => [key, fresh('mark'), limit, now]),
        );
        const allowed = (taken as Taken[]).filter((one) => one.allowed);
        expect(allowed).to.have.length(10);
        expect(allowed.map((one) => one.count).sort((a, b) => a - b)).to.deep.equal(
          times(10, (index) => index + 1),
        );
        expect((await store().peek(key, limit, now)).count).to.equal(10);
      });

      it('leave no trace when they are refused', async () => {
        const key = fresh('key');
        const start = new Date();
        for (const offset of [0, 0, 0, 30_000, 30_000]) {
          await store().take(key, fresh('mark'), LIMIT, later(start, offset));
        }
        expect(await store().peek(key, LIMIT, later(start, 60_000))).to.deep.equal({
          allowed: true,
          count: 0,
          retryAfter: 0,
        });
      });

      it('are read without being counted', async () => {
        const key = fresh('key');
        const now = new Date();
        expect(await store().peek(key, LIMIT, now)).to.deep.equal({ allowed: true, count: 0, retryAfter: 0 });
        for (const mark of ['a', 'b', 'c']) await store().take(key, mark, LIMIT, now);
        for (const _ of times(3, () => 0)) {
          expect(await store().peek(key, LIMIT, now)).to.deep.equal({
            allowed: false,
            count: 3,
            retryAfter: 60_000,
          });
        }
      });

      it('are given back one by one', async () => {
        const key = fresh('key');
        const now = new Date();
        for (const mark of ['a', 'b', 'c']) await store().take(key, mark, LIMIT, now);
        await store().giveBack(key, 'b');
        await store().giveBack(key, 'b');
        await store().giveBack(fresh('other'), 'a');
        expect((await store().peek(key, LIMIT, now)).count).to.equal(2);
        expect((await store().take(key, 'd', LIMIT, now)).allowed).to.equal(true);
        expect((await store().take(key, 'e', LIMIT, now)).allowed).to.equal(false);
      });

      it('are cleared for one key only', async () => {
        const [key, other] = [fresh('key'), fresh('other')];
        const now = new Date();
        for (const name of [key, other]) await store().take(name, 'a', LIMIT, now);
        await store().takeInWindow(key, LIMIT, now);
        await store().clear(key);
        expect((await store().peek(key, LIMIT, now)).count).to.equal(0);
        expect((await store().peekWindow(key, LIMIT, now)).count).to.equal(0);
        expect((await store().peek(other, LIMIT, now)).count).to.equal(1);
      });

      it('tell when there is room under a limit that was lowered meanwhile', async () => {
        const key = fresh('key');
        const start = new Date();
        for (const offset of [0, 1000, 2000])
          await store().take(key, fresh('m'), LIMIT, later(start, offset));
        const lowered = { limit: 1, window: 60_000 };
        expect(await store().peek(key, lowered, later(start, 2000))).to.deep.equal({
          allowed: false,
          count: 3,
          retryAfter: 60_000,
        });
      });

      it('X3 are still counted by a window that was made longer after them', async () => {
        const key = fresh('key');
        const start = new Date();
        const take = (offset: number, limit: Limit) =>
          store().take(key, fresh('m'), limit, later(start, offset));
        for (const offset of [0, 1000]) await take(offset, LIMIT);
        const longer = { limit: 3, window: 90_000 };
        expect(await take(70_000, longer)).to.deep.equal({ allowed: true, count: 3, retryAfter: 20_000 });
        expect(await take(70_000, longer)).to.deep.equal({ allowed: false, count: 3, retryAfter: 20_000 });
      });
    });

    describe('in a fixed window', () => {
      it('X3 begin their window with the first, and begin anew after its end', async () => {
        const key = fresh('key');
        const start = new Date();
        const take = (offset: number) => store().takeInWindow(key, LIMIT, later(start, offset));
        expect(await store().peekWindow(key, LIMIT, start)).to.deep.equal({
          allowed: true,
          count: 0,
          retryAfter: 0,
        });
        expect(await take(0)).to.deep.equal({ allowed: true, count: 1, retryAfter: 60_000 });
        expect(await take(10_000)).to.deep.equal({ allowed: true, count: 2, retryAfter: 50_000 });
        expect(await take(50_000)).to.deep.equal({ allowed: true, count: 3, retryAfter: 10_000 });
        expect(await take(59_999)).to.deep.equal({ allowed: false, count: 3, retryAfter: 1 });
        expect(await store().peekWindow(key, LIMIT, later(start, 59_999))).to.deep.equal({
          allowed: false,
          count: 3,
          retryAfter: 1,
        });
        expect(await store().peekWindow(key, LIMIT, later(start, 60_000))).to.deep.equal({
          allowed: true,
          count: 0,
          retryAfter: 0,
        });
        expect(await take(60_000)).to.deep.equal({ allowed: true, count: 1, retryAfter: 60_000 });
        expect(await take(120_000)).to.deep.equal({ allowed: true, count: 1, retryAfter: 60_000 });
      });

      it(`never pass the limit: of ${CALLS} from two processes at once exactly as many are allowed`, async () => {
        const key = fresh('key');
        const now = new Date();
        const taken = await racers.race(
          'rateLimits.takeInWindow',
          times(CALLS, () => [key, { limit: 7, window: 60_000 }, now]),
        );
        expect((taken as Taken[]).filter((one) => one.allowed)).to.have.length(7);
        expect((await store().peekWindow(key, { limit: 7, window: 60_000 }, now)).count).to.equal(7);
      });

      it('are counted apart from the sliding window of the same key', async () => {
        const key = fresh('key');
        const now = new Date();
        await store().take(key, 'a', LIMIT, now);
        await store().takeInWindow(key, LIMIT, now);
        expect((await store().peek(key, LIMIT, now)).count).to.equal(1);
        expect((await store().peekWindow(key, LIMIT, now)).count).to.equal(1);
      });
    });

    for (const kind of ['sliding', 'fixed'] as const) {
      describe(`of which only some outcomes count (${kind} window)`, () => {
        const budget = (limit = 3): Budget => ({ key: fresh('key'), limit: { limit, window: 60_000 }, kind });
        const flight = () => ({ mark: fresh('mark'), lifetime: 300_000 });
        const rooms = (standings: readonly Standing[]) => standings.map(({ room }) => room);
        const charged = ({ key, limit }: Budget, now: Date) =>
          kind === 'fixed' ? store().peekWindow(key, limit, now) : store().peek(key, limit, now);

        it(`B6 never hold more than the limit: of ${CALLS} from two processes at once exactly as many are held`, async () => {
          const shared = budget(10);
          const now = new Date();
          const calls = times(CALLS, () => [[shared], flight(), now]);
          const held = (await racers.race('rateLimits.hold', calls)) as (readonly Standing[])[];
          expect(held.filter(([standing]) => standing?.room)).to.have.length(10);
          expect((await charged(shared, now)).count, 'what is in flight is not charged').to.equal(0);
        });

        it(`B6 never let in more than the limit while flights are charged by two processes`, async () => {
          const shared = budget(10);
          const now = new Date();
          const calls = times(CALLS, () => [shared, now]);
          const judged = await racers.race('holdAndCharge', calls);
          expect(judged.filter(Boolean)).to.have.length(10);
          expect((await charged(shared, now)).count).to.equal(10);
          expect(rooms(await store().hold([shared], flight(), now))).to.deep.equal([false]);
        });

        it('B6 are held all or none, and say what is charged', async () => {
          const [full, roomy] = [budget(), budget()];
          const now = new Date();
          for (const { mark } of times(3, flight)) await store().finish(mark, { charge: [full] }, now);
          for (const _ of times(5, () => 0)) {
            const standings = await store().hold([roomy, full], flight(), now);
            expect(rooms(standings)).to.deep.equal([true, false]);
            expect(standings[1]?.charged).to.deep.equal({ allowed: false, count: 3, retryAfter: 60_000 });
          }
          for (const one of times(3, flight))
            expect(rooms(await store().hold([roomy], one, now))).to.deep.equal([true]);
          expect(rooms(await store().hold([roomy], flight(), now))).to.deep.equal([false]);
        });

        it('B6 end in one call: charged, released, cleared and remembered', async () => {
          const [paid, free, forgotten] = [budget(1), budget(1), budget(1)];
          const [now, seen] = [new Date(), fresh('seen')];
          const one = flight();
          await store().finish(fresh('mark'), { charge: [forgotten] }, now);
          expect(rooms(await store().hold([paid, free], one, now))).to.deep.equal([true, true]);
          const remember = { key: seen, until: later(now, 1000) };
          const end = { charge: [paid], release: [free], clear: [forgotten.key], remember };
          await store().finish(one.mark, end, now);
          expect((await charged(paid, now)).count).to.equal(1);
          expect(rooms(await store().hold([paid], flight(), now))).to.deep.equal([false]);
          expect(rooms(await store().hold([free, forgotten], flight(), now))).to.deep.equal([true, true]);
          expect(await store().rememberedUntil(seen, now)).to.deep.equal(remember.until);
        });

        it('B6 come back when a flight has lasted for its lifetime', async () => {
          const one = budget(1);
          const now = new Date();
          await store().hold([one], flight(), now);
          expect(rooms(await store().hold([one], flight(), later(now, 299_999)))).to.deep.equal([false]);
          expect(rooms(await store().hold([one], flight(), later(now, 300_000)))).to.deep.equal([true]);
        });
      });
    }

    it('X3 remembers a key until the moment given, by the clock of the caller', async () => {
      const key = fresh('key');
      const until = later(new Date(), 60_000);
      expect(await store().rememberedUntil(key, new Date())).to.equal(undefined);
      await store().remember(key, until);
      await expectExpiryAt(until, async (now) => (await store().rememberedUntil(key, now)) !== undefined);
      await store().remember(key, later(until, -30_000));
      expect(
        await store().rememberedUntil(key, later(until, -1)),
        'a shorter memory does not cut a longer one',
      ).to.deep.equal(until);
      await store().remember(key, later(until, 30_000));
      expect(await store().rememberedUntil(key, until)).to.deep.equal(later(until, 30_000));
    });

    it('X5 keeps counters apart whose keys and marks are hostile', async () => {
      const names = hostileNames();
      const now = new Date();
      const key = fresh('key');
      const room = { limit: 1000, window: 60_000 };
      for (const name of names) {
        expect((await store().take(name, 'mark', LIMIT, now)).count).to.equal(1);
        expect((await store().takeInWindow(name, LIMIT, now)).count).to.equal(1);
        expect(await store().rememberedUntil(name, now)).to.equal(undefined);
        await store().remember(name, later(now, 1000));
        await store().take(key, name, room, now);
      }
      expect((await store().peek(key, room, now)).count).to.equal(names.length);
      for (const name of names) await store().giveBack(key, name);
      expect((await store().peek(key, room, now)).count).to.equal(0);
    });
  });
}

import { expect } from 'chai';
import type { DeliveryRecord } from '../../../src/store/ports/deliveries.ts';
import { type BackEnd, CALLS, fresh, later, type OpenBackEnd, times } from './back-end.ts';
import { expectExpiryAt } from './expiry.ts';
import { type Racers, startRacers } from './racers.ts';

const HOUR = 3_600_000;

export function deliveryStoreSuite(open: OpenBackEnd): void {
  describe('deliveries', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.deliveries;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    const delivery = (over: Partial<DeliveryRecord> = {}): DeliveryRecord => ({
      id: fresh('delivery:*"\0{}$ä'),
      clientId: 'app',
      accountId: 'account',
      sid: 'sid',
      createdAt: new Date(),
      dueAt: new Date(),
      endsAt: later(new Date(), HOUR),
      expiresAt: later(new Date(), 2 * HOUR),
      tries: 0,
      version: 1,
      ...over,
    });

    it('LO1 is read as it was added, and only once of 50 that add it', async () => {
      const record = delivery({ organization: 'clinic', problem: 'HTTP 500', revokes: true });
      const answers = await racers.race(
        'deliveries.add',
        times(CALLS, () => [[record]]),
      );
      expect(answers.flat()).to.deep.equal([record.id]);
      expect(await store().byId(record.id, new Date())).to.deep.equal(record);
      const other = delivery({ clientId: record.clientId });
      expect(await store().add([record, other])).to.deep.equal([other.id]);
      expect(await store().add([])).to.deep.equal([]);
      expect(await store().remove(record.id)).to.equal(true);
      expect(await store().remove(record.id)).to.equal(false);
      await store().remove(other.id);
    });

    it('LO1 is due at its moment, the longest due first, and not for a client that is left out', async () => {
      const now = later(new Date(), -HOUR);
      const clientId = fresh('slow');
      const [late, early, waiting, given] = [
        delivery({ dueAt: now, clientId }),
        delivery({ dueAt: later(now, -1000), clientId: fresh('app') }),
        delivery({ dueAt: later(now, 1), clientId }),
        delivery({ clientId }),
      ];
      const { dueAt: _never, ...dead } = given;
      await store().add([late, early, waiting, dead]);
      const due = async (limit: number, except: string[] = [], at = now) =>
        (await store().due(at, { limit, except })).map(({ id }) => id);
      expect(await due(10)).to.deep.equal([early.id, late.id]);
      expect(await due(1)).to.deep.equal([early.id]);
      expect(await due(10, [clientId, 'nobody'])).to.deep.equal([early.id]);
      expect(await due(10, [], later(now, 1))).to.deep.equal([early.id, late.id, waiting.id]);
      for (const { id } of [late, early, waiting, given]) await store().remove(id);
    });

    it('LO1 of 50 callers one takes it, and an older version of it changes nothing', async () => {
      const record = delivery();
      await store().add([record]);
      const taken = { ...record, tries: 1, dueAt: later(new Date(), HOUR) };
      const answers = await racers.race(
        'deliveries.update',
        times(CALLS, () => [taken]),
      );
      expect(answers.filter((answer) => answer === true)).to.have.length(1);
      expect(await store().byId(record.id, new Date())).to.deep.equal({ ...taken, version: 2 });
      const { dueAt: _none, ...given } = { ...taken, version: 2, problem: 'HTTP 500' };
      expect(await store().update(given), 'given up').to.equal(true);
      expect(await store().byId(record.id, new Date())).to.deep.equal({ ...given, version: 3 });
      expect(await store().update(record)).to.equal(false);
      await store().remove(record.id);
      expect(await store().update({ ...given, version: 3 }), 'gone').to.equal(false);
    });

    it('LO1 X3 ends at its expiry by the clock of the caller', async () => {
      const record = delivery({ clientId: fresh('app') });
      await store().add([record]);
      const { expiresAt, clientId } = record;
      await expectExpiryAt(expiresAt, async (now) => (await store().byId(record.id, now)) !== undefined);
      await expectExpiryAt(expiresAt, async (now) => {
        const [due, listed] = [
          await store().due(now, { limit: 1000, except: [] }),
          await store().list(now, { clientId, limit: 10 }),
        ];
        expect(due.some(({ id }) => id === record.id)).to.equal(listed.length === 1);
        return listed.length === 1;
      });
      await store().remove(record.id);
    });

    it('LO1 a list has the newest first, of one client, of those that wait or those that were given up', async () => {
      const now = new Date();
      const clientId = fresh('app');
      const [old, young, given] = [
        delivery({ clientId, createdAt: later(now, -2) }),
        delivery({ clientId, createdAt: later(now, -1) }),
        delivery({ clientId, createdAt: now }),
      ];
      const { dueAt: _never, ...dead } = given;
      await store().add([old, young, dead]);
      const ids = async (filter: object, limit = 10) =>
        (await store().list(now, { clientId, limit, ...filter })).map(({ id }) => id);
      expect(await ids({})).to.deep.equal([dead.id, young.id, old.id]);
      expect(await ids({}, 2)).to.deep.equal([dead.id, young.id]);
      expect(await ids({ waiting: true })).to.deep.equal([young.id, old.id]);
      expect(await ids({ waiting: false })).to.deep.equal([dead.id]);
      expect(await ids({ clientId: fresh('other') })).to.deep.equal([]);
    });
  });
}

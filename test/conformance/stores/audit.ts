import { expect } from 'chai';
import type { AuditRecord } from '../../../src/model/audit-event.ts';
import type { AuditFilter } from '../../../src/store/ports/audit.ts';
import { type BackEnd, fresh, hostileNames, later, type OpenBackEnd, times } from './back-end.ts';

export function auditStoreSuite(open: OpenBackEnd): void {
  describe('the audit log', () => {
    let backEnd: BackEnd;
    const store = () => backEnd.stores.audit;
    before(async () => {
      backEnd = await open();
    });
    after(() => backEnd.close());

    it('gives back every member, newest first, as many as are asked for', async () => {
      const organization = fresh('clinic');
      const start = new Date();
      const records = times(
        4,
        (index): AuditRecord => ({
          at: later(start, index),
          event: 'sign-in',
          outcome: 'refused',
          organization,
          subject: fresh('account'),
          clientId: 'client',
          address: '192.0.2.1',
          requestId: fresh('request'),
          detail: { 'a.b': '"\0', $list: [1, null] },
        }),
      );
      for (const record of records) await store().append(record);
      expect(await store().latest({ organization, limit: 3 })).to.deep.equal(
        [...records].reverse().slice(0, 3),
      );
      expect(await store().latest({ organization, limit: 10 })).to.have.length(4);
    });

    it('is read for one organization, for one subject, for both, or whole', async () => {
      const [organization, subject] = [fresh('clinic'), fresh('account')];
      const record = (over: Partial<AuditRecord>): AuditRecord => ({
        at: new Date(),
        event: 'sign-in',
        outcome: 'success',
        ...over,
      });
      await store().append(record({ organization }));
      await store().append(record({ subject }));
      await store().append(record({ organization, subject }));
      expect(await store().latest({ organization, limit: 10 })).to.have.length(2);
      expect(await store().latest({ subject, limit: 10 })).to.have.length(2);
      expect(await store().latest({ organization, subject, limit: 10 })).to.have.length(1);
      expect((await store().latest({ limit: 3 })).length).to.equal(3);
    });

    it('CMD4 is read by event, client, channel, outcome and time, page by page, each record once', async () => {
      const organization = fresh('clinic');
      const start = new Date();
      const written: AuditRecord[] = [];
      for (let index = 0; index < 24; index += 1) {
        // Three of each moment, so that a page ends within one.
        const at = later(start, Math.floor(index / 3) * 1000);
        const event = index % 2 === 0 ? 'sign-in' : 'limit';
        const channel = ['hosted', 'vsee', undefined][index % 3];
        const named = index % 4 === 0 ? 'door' : 'channel';
        written.push({
          ...{ at, event, organization, outcome: index % 5 === 0 ? 'refused' : 'success' },
          ...(index % 2 === 0 && { clientId: `client "${index % 4}` }),
          ...{ requestId: String(index), detail: channel === undefined ? {} : { [named]: channel } },
        });
      }
      for (const record of written) await store().append(record);
      const newest = written.toReversed();
      const channelOfRecord = ({ detail = {} }: AuditRecord) => detail.channel ?? detail.door;
      const [from, to] = [later(start, 2000), later(start, 5000)];
      const cases: [AuditFilter, (record: AuditRecord) => boolean][] = [
        [{}, () => true],
        [{ event: 'limit' }, ({ event }) => event === 'limit'],
        [{ clientId: 'client "2' }, ({ clientId }) => clientId === 'client "2'],
        [{ channel: 'vsee' }, (record) => channelOfRecord(record) === 'vsee'],
        [{ channel: 'hosted' }, (record) => channelOfRecord(record) === 'hosted'],
        [{ outcome: 'refused' }, ({ outcome }) => outcome === 'refused'],
        [{ from }, ({ at }) => at >= from],
        [{ from, to }, ({ at }) => at >= from && at < to],
        [
          { event: 'sign-in', to, outcome: 'success' },
          ({ event, at, outcome }) => event === 'sign-in' && at < to && outcome === 'success',
        ],
        [{ event: 'none' }, () => false],
      ];
      for (const [filter, fits] of cases) {
        const expected = newest.filter(fits);
        const what = JSON.stringify(filter);
        expect(await store().latest({ organization, ...filter, limit: 100 }), what).to.deep.equal(expected);
        for (const limit of [1, 2, 5, 24]) {
          const read: AuditRecord[] = [];
          let after: string | undefined;
          do {
            const page = await store().page({ organization, ...filter, limit, after });
            expect(page.records.length).to.be.at.most(limit);
            read.push(...page.records);
            after = page.next;
          } while (after !== undefined);
          expect(read, `${what} by ${limit}`).to.deep.equal(expected);
        }
      }
      // What is written meanwhile moves no page.
      const first = await store().page({ organization, limit: 5 });
      await store().append({
        at: new Date(Date.now() + 60_000),
        event: 'later',
        outcome: 'success',
        organization,
      });
      const second = await store().page({ organization, limit: 5, after: first.next });
      expect([...first.records, ...second.records]).to.deep.equal(newest.slice(0, 10));
      const wrong = await store()
        .page({ organization, limit: 5, after: '$where' })
        .catch((error: unknown) => error);
      expect(wrong).to.be.instanceOf(RangeError);
    });

    it('keeps the order of records of one moment', async () => {
      const organization = fresh('clinic');
      const at = new Date();
      for (const event of ['first', 'second', 'third']) {
        await store().append({ at, event, outcome: 'success', organization });
      }
      const events = (await store().latest({ organization, limit: 10 })).map((record) => record.event);
      expect(events).to.deep.equal(['third', 'second', 'first']);
    });

    it('is rid of what is older than a moment, however much that is, and of nothing else', async () => {
      const [organization, moment] = [fresh('clinic'), new Date('2001-02-03T04:05:06.007Z')];
      const record = (at: Date): AuditRecord => ({ at, event: 'sign-in', outcome: 'success', organization });
      await store().removeBefore(moment);
      // Some at a time: a store may refuse a thousand at once.
      for (let begun = 0; begun < 1001; begun += 77) {
        await Promise.all(times(77, (index) => store().append(record(later(moment, -1 - begun - index)))));
      }
      const kept = [record(later(moment, 1)), record(moment)];
      for (const one of kept) await store().append(one);
      expect(await store().removeBefore(moment)).to.equal(1001);
      expect(await store().latest({ organization, limit: 10 })).to.deep.equal(kept);
      expect(await store().removeBefore(moment)).to.equal(0);
    });

    it('X5 keeps organizations apart whose ids are hostile', async () => {
      const names = hostileNames();
      for (const name of names) {
        await store().append({ at: new Date(), event: 'sign-in', outcome: 'success', organization: name });
      }
      for (const name of names) {
        expect(await store().latest({ organization: name, limit: 5 })).to.have.length(1);
      }
    });
  });
}

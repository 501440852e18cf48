import { expect } from 'chai';
import { type BackEnd, fresh, hostileNames, type OpenBackEnd, times } from './back-end.ts';
import { startRacers } from './racers.ts';

/** Nodes that add to a day at once. */
const NODES = 10;

export function usageStoreSuite(open: OpenBackEnd): void {
  describe('usage', () => {
    let backEnd: BackEnd;
    const store = () => backEnd.stores.usage;
    const own = async (day: string, names: readonly string[]) =>
      (await store().since(day)).filter(({ dialect }) => names.includes(dialect));
    before(async () => {
      backEnd = await open();
    });
    after(() => backEnd.close());

    it(`M26 has every change of ${NODES} callers that change one day at once`, async () => {
      const dialect = fresh('dialect');
      const racers = await startRacers(backEnd);
      try {
        await racers.race(
          'countUsage',
          times(NODES, () => ['2026-11-29', dialect]),
        );
      } finally {
        await racers.close();
      }
      expect(await own('2026-11-29', [dialect])).to.deep.equal([
        { day: '2026-11-29', dialect, tallies: String(NODES) },
      ]);
    });

    it('is read from a day on, in order, and each dialect stays apart', async () => {
      const [one = '', ...others] = hostileNames();
      for (const day of ['2027-01-02', '2027-01-01', '2026-12-31'])
        await store().change(day, one, () => `of ${day}`);
      for (const dialect of others) await store().change('2027-01-02', dialect, () => dialect);
      expect(await own('2027-01-01', [one])).to.deep.equal(
        ['2027-01-01', '2027-01-02'].map((day) => ({ day, dialect: one, tallies: `of ${day}` })),
      );
      const rest = await own('2027-01-02', others);
      expect(rest.every(({ dialect, tallies }) => dialect === tallies)).to.equal(true);
      expect(rest).to.have.length(others.length);
    });

    it('removes the days before another, and no more', async () => {
      const dialect = fresh('dialect');
      for (const day of ['2001-01-01', '2001-01-02', '2001-01-03'])
        await store().change(day, dialect, () => day);
      expect(await store().removeBefore('2001-01-03')).to.equal(2);
      expect((await own('2001-01-01', [dialect])).map(({ day }) => day)).to.deep.equal(['2001-01-03']);
    });
  });
}

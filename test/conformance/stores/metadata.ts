import { expect } from 'chai';
import { type BackEnd, CALLS, countOf, fresh, hostileNames, type OpenBackEnd, times } from './back-end.ts';
import { type Racers, startRacers } from './racers.ts';

export function metadataStoreSuite(open: OpenBackEnd): void {
  describe('facts', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.metadata;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    it('are what was set last', async () => {
      const name = fresh('fact');
      expect(await store().get(name)).to.equal(undefined);
      for (const value of ['one', 'two "\0', '']) {
        await store().set(name, value);
        expect(await store().get(name)).to.equal(value);
      }
    });

    it(`are set once by exactly one of ${CALLS} callers`, async () => {
      const name = fresh('fact');
      const answers = await racers.race(
        'metadata.setOnce',
        times(CALLS, (index) => [name, `value ${index}`]),
      );
      expect(countOf(answers, true)).to.equal(1);
      expect(await store().get(name)).to.equal(`value ${answers.indexOf(true)}`);
    });

    it(`KEY1 are changed by exactly one of ${CALLS} callers that saw the same value`, async () => {
      const name = fresh('fact');
      expect(await store().replace(name, '', 'made')).to.equal(false);
      expect(await store().get(name)).to.equal(undefined);
      await store().set(name, 'before');
      const answers = await racers.race(
        'metadata.replace',
        times(CALLS, (index) => [name, 'before', `value ${index}`]),
      );
      expect(countOf(answers, true)).to.equal(1);
      expect(await store().get(name)).to.equal(`value ${answers.indexOf(true)}`);
      expect(await store().replace(name, 'before', 'late')).to.equal(false);
    });

    it('X5 stay apart where names are hostile', async () => {
      const names = hostileNames();
      for (const name of names) await store().set(name, name);
      for (const name of names) expect((await store().get(name)) === name).to.equal(true);
    });
  });
}

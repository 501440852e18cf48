import { expect } from 'chai';
import { type BackEnd, CALLS, type OpenBackEnd, times } from './back-end.ts';
import { type Racers, startRacers } from './racers.ts';

export function keyringStoreSuite(open: OpenBackEnd): void {
  describe('the keyring', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.keyring;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    it('is written by whoever read the latest version, and by nobody else', async () => {
      const version = (await store().read())?.version ?? 0;
      expect(await store().write('new "ring"\0', version)).to.equal(true);
      expect(await store().read()).to.deep.equal({ version: version + 1, encrypted: 'new "ring"\0' });
      expect(await store().write('late', version)).to.equal(false);
      expect(await store().write('early', version + 2)).to.equal(false);
      expect(await store().write('first', 0)).to.equal(false);
      expect(await store().read()).to.deep.equal({ version: version + 1, encrypted: 'new "ring"\0' });
    });

    it(`takes one of ${CALLS} parallel writes of one version`, async () => {
      const version = (await store().read())?.version ?? 0;
      const answers = await racers.race(
        'keyring.write',
        times(CALLS, (index) => [`ring ${index}`, version]),
      );
      expect(answers.filter((answer) => answer === true)).to.have.length(1);
      expect((await store().read())?.encrypted).to.equal(`ring ${answers.indexOf(true)}`);
    });

    it(`loses none of ${CALLS} parallel rotations from two processes`, async () => {
      const lines = times(CALLS, (index) => `line ${index}`);
      await racers.race(
        'appendToKeyring',
        lines.map((line) => [line]),
      );
      expect((await store().read())?.encrypted.split('\n')).to.include.members(lines);
    });
  });
}

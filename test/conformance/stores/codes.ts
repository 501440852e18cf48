import { expect } from 'chai';
import type { CodeRecord } from '../../../src/store/ports.ts';
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

export function codeStoreSuite(open: OpenBackEnd): void {
  describe('one-time codes', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.codes;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    const code = (over: Partial<CodeRecord> = {}): CodeRecord => ({
      codeHash: 'right',
      accountId: fresh('account'),
      organization: 'clinic',
      createdAt: new Date(),
      expiresAt: later(new Date(), 600_000),
      tries: 5,
      ...over,
    });

    it('X2 answers "right" to exactly one of 50 callers with the right code', async () => {
      const key = fresh('key');
      await store().put(key, code());
      const answers = await racers.race(
        'codes.attempt',
        times(CALLS, () => [key, 'right', new Date()]),
      );
      expect(countOf(answers, 'right')).to.equal(1);
      expect(countOf(answers, 'dead')).to.equal(CALLS - 1);
    });

    it(`O4 allows no more wrong tries than it has, of ${CALLS} at once`, async () => {
      const key = fresh('key');
      await store().put(key, code({ tries: 5 }));
      const answers = await racers.race(
        'codes.attempt',
        times(CALLS, (index) => [key, `wrong ${index}`, new Date()]),
      );
      expect(countOf(answers, 'wrong')).to.equal(5);
      expect(countOf(answers, 'dead')).to.equal(CALLS - 5);
      expect(await store().attempt(key, 'right', new Date())).to.equal('dead');
    });

    it('is still good after all wrong tries but one', async () => {
      const key = fresh('key');
      await store().put(key, code({ tries: 3 }));
      expect(await store().attempt(key, 'wrong', new Date())).to.equal('wrong');
      expect(await store().attempt(key, 'wrong', new Date())).to.equal('wrong');
      expect(await store().attempt(key, 'right', new Date())).to.equal('right');
      expect(await store().attempt(key, 'right', new Date())).to.equal('dead');
    });

    it('is replaced by a newer one, its tries with it', async () => {
      const key = fresh('key');
      await store().put(key, code({ tries: 1, codeHash: 'old' }));
      expect(await store().attempt(key, 'wrong', new Date())).to.equal('wrong');
      await store().put(key, code({ tries: 2, codeHash: 'new' }));
      expect(await store().attempt(key, 'old', new Date())).to.equal('wrong');
      expect(await store().attempt(key, 'new', new Date())).to.equal('right');
    });

    it('X3 dies at its expiry by the clock of the caller, not before and not later', async () => {
      for (const [offset, answer] of [
        [-1, 'right'],
        [0, 'dead'],
        [1000, 'dead'],
      ] as const) {
        const key = fresh('key');
        const record = code();
        await store().put(key, record);
        expect(await store().attempt(key, 'right', later(record.expiresAt, offset)), `${offset}`).to.equal(
          answer,
        );
      }
    });

    it('is removed by key and by account', async () => {
      const accountId = fresh('account');
      const keys = times(3, () => fresh('key'));
      const [first = '', second = '', third = ''] = keys;
      for (const key of [first, second]) await store().put(key, code({ accountId }));
      await store().put(third, code());
      await store().remove(first);
      expect(await store().attempt(first, 'right', new Date())).to.equal('dead');
      await store().removeByAccount(accountId);
      expect(await store().attempt(second, 'right', new Date())).to.equal('dead');
      expect(await store().attempt(third, 'right', new Date())).to.equal('right');
      await store().remove(fresh('nothing'));
      await store().removeByAccount(fresh('nobody'));
    });

    it('X5 keeps codes apart whose keys and accounts are hostile', async () => {
      const names = hostileNames();
      for (const name of names) await store().put(name, code({ codeHash: name, accountId: name }));
      for (const [index, name] of names.entries()) {
        if (index % 2) expect(await store().attempt(name, name, new Date())).to.equal('right');
        else await store().removeByAccount(name);
        expect(await store().attempt(name, name, new Date())).to.equal('dead');
      }
    });
  });
}

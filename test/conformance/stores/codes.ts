import { expect } from 'chai';
import type { CodeRecord } from '../../../src/store/ports/codes.ts';
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
      asker: 'asker',
      tries: 5,
      ...over,
    });

    it('X2 answers "right" to exactly one of 50 callers with the right code', async () => {
      const key = fresh('key');
      await store().put(key, code());
      const answers = await racers.race(
        'codes.attempt',
        times(CALLS, () => [key, 'asker', 'right', new Date()]),
      );
      expect(countOf(answers, 'right')).to.equal(1);
      expect(countOf(answers, 'dead')).to.equal(CALLS - 1);
    });

    it(`O4 allows no more wrong tries than it has, of ${CALLS} at once`, async () => {
      const key = fresh('key');
      await store().put(key, code({ tries: 5 }));
      const answers = await racers.race(
        'codes.attempt',
        times(CALLS, (index) => [key, 'asker', `wrong ${index}`, new Date()]),
      );
      expect(countOf(answers, 'wrong')).to.equal(5);
      expect(countOf(answers, 'dead')).to.equal(CALLS - 5);
      expect(await store().attempt(key, 'asker', 'right', new Date())).to.equal('dead');
    });

    it('is still good after all wrong tries but one', async () => {
      const key = fresh('key');
      await store().put(key, code({ tries: 3 }));
      expect(await store().attempt(key, 'asker', 'wrong', new Date())).to.equal('wrong');
      expect(await store().attempt(key, 'asker', 'wrong', new Date())).to.equal('wrong');
      expect(await store().attempt(key, 'asker', 'right', new Date())).to.equal('right');
      expect(await store().attempt(key, 'asker', 'right', new Date())).to.equal('dead');
    });

    it('is replaced by a newer one, its tries with it', async () => {
      const key = fresh('key');
      await store().put(key, code({ tries: 1, codeHash: 'old' }));
      expect(await store().attempt(key, 'asker', 'wrong', new Date())).to.equal('wrong');
      await store().put(key, code({ tries: 2, codeHash: 'new' }));
      expect(await store().attempt(key, 'asker', 'old', new Date())).to.equal('wrong');
      expect(await store().attempt(key, 'asker', 'new', new Date())).to.equal('right');
    });

    const by = (asker: string, over: Partial<CodeRecord> = {}) =>
      code({ asker, codeHash: `of ${asker}`, ...over });
    const attempt = (key: string, from: string, codeHash: string, now = new Date()) =>
      store().attempt(key, from, codeHash, now);

    it('B7 stays good when another client asks for one, and only its own asker replaces it', async () => {
      const key = fresh('key');
      await store().put(key, by('owner'));
      await store().put(key, by('stranger'));
      await store().put(key, by('stranger', { codeHash: 'again' }));
      expect(await attempt(key, 'elsewhere', 'of stranger')).to.equal('wrong');
      expect(await attempt(key, 'elsewhere', 'of owner')).to.equal('right');
      expect(await attempt(key, 'stranger', 'again'), 'spent with the other').to.equal('dead');
    });

    it('B7 tries are counted by client: a stranger uses up none but its own, with a code and without', async () => {
      for (const asks of [false, true]) {
        const key = fresh('key');
        await store().put(key, by('owner', { tries: 3 }));
        if (asks) await store().put(key, by('stranger', { tries: 3 }));
        for (const left of [2, 1, 0]) expect(await attempt(key, 'stranger', `${left}`)).to.equal('wrong');
        expect(await attempt(key, 'stranger', 'of owner'), 'no try left').to.equal('dead');
        expect(await attempt(key, 'owner', 'of stranger'), 'died with its tries').to.equal('wrong');
        expect(await attempt(key, 'owner', 'of owner')).to.equal('right');
      }
    });

    it('B7 the newest three of a key are good, and a client that asks anew has its tries again', async () => {
      const key = fresh('key');
      const at = (seconds: number) => ({ expiresAt: later(new Date(), 600_000 + seconds * 1000), tries: 1 });
      for (const [index, asker] of ['a', 'b', 'c', 'd'].entries())
        await store().put(key, by(asker, at(index)));
      expect(await attempt(key, 'w', 'of a'), 'the oldest of four').to.equal('wrong');
      expect(await attempt(key, 'd', 'wrong')).to.equal('wrong');
      await store().put(key, by('b', at(5)));
      expect(await attempt(key, 'd', 'of b')).to.equal('dead');
      await store().put(key, by('d', at(6)));
      expect(await attempt(key, 'd', 'of c'), 'c is one of the newest three').to.equal('right');
    });

    it('X3 B7 an expired code comes back by nothing, and the tries at it end with it', async () => {
      const key = fresh('key');
      const soon = later(new Date(), 1000);
      const past = later(soon, 1);
      await store().put(key, by('owner', { expiresAt: soon, tries: 1 }));
      await store().put(key, by('other', { tries: 1 }));
      expect(await attempt(key, 'stranger', 'wrong')).to.equal('wrong');
      expect(await attempt(key, 'owner', 'of owner', past)).to.equal('wrong');
      expect(await attempt(key, 'fresh', 'of owner', past), 'expired').to.equal('wrong');
      expect(await attempt(key, 'later', 'of other', past)).to.equal('right');
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
        expect(
          await store().attempt(key, 'asker', 'right', later(record.expiresAt, offset)),
          `${offset}`,
        ).to.equal(answer);
      }
    });

    it('is removed by key and by account', async () => {
      const accountId = fresh('account');
      const keys = times(3, () => fresh('key'));
      const [first = '', second = '', third = ''] = keys;
      for (const key of [first, second]) await store().put(key, code({ accountId }));
      await store().put(third, code());
      await store().remove(first);
      expect(await store().attempt(first, 'asker', 'right', new Date())).to.equal('dead');
      await store().removeByAccount(accountId);
      expect(await store().attempt(second, 'asker', 'right', new Date())).to.equal('dead');
      expect(await store().attempt(third, 'asker', 'right', new Date())).to.equal('right');
      await store().remove(fresh('nothing'));
      await store().removeByAccount(fresh('nobody'));
    });

    it('X5 keeps codes apart whose keys and accounts are hostile', async () => {
      const names = hostileNames();
      for (const name of names) await store().put(name, code({ codeHash: name, accountId: name }));
      for (const [index, name] of names.entries()) {
        if (index % 2) expect(await store().attempt(name, 'asker', name, new Date())).to.equal('right');
        else await store().removeByAccount(name);
        expect(await store().attempt(name, 'asker', name, new Date())).to.equal('dead');
      }
    });
  });
}

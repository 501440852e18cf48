import { expect } from 'chai';
import type { IdentityRecord } from '../../../src/model/upstream-identity.ts';
import {
  type BackEnd,
  BETWEEN,
  CALLS,
  countOf,
  fresh,
  hostileNames,
  type OpenBackEnd,
  times,
} from './back-end.ts';
import { type Racers, startRacers } from './racers.ts';

export function identityStoreSuite(open: OpenBackEnd): void {
  describe('identities', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.identities;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    const identity = (over: Partial<IdentityRecord> = {}): IdentityRecord => ({
      organization: 'clinic',
      issuer: 'https://accounts.example',
      subject: fresh('subject'),
      accountId: fresh('account'),
      createdAt: new Date(),
      ...over,
    });

    it('finds a link by organization, issuer and subject together', async () => {
      const link = identity();
      expect(await store().link(link)).to.equal('linked');
      expect(await store().find(link.organization, link.issuer, link.subject)).to.deep.equal(link);
      expect(await store().find('other', link.issuer, link.subject)).to.equal(undefined);
      expect(await store().find(link.organization, 'https://other.example', link.subject)).to.equal(
        undefined,
      );
      expect(await store().find(link.organization, link.issuer, 'other')).to.equal(undefined);
    });

    it(`X4 links an upstream identity to one of ${CALLS} accounts that ask at once`, async () => {
      const link = identity();
      const outcomes = await racers.race(
        'identities.link',
        times(CALLS, (index) => [{ ...link, accountId: `${link.accountId}-${index}` }]),
      );
      expect(countOf(outcomes, 'linked')).to.equal(1);
      expect(countOf(outcomes, 'taken')).to.equal(CALLS - 1);
      const winner = await store().find(link.organization, link.issuer, link.subject);
      expect(winner?.accountId).to.equal(`${link.accountId}-${outcomes.indexOf('linked')}`);
    });

    it('lists and removes the links of one account', async () => {
      const accountId = fresh('account');
      const links = [identity({ accountId }), identity({ accountId, issuer: 'https://two.example' })];
      for (const link of [...links, identity()]) await store().link(link);
      expect(await store().listByAccount(accountId)).to.have.deep.members(links);
      expect(await store().removeByAccount(accountId)).to.equal(2);
      expect(await store().listByAccount(accountId)).to.deep.equal([]);
      expect(await store().removeByAccount(accountId)).to.equal(0);
    });

    it('unlinks one identity, once, and leaves it free to be linked again', async () => {
      const link = identity();
      await store().link(link);
      const answers = await racers.race(
        'identities.unlink',
        times(4, () => [link.organization, link.issuer, link.subject]),
      );
      expect(countOf(answers, true)).to.equal(1);
      expect(await store().link({ ...link, accountId: 'another' })).to.equal('linked');
    });

    it('X5 keeps identities apart whose parts are hostile', async () => {
      const names = hostileNames();
      for (const name of names)
        expect(await store().link(identity({ subject: name, accountId: name }))).to.equal('linked');
      for (const name of names) {
        const result = await store().find('clinic', 'https://accounts.example', name);
        expect(result?.accountId === name).to.equal(true);
        expect(await store().listByAccount(name)).to.have.length(1);
      }
      const tail = fresh('subject');
      for (const between of BETWEEN) {
        const subject = `b${between}${tail}`;
        expect(await store().link(identity({ issuer: 'a', subject })), between).to.equal('linked');
        expect(await store().find('clinic', `a${between}b`, tail), between).to.equal(undefined);
        expect(await store().find(`clinic${between}a`, 'b', tail), between).to.equal(undefined);
      }
    });
  });
}

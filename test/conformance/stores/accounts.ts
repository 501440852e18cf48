import { expect } from 'chai';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { LoginName } from '../../../src/store/ports/accounts.ts';
import {
  accountRecord,
  type BackEnd,
  BETWEEN,
  CALLS,
  countOf,
  fresh,
  hostileNames,
  later,
  type OpenBackEnd,
  times,
} from './back-end.ts';
import { type Racers, startRacers } from './racers.ts';

export function accountStoreSuite(open: OpenBackEnd): void {
  describe('accounts', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.accounts;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    const stored = async (over: Partial<AccountRecord> = {}) => {
      const account = accountRecord(over);
      expect(await store().insert(account)).to.equal('inserted');
      return account;
    };

    it('gives back every member of an account as it was stored', async () => {
      const account = await stored({
        status: 'blocked',
        email: `${fresh('anna')}@example.org`,
        emailVerified: true,
        username: fresh('Anna.Lindqvist'),
        passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
        claims: {
          name: 'Anna "Ä" Lindqvist\0\n',
          address: { locality: 'Malmö' },
          phone_number_verified: false,
        },
        roles: ['therapist', ''],
        openedAt: 'hosted',
        aliases: { vsee: fresh('2') },
        vendor: { vsee: { list: [1, null, { a: true }], 'dotted.name': '$x' } },
        lastSignInAt: new Date(),
      });
      expect(await store().byId(account.id)).to.deep.equal(account);
    });

    it('leaves members that are not set out of what it gives back', async () => {
      const account = await stored();
      expect(await store().byId(account.id)).to.deep.equal(account);
      expect(await store().byId(account.id)).not.to.have.any.keys(
        'email',
        'username',
        'passwordHash',
        'lastSignInAt',
      );
    });

    it('tallies the accounts of one organization by where they stand at legacy systems', async () => {
      const organization = fresh('clinic');
      const passwordHash = '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA';
      const legacy = { password: 'legacy' } as const;
      const here = { password: 'portico' } as const;
      await stored({ organization, passwordHash });
      const roster = await stored({ organization, legacy: { vsee: legacy } });
      await stored({ organization, legacy: { vsee: legacy } });
      await stored({ organization, passwordHash, legacy: { vsee: legacy, avycenna: here } });
      await stored({ organization, legacy: { avycenna: here, vsee: { ...legacy, passwordHash } } });
      await stored({ organization: fresh('other'), legacy: { vsee: legacy } });
      const both = { standings: { avycenna: 'here', vsee: 'takenOver' }, count: 2 };
      expect(await store().tally(organization)).to.have.deep.members([
        { standings: {}, count: 1 },
        { standings: { vsee: 'roster' }, count: 2 },
        both,
      ]);
      expect(await store().update({ ...roster, legacy: { vsee: here } })).to.equal('updated');
      expect(await store().tally(organization)).to.have.deep.members([
        { standings: {}, count: 1 },
        { standings: { vsee: 'roster' }, count: 1 },
        { standings: { vsee: 'here' }, count: 1 },
        both,
      ]);
      const { legacy: _, ...left } = { ...roster, version: roster.version + 1 };
      expect(await store().update(left)).to.equal('updated');
      expect(await store().tally(organization)).to.deep.include({ standings: {}, count: 2 });
      expect(await store().tally(fresh('empty'))).to.deep.equal([]);
    });

    it('finds an account by e-mail and by username in any case, in its organization only', async () => {
      const account = await stored({ email: `${fresh('zoë')}@example.org`, username: fresh('Zoë') });
      const { organization, email = '', username = '' } = account;
      for (const spelled of [email, email.toUpperCase(), email.normalize('NFD')]) {
        expect((await store().byEmail(organization, spelled))?.id, spelled).to.equal(account.id);
      }
      for (const spelled of [username, username.toUpperCase(), username.normalize('NFD')]) {
        expect((await store().byUsername(organization, spelled))?.id, spelled).to.equal(account.id);
      }
      expect(await store().byEmail(fresh('other'), email)).to.equal(undefined);
      expect(await store().byUsername(fresh('other'), username)).to.equal(undefined);
      expect(await store().byUsername(organization, email)).to.equal(undefined);
    });

    it('finds an account by a login that is one of several names, by the first that leads to one', async () => {
      const mine = await stored({ email: `${fresh('login')}@example.org`, username: fresh('login') });
      const { organization, email = '', username = '' } = mine;
      // Another person has this account's email as a username.
      const other = await stored({ organization, username: email });
      const found = async (login: string, by: readonly LoginName[], where = organization) =>
        (await store().byLogin(where, login, by))?.id;
      for (const login of [email.toUpperCase(), username.normalize('NFD')])
        expect(await found(login, ['email', 'username']), login).to.equal(mine.id);
      expect(await found(email, ['email', 'username'])).to.equal(mine.id);
      expect(await found(email, ['username', 'email'])).to.equal(other.id);
      expect(await found(username, ['email'])).to.equal(undefined);
      expect(await found(email, ['email', 'username'], fresh('other'))).to.equal(undefined);
    });

    it('finds an account by its alias, by name and value together', async () => {
      const value = fresh('7');
      const account = await stored({ aliases: { vsee: value, medisync: `${value}m` } });
      expect((await store().byAlias('vsee', value))?.id).to.equal(account.id);
      expect((await store().byAlias('medisync', `${value}m`))?.id).to.equal(account.id);
      expect(await store().byAlias('medisync', value)).to.equal(undefined);
    });

    it('says which name is taken', async () => {
      const first = await stored({
        email: `${fresh('bo')}@example.org`,
        username: fresh('bo'),
        aliases: { vsee: fresh('3') },
      });
      const { organization } = first;
      const again = (over: Partial<AccountRecord>) =>
        store().insert(accountRecord({ organization, ...over }));
      expect(await again({ id: first.id })).to.deep.equal({ taken: 'id' });
      expect(await again({ email: first.email?.toUpperCase() ?? '' })).to.deep.equal({ taken: 'email' });
      expect(await again({ username: first.username?.toUpperCase() ?? '' })).to.deep.equal({
        taken: 'username',
      });
      const elsewhere = accountRecord({
        email: fresh('new'),
        aliases: { medisync: fresh('4'), ...first.aliases },
      });
      expect(await store().insert(elsewhere)).to.deep.equal({ taken: 'alias:vsee' });
      expect(await store().byId(elsewhere.id), 'nothing of a refused account stays').to.equal(undefined);
      expect(await store().byEmail(elsewhere.organization, elsewhere.email ?? '')).to.equal(undefined);
    });

    it('inserts many in one call, each with the outcome that it has alone', async () => {
      const organization = fresh('clinic');
      const there = await stored({ organization, email: fresh('there@x'), aliases: { vsee: fresh('5') } });
      const make = (over: Partial<AccountRecord> = {}) => accountRecord({ organization, ...over });
      const email = `${fresh('twin')}@example.org`;
      const accounts = [
        ...times(300, (place) => make({ username: fresh(`many-${place}`), aliases: { vsee: fresh('6') } })),
        make({ id: there.id }),
        make({ email: there.email?.toUpperCase() ?? '' }),
        make({ email: fresh('half@x'), aliases: { medisync: fresh('6'), ...there.aliases } }),
        make({ email }),
        make(),
      ];
      const outcomes = await store().insertMany(accounts);
      expect(countOf(outcomes, 'inserted')).to.equal(302);
      expect(outcomes.slice(300)).to.deep.equal([
        ...[{ taken: 'id' }, { taken: 'email' }, { taken: 'alias:vsee' }, 'inserted', 'inserted'],
      ]);
      for (const place of [0, 299, 303, 304])
        expect(await store().byId(accounts[place]?.id ?? '')).to.deep.equal(accounts[place]);
      for (const place of [301, 302])
        expect(await store().byId(accounts[place]?.id ?? ''), 'refused').to.equal(undefined);
      expect(await store().byId(there.id)).to.deep.equal(there);
      expect(await store().insertMany([])).to.deep.equal([]);
      // Of two in one call with one name, one is there.
      const twins = [make({ email: fresh('one@x') }), make({ email: `${fresh('pair')}@x` })];
      const both = await store().insertMany([
        ...twins,
        ...twins.map((one) => ({ ...one, id: fresh('other') })),
      ]);
      expect(countOf(both, 'inserted')).to.equal(2);
      expect(
        countOf(
          both.map((one) => JSON.stringify(one)),
          '{"taken":"email"}',
        ),
      ).to.equal(2);
    });

    it('lets one e-mail belong to one account in each organization', async () => {
      const email = `${fresh('same')}@example.org`;
      const one = await stored({ email });
      const two = await stored({ email });
      expect((await store().byEmail(one.organization, email))?.id).to.equal(one.id);
      expect((await store().byEmail(two.organization, email))?.id).to.equal(two.id);
    });

    it('lets any number of accounts have no e-mail, no username and no alias', async () => {
      const organization = fresh('clinic');
      for (const _ of times(3, () => 0)) await stored({ organization });
      expect(await store().page(organization, { limit: 10 })).to.have.length(3);
    });

    it(`X4 makes one account of ${CALLS} parallel sign-ups of one e-mail in case variants`, async () => {
      const organization = fresh('clinic');
      const local = fresh('race');
      const outcomes = await racers.race(
        'accounts.insert',
        times(CALLS, (index) => [
          accountRecord({ organization, email: `${index % 2 ? local.toUpperCase() : local}@Example.org` }),
        ]),
      );
      expect(countOf(outcomes, 'inserted')).to.equal(1);
      expect(outcomes.filter((outcome) => outcome !== 'inserted')).to.deep.equal(
        times(CALLS - 1, () => ({ taken: 'email' })),
      );
      expect(await store().page(organization, { limit: 100 })).to.have.length(1);
    });

    it(`X4 gives one of ${CALLS} parallel accounts the username, and one the alias`, async () => {
      const organization = fresh('clinic');
      const name = fresh('Chosen');
      const byName = await racers.race(
        'accounts.insert',
        times(CALLS, (index) => [
          accountRecord({ organization, username: index % 2 ? name.toLowerCase() : name }),
        ]),
      );
      expect(countOf(byName, 'inserted')).to.equal(1);
      const alias = fresh('9');
      const byAlias = await racers.race(
        'accounts.insert',
        times(CALLS, () => [accountRecord({ aliases: { vsee: alias } })]),
      );
      expect(countOf(byAlias, 'inserted')).to.equal(1);
    });

    it(`loses none of ${CALLS} parallel updates of one account from two processes`, async () => {
      const account = await stored();
      await racers.race(
        'raiseCounter',
        times(CALLS, () => [account.id]),
      );
      const after = await store().byId(account.id);
      expect(after?.vendor.test?.counter).to.equal(CALLS);
      expect(after?.version).to.equal(CALLS + 1);
    });

    it('updates only the version that was read', async () => {
      const account = await stored({ username: fresh('before') });
      expect(await store().update({ ...account, roles: ['first'] })).to.equal('updated');
      expect(await store().update({ ...account, roles: ['second'] })).to.equal('conflict');
      const now = await store().byId(account.id);
      expect(now).to.deep.equal({ ...account, roles: ['first'], version: 2 });
      expect(await store().update(accountRecord())).to.equal('gone');
    });

    it('moves every name with an update: the old ones are free, the new ones are found', async () => {
      const account = await stored({
        email: `${fresh('old')}@x.org`,
        username: fresh('old'),
        aliases: { vsee: fresh('5') },
      });
      const { organization } = account;
      const { email: oldEmail = '', username: oldName = '', ...rest } = account;
      const alias = fresh('6');
      expect(await store().update({ ...rest, email: `${alias}@x.org`, aliases: { vsee: alias } })).to.equal(
        'updated',
      );
      expect(await store().byEmail(organization, oldEmail)).to.equal(undefined);
      expect(await store().byUsername(organization, oldName)).to.equal(undefined);
      expect(await store().byAlias('vsee', account.aliases.vsee ?? '')).to.equal(undefined);
      expect((await store().byAlias('vsee', alias))?.id).to.equal(account.id);
      await stored({ organization, email: oldEmail, username: oldName, aliases: account.aliases });
    });

    it('refuses an update to a name that another account has, and changes nothing', async () => {
      const organization = fresh('clinic');
      const other = await stored({
        organization,
        email: `${fresh('o')}@x.org`,
        username: fresh('o'),
        aliases: { vsee: fresh('8') },
      });
      const account = await stored({
        organization,
        email: `${fresh('a')}@x.org`,
        aliases: { vsee: fresh('8') },
      });
      const change = (over: Partial<AccountRecord>) => store().update({ ...account, ...over });
      expect(await change({ email: other.email?.toUpperCase() ?? '' })).to.deep.equal({ taken: 'email' });
      expect(await change({ username: other.username ?? '' })).to.deep.equal({ taken: 'username' });
      expect(await change({ aliases: other.aliases, roles: ['x'] })).to.deep.equal({ taken: 'alias:vsee' });
      expect(await store().byId(account.id)).to.deep.equal(account);
      expect((await store().byAlias('vsee', account.aliases.vsee ?? ''))?.id).to.equal(account.id);
    });

    it('notes a sign-in without moving the version, and keeps it through an update', async () => {
      const account = await stored();
      const at = later(account.createdAt, 5000);
      await store().touch(account.id, at);
      expect(await store().byId(account.id)).to.deep.equal({ ...account, lastSignInAt: at });
      const { lastSignInAt: _unset, ...stale } = account;
      expect(await store().update({ ...stale, roles: ['x'] })).to.equal('updated');
      expect((await store().byId(account.id))?.lastSignInAt).to.deep.equal(at);
      await store().touch(fresh('nobody'), at);
    });

    it('removes an account and frees its names, once', async () => {
      const account = await stored({ email: `${fresh('gone')}@x.org`, aliases: { vsee: fresh('1') } });
      const removed = await racers.race(
        'accounts.remove',
        times(4, () => [account.id]),
      );
      expect(countOf(removed, true)).to.equal(1);
      expect(await store().byId(account.id)).to.equal(undefined);
      expect(await store().byAlias('vsee', account.aliases.vsee ?? '')).to.equal(undefined);
      await stored({ ...account, id: fresh('account') });
    });

    it('pages through the accounts of one organization in order of id', async () => {
      const organization = fresh('clinic');
      const ids = times(5, (index) => fresh(`account-${index}`));
      for (const id of [...ids].reverse()) await stored({ id, organization });
      await stored();
      const pages: string[][] = [];
      let after: string | undefined;
      do {
        const page = await store().page(
          organization,
          after === undefined ? { limit: 2 } : { after, limit: 2 },
        );
        pages.push(page.map((account) => account.id));
        after = page.at(-1)?.id;
      } while (after !== undefined);
      expect(pages).to.deep.equal([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4), []]);
    });

    it('gives back copies: changing one changes nothing in the store', async () => {
      const account = await stored({ claims: { name: 'Anna' }, roles: ['a'] });
      account.claims.name = 'changed after insert';
      const read = await store().byId(account.id);
      read?.roles.push('changed after read');
      read?.createdAt.setTime(0);
      const again = await store().byId(account.id);
      expect(again?.claims.name).to.equal('Anna');
      expect(again?.roles).to.deep.equal(['a']);
      expect(again?.createdAt.getTime()).not.to.equal(0);
    });

    it('X5 keeps accounts apart whose ids, names and organizations are hostile', async () => {
      const names = hostileNames();
      const organization = fresh('clinic');
      // Upper case folds to the same name: it is left out where names are folded.
      const spelled = names.filter((name) => name === name.toLowerCase());
      for (const name of names) await stored({ id: name, organization: name, aliases: { vsee: name } });
      for (const name of spelled) await stored({ organization, email: name, username: name });
      for (const name of names) {
        expect((await store().byId(name))?.id === name, 'by id').to.equal(true);
        expect((await store().byAlias('vsee', name))?.id === name, 'by alias').to.equal(true);
        expect(await store().page(name, { limit: 5 })).to.have.length(1);
      }
      for (const name of spelled) {
        expect((await store().byEmail(organization, name))?.email === name, 'by e-mail').to.equal(true);
      }
      for (const between of BETWEEN) {
        await stored({ organization: 'a', email: `b${between}${organization}` });
        expect(await store().byEmail(`a${between}b`, organization), between).to.equal(undefined);
      }
    });
  });
}

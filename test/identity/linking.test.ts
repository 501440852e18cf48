import { expect } from 'chai';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { idTokenWasUsed, useIdToken } from '../../src/identity/upstream/id-token-replay.ts';
import {
  accountForIdentity,
  findByIdentity,
  linkIdentity,
  type UpstreamPerson,
  unlinkIdentity,
} from '../../src/identity/upstream/link-identity.ts';
import { openWorld, PASSWORD, refusal, type World } from './world.ts';

describe('an upstream identity', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const person = (more: Partial<UpstreamPerson> = {}): UpstreamPerson => ({
    issuer: 'https://idp.test',
    subject: 's1',
    email: 'ana@gmail.com',
    emailVerified: true,
    authoritative: true,
    ...more,
  });
  const arrive = (more: Partial<UpstreamPerson> = {}, organization = 'north') =>
    accountForIdentity(world.identity, {
      organization,
      address: '192.0.2.1',
      person: person(more),
      fresh: { claims: { name: 'Ana' }, roles: ['doctor'] },
    });

  it('makes an account at first, and leads to it ever after, whatever its address becomes', async () => {
    const { account, how } = await arrive();
    expect(how).to.equal('created');
    expect(account).to.deep.include({
      email: 'ana@gmail.com',
      emailVerified: true,
      claims: { name: 'Ana' },
      roles: ['doctor'],
    });
    expect(await arrive({ email: 'other@gmail.com' })).to.deep.include({ how: 'found' });
    expect((await arrive({ email: 'other@gmail.com' })).account.id).to.equal(account.id);
  });

  it('F3 the same subject of two issuers, or in two organizations, is two people', async () => {
    const first = await arrive();
    const second = await arrive({ issuer: 'https://other.test', email: 'bea@gmail.com' });
    const south = await arrive({}, 'south');
    expect(new Set([first, second, south].map(({ account }) => account.id)).size).to.equal(3);
  });

  /** Design: linked by e-mail only if the upstream is authoritative and vouches, and our address is verified. */
  for (const authoritative of [true, false]) {
    for (const vouched of [true, false]) {
      for (const verifiedHere of [true, false]) {
        const expected =
          !authoritative || !vouched ? 'account-exists' : verifiedHere ? 'linked' : 'reclaimed';
        const who = `${authoritative ? 'an authoritative' : 'another'} upstream that ${vouched ? 'vouches' : 'does not vouch'}`;
        it(`F4 ${who}, meeting ${verifiedHere ? 'a verified' : 'an unverified'} address: ${expected}`, async () => {
          const local = await world.person({
            email: 'ana@gmail.com',
            emailVerified: verifiedHere,
            password: PASSWORD,
          });
          const arrived = arrive({ authoritative, emailVerified: vouched });
          if (expected === 'account-exists') {
            expect(await refusal(arrived)).to.equal(expected);
            expect(await world.identity.stores.identities.listByAccount(local.id)).to.deep.equal([]);
            return;
          }
          const { account, how } = await arrived;
          expect(how).to.equal(expected);
          expect(account).to.include({ id: local.id, emailVerified: true });
          expect(account.passwordHash !== undefined).to.equal(verifiedHere);
          expect(world.ended.length > 0).to.equal(!verifiedHere);
        });
      }
    }
  }

  it('F5 of a squatter loses its link when the owner of the address arrives', async () => {
    const squat = await world.person({ email: 'ana@gmail.com', password: PASSWORD });
    await linkIdentity(world.identity, {
      accountId: squat.id,
      issuer: 'https://idp.test',
      subject: 'squatter',
    });
    await arrive();
    expect(
      (await world.identity.stores.identities.listByAccount(squat.id)).map(({ subject }) => subject),
    ).to.deep.equal(['s1']);
  });

  it('F4 makes an account whose address is verified where the upstream vouches for it, and nowhere else', async () => {
    for (const emailVerified of [true, false]) {
      const email = `vouched-${emailVerified}@gmail.com`;
      const { account, how } = await arrive({ subject: email, email, emailVerified });
      expect({ how, emailVerified: account.emailVerified }).to.deep.equal({ how: 'created', emailVerified });
    }
  });

  it('leads into no account that is not active', async () => {
    const { account } = await arrive();
    await setStatus(world.identity, { accountId: account.id, status: 'blocked' });
    expect(await refusal(arrive())).to.equal('sign-in-refused');
    await world.person({ email: 'bea@gmail.com', emailVerified: true, status: 'blocked' });
    expect(await refusal(arrive({ subject: 's2', email: 'bea@gmail.com' }))).to.equal('sign-in-refused');
  });

  it('X4 without an address makes an account without one, once, of twenty arrivals together', async () => {
    const { email: _none, ...nameless } = person();
    const fresh = { claims: { name: 'Ana' } };
    const all = await Promise.all(
      Array.from({ length: 20 }, () =>
        accountForIdentity(world.identity, {
          ...{ organization: 'north', address: '192.0.2.1', person: nameless, fresh },
        }),
      ),
    );
    expect(new Set(all.map(({ account }) => account.id)).size).to.equal(1);
    expect(all.filter(({ how }) => how === 'created')).to.have.length(1);
    expect(await world.identity.stores.accounts.page('north', { limit: 100 })).to.have.length(1);
  });

  it('X4 of twenty first arrivals with an address together makes one account', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        arrive({ email: i % 2 === 0 ? 'ana@gmail.com' : 'ANA@gmail.com' }),
      ),
    );
    expect(new Set(all.map(({ account }) => account.id)).size).to.equal(1);
  });

  it('belongs to one account only', async () => {
    const first = await world.person({ email: 'a@x.test' });
    const second = await world.person({ email: 'b@x.test' });
    const link = (accountId: string) =>
      linkIdentity(world.identity, { accountId, issuer: 'https://idp.test', subject: 's1' });
    await link(first.id);
    expect(await refusal(link(second.id))).to.equal('account-exists');
    expect(await refusal(link(first.id))).to.equal('account-exists');
  });

  it('F7 is never the last way in to go, also when two go at the same moment', async () => {
    const account = await world.person({ email: 'twice@x.test', emailVerified: false });
    const links = ['one', 'two'].map((subject) => ({ issuer: 'https://idp.test', subject }));
    for (const link of links) await linkIdentity(world.identity, { accountId: account.id, ...link });
    await Promise.allSettled(
      links.map((link) => unlinkIdentity(world.identity, { accountId: account.id, ...link })),
    );
    expect(await world.identity.stores.identities.listByAccount(account.id)).to.have.length.of.at.least(1);
  });

  it('F7 cannot be unlinked as the last way in, nor by another account', async () => {
    const { account } = await arrive({ emailVerified: false, authoritative: false });
    const link = { issuer: 'https://idp.test', subject: 's1' };
    expect(await refusal(unlinkIdentity(world.identity, { accountId: account.id, ...link }))).to.equal(
      'forbidden',
    );
    // Beside it one of an upstream that is switched off, which signs no one in.
    const off = { accountId: account.id, issuer: 'https://off.test', subject: 's1' };
    await linkIdentity(world.identity, off);
    const configured = (issuer: string) => issuer === link.issuer;
    const both = { ...link, accountId: account.id, configured };
    expect(await refusal(unlinkIdentity(world.identity, both))).to.equal('forbidden');
    await unlinkIdentity(world.identity, { ...off, configured });
    const other = await world.person({ email: 'b@x.test', password: PASSWORD });
    expect(await refusal(unlinkIdentity(world.identity, { accountId: other.id, ...link }))).to.equal(
      'account-not-found',
    );
    await linkIdentity(world.identity, { accountId: other.id, issuer: 'https://idp.test', subject: 's2' });
    await unlinkIdentity(world.identity, { accountId: other.id, issuer: 'https://idp.test', subject: 's2' });
    expect(
      await findByIdentity(world.identity, {
        organization: 'north',
        issuer: 'https://idp.test',
        subject: 's2',
      }),
    ).to.equal(undefined);
  });

  it('is free again when the account is deleted', async () => {
    const { account } = await arrive();
    await deleteAccount(world.identity, { accountId: account.id });
    const again = await arrive();
    expect(again.how).to.equal('created');
    expect(again.account.id).not.to.equal(account.id);
  });

  it('X2 an ID token is used by exactly one of fifty, until it is too old anyway', async () => {
    const token = {
      fingerprint: 'abc',
      staleAt: Math.floor(world.identity.clock.now().getTime() / 1000) + 600,
    };
    expect(await idTokenWasUsed(world.identity, token)).to.equal(false);
    const all = await Promise.all(Array.from({ length: 50 }, () => useIdToken(world.identity, token)));
    expect(all.filter(Boolean)).to.have.length(1);
    world.pass(600);
    expect(await idTokenWasUsed(world.identity, token)).to.equal(true);
  });
});

import { expect } from 'chai';
import { reclaimAccount } from '../../../src/identity/accounts/reclaim-account.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { claimCredential } from '../../../src/identity/factors/credential-owners.ts';
import {
  creationOptions,
  passkeyChallenge,
  registerPasskey,
  removePasskey,
  requestOptions,
} from '../../../src/identity/factors/passkeys.ts';
import { signInWithPasskey } from '../../../src/identity/sign-in/with-passkey.ts';
import { linkIdentity, unlinkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import { passkeysOf } from '../../../src/model/factors.ts';
import { type Authenticator, createAuthenticator, type Twist } from '../../support/authenticator.ts';
import { from, openWorld, PASSWORD, refusal, type World } from '../world.ts';

describe('a passkey', () => {
  let world: World;
  let device: Authenticator;
  let ada: AccountRecord;
  beforeEach(async () => {
    world = await openWorld();
    device = createAuthenticator({ origin: 'https://id.test' });
    ada = await world.person({ email: 'ada@north.test', password: PASSWORD, emailVerified: true });
  });
  afterEach(() => world.close());

  const present = async ({ id }: AccountRecord) =>
    (await world.identity.stores.accounts.byId(id)) ?? expect.fail('The account is gone.');

  /** Registers one as a page does; what is refused comes back as its reason. */
  async function register(account: AccountRecord, twist: Twist = {}, at = device): Promise<string> {
    const challenge = passkeyChallenge(world.identity, 'test', account.version);
    const options = creationOptions(world.identity, { challenge, account, rpName: 'North' });
    const response = at.create(JSON.stringify(options), twist);
    const input = { account, response, challenge, name: 'Phone', context: from() };
    const result = await registerPasskey(world.identity, input);
    return 'refused' in result ? result.refused : 'registered';
  }

  /** Signs in with one as a page does, or confirms `account`. */
  async function use(twist: Twist = {}, account?: AccountRecord, organization = 'north') {
    const challenge = passkeyChallenge(world.identity, 'test', 'sign-in');
    const options = requestOptions(world.identity, { challenge, ...(account && { account }) });
    const response = device.get(JSON.stringify(options), twist);
    const alone = account === undefined;
    const input = { organization, account, alone, response, challenge, context: from() };
    const result = await signInWithPasskey(world.identity, input);
    return 'refused' in result ? result.refused : result.proofs.join(' ');
  }

  it('N3 is registered with what its authenticator says of it, and for one challenge', async () => {
    expect(await register(ada)).to.equal('registered');
    expect(passkeysOf(await present(ada))).to.deep.equal([
      {
        id: device.ids[0],
        name: 'Phone',
        publicKey: passkeysOf(await present(ada))[0]?.publicKey,
        counter: 1,
        transports: ['internal'],
        backupEligible: false,
        backedUp: false,
        createdAt: world.identity.clock.now().toISOString(),
      },
    ]);
    // The account as the page saw it: another registration came between.
    expect(await register(ada)).to.equal('expired');
    expect(passkeysOf(await present(ada))).to.have.length(1);
    const synced = createAuthenticator({ origin: 'https://id.test', synced: true });
    expect(await register(await present(ada), { backedUp: false }, synced)).to.equal('registered');
    expect(passkeysOf(await present(ada))[1]).to.include({ backupEligible: true, backedUp: false });
    expect(
      world.audit.map(({ event }) => event).filter((event) => event.startsWith('factor.')),
    ).to.deep.equal(['factor.add', 'factor.add']);
  });

  it('N3 is not registered with another challenge, origin, host or type, nor unless the person was verified', async () => {
    const cases: [Twist, string][] = [
      [{ challenge: passkeyChallenge(world.identity, 'test', 'other') }, 'expired'],
      [{ origin: 'https://id.test.evil.test' }, 'wrong'],
      [{ origin: 'https://evil.id.test' }, 'wrong'],
      [{ origin: 'http://id.test' }, 'wrong'],
      [{ origin: 'https://id.test:8443' }, 'wrong'],
      [{ rpId: 'test' }, 'wrong'],
      [{ rpId: 'evil.id.test' }, 'wrong'],
      [{ type: 'webauthn.get' }, 'wrong'],
      [{ present: false }, 'wrong'],
      [{ verified: false }, 'unverified'],
      [{ backedUp: true }, 'wrong'],
    ];
    for (const [twist, why] of cases) expect(await register(ada, twist), JSON.stringify(twist)).to.equal(why);
    const challenge = passkeyChallenge(world.identity, 'test', ada.version);
    for (const response of [
      '',
      '{}',
      'null',
      '[]',
      '{"id":1}',
      '{"id":"a","rawId":"a","type":"public-key"}',
    ]) {
      const input = { account: ada, response, challenge, name: 'x', context: from() };
      expect(await registerPasskey(world.identity, input), response).to.deep.equal({ refused: 'wrong' });
    }
    expect(passkeysOf(await present(ada))).to.deep.equal([]);
  });

  it('N3 belongs to one account, of however many that register it at once, until that account is rid of it', async () => {
    const bea = await world.person({ email: 'bea@south.test', password: PASSWORD }, 'south');
    const id = Buffer.alloc(16, 5).toString('base64url');
    const outcomes = await Promise.all([register(ada, { id }), register(bea, { id })]);
    expect(outcomes.sort()).to.deep.equal(['registered', 'taken']);
    const [owner, other] =
      passkeysOf(await present(ada)).length === 1 ? [await present(ada), bea] : [await present(bea), ada];
    expect(await register(await present(other), { id })).to.equal('taken');
    world.pass(61);
    expect(await register(await present(other), { id }), 'later').to.equal('taken');
    expect(await register(await present(owner), { id })).to.equal('taken');
    await removePasskey(world.identity, { accountId: owner.id, id, context: from() });
    expect(await register(await present(other), { id })).to.equal('registered');
  });

  it('N3 is no other account’s while one registers it, and for a minute after that one gave up', async () => {
    const bea = await world.person({ email: 'bea@south.test', password: PASSWORD }, 'south');
    const id = Buffer.alloc(16, 4).toString('base64url');
    expect(await claimCredential(world.identity, bea, id)).to.equal(true);
    expect(await register(ada, { id })).to.equal('taken');
    world.pass(61);
    expect(await register(ada, { id })).to.equal('registered');
  });

  it('N3 is one of twenty at most', async () => {
    for (let count = 0; count < 20; count += 1)
      expect(await register(await present(ada)), String(count)).to.equal('registered');
    expect(await register(await present(ada))).to.equal('full');
    expect(passkeysOf(await present(ada))).to.have.length(20);
  });

  it('N1 N15 signs in alone, says what it is, and keeps its count, its backup and its last use', async () => {
    await register(ada);
    world.pass(60);
    expect(await use()).to.equal('hwk user mfa');
    expect(passkeysOf(await present(ada))[0]).to.include({
      counter: 2,
      lastUsedAt: world.identity.clock.now().toISOString(),
    });
    const account = await present(ada);
    expect(await use({ verified: false }, account)).to.equal('hwk mfa');
    expect(await use({}, account)).to.equal('hwk user mfa');
    device = createAuthenticator({ origin: 'https://id.test', counts: false, synced: true });
    await register(await present(ada), { backedUp: false });
    expect(await use()).to.equal('swk user mfa');
    expect(await use()).to.equal('swk user mfa');
    expect(passkeysOf(await present(ada))[1]).to.include({ counter: 0, backedUp: true });
  });

  it('N1 does not sign in unless everything about it is right', async () => {
    await register(ada);
    const bea = await world.person({ email: 'bea@north.test', password: PASSWORD });
    const other = createAuthenticator({ origin: 'https://id.test' });
    await register(bea, {}, other);
    const cases: [Twist, string][] = [
      [{ challenge: passkeyChallenge(world.identity, 'test', 'other') }, 'expired'],
      [{ origin: 'https://id.test.evil.test' }, 'wrong'],
      [{ origin: 'http://id.test' }, 'wrong'],
      [{ rpId: 'test' }, 'wrong'],
      [{ type: 'webauthn.create' }, 'wrong'],
      [{ present: false }, 'wrong'],
      [{ verified: false }, 'unverified'],
      [{ forged: true }, 'wrong'],
      [{ backupEligible: true, backedUp: false }, 'wrong'],
      [{ id: 'AAAA' }, 'unknown'],
      [{ id: other.ids[0] ?? '' }, 'wrong'],
      [{ userHandle: 'AAAA' }, 'wrong'],
      [{ userHandle: '' }, 'wrong'],
    ];
    for (const [twist, why] of cases) expect(await use(twist), JSON.stringify(twist)).to.equal(why);
    expect(await use({}, await present(bea)), 'of another account').to.equal('unknown');
    expect(await use({}, undefined, 'south'), 'in another organization').to.equal('unknown');
    expect(passkeysOf(await present(ada))[0]).to.not.have.property('lastUsedAt');
    const refused = world.audit.filter(({ event, outcome }) => event === 'sign-in' && outcome === 'refused');
    expect(refused).to.have.length(cases.length + 2);
    expect(JSON.stringify(refused)).to.not.contain(device.ids[0]);
    await updateAccount(world.identity, ada.id, (account) => ({ ...account, status: 'blocked' }));
    expect(await use(), 'blocked').to.equal('unknown');
  });

  it('N2 is refused when its counter goes back or stands still, and the audit says so', async () => {
    await register(ada);
    expect(await use({ counter: 7 })).to.equal('hwk user mfa');
    for (const counter of [7, 6, 1, 0])
      expect(await use({ counter }), String(counter)).to.equal('counter-back');
    // A counter is the authenticator's word only where it has signed.
    expect(await use({ counter: 3, forged: true })).to.equal('wrong');
    const account = await present(ada);
    expect(await use({ counter: 2 }, account), 'second factor').to.equal('counter-back');
    expect(passkeysOf(account)[0]).to.include({ counter: 7 });
    expect(
      world.audit.filter(({ detail }) => detail?.why === 'counter-back').map(({ subject }) => subject),
    ).to.deep.equal(Array(5).fill(ada.id));
    expect(await use({ counter: 8 })).to.equal('hwk user mfa');
  });

  it('N2 of twenty uses of one count at once, one is accepted', async () => {
    await register(ada);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => use({ counter: 9 })));
    expect(outcomes.filter((outcome) => outcome === 'hwk user mfa')).to.have.length(1);
    expect(outcomes.filter((outcome) => outcome === 'counter-back')).to.have.length(19);
  });

  it('N14 of a squatter leads nowhere once the address has its owner, who may register it anew', async () => {
    const squatted = await world.person({ email: 'owner@north.test', password: PASSWORD });
    const id = Buffer.alloc(16, 6).toString('base64url');
    expect(await register(squatted, { id })).to.equal('registered');
    await reclaimAccount(world.identity, { account: await present(squatted) });
    expect(await use()).to.equal('unknown');
    expect(await register(ada, { id })).to.equal('taken');
    world.pass(61);
    expect(await register(ada, { id })).to.equal('registered');
    await removePasskey(world.identity, { accountId: ada.id, id, context: from() });
    expect(await register(await present(squatted), { id })).to.equal('registered');
  });

  it('is a way in: the last one of an account stays, whether it or a link goes first', async () => {
    const link = { issuer: 'https://idp.test', subject: 's' };
    const only = await world.person({ username: 'only' });
    await register(only);
    const [id = ''] = device.ids;
    const gone = { accountId: only.id, id, context: from() };
    expect(await refusal(removePasskey(world.identity, gone))).to.equal('forbidden');
    await linkIdentity(world.identity, { accountId: only.id, ...link });
    const outcomes = await Promise.allSettled([
      removePasskey(world.identity, gone),
      unlinkIdentity(world.identity, { accountId: only.id, ...link }),
    ]);
    expect(outcomes.map(({ status }) => status)).to.include('rejected');
    const links = await world.identity.stores.identities.listByAccount(only.id);
    expect(links.length + passkeysOf(await present(only)).length).to.be.above(0);
    expect(await refusal(removePasskey(world.identity, { ...gone, id: 'AAAA' }))).to.equal(
      'account-not-found',
    );
  });

  it('asks an authenticator for nothing at an IP address, where browsers have no passkeys', () => {
    for (const issuer of ['http://127.0.0.1:3000', 'http://[::1]:3000'])
      expect(requestOptions({ ...world.identity, issuer }, { challenge: 'x' })).to.equal(undefined);
    const asked = creationOptions(world.identity, { challenge: 'x', account: ada, rpName: 'North' });
    expect(JSON.stringify(asked)).to.not.contain(ada.id);
    expect(asked?.rp.id).to.equal('id.test');
  });
});

import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { canonicalAddress } from '../../src/core/ip-address.ts';
import { Refused } from '../../src/core/refused.ts';
import { checkPassword } from '../../src/identity/sign-in/reauthenticate.ts';
import { from, openWorld, PASSWORD, refusal, signInByPassword, type World } from './world.ts';

describe('failed sign-ins', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
    await world.person({ email: 'mara@clinic.test', username: 'mara', password: PASSWORD });
  });
  afterEach(() => world.close());

  const signIn = async (login: string, password: string, address?: string, organization = 'north') => {
    const { account } = await signInByPassword(world.identity, {
      ...{ organization, login, password, by: ['email', 'username'] },
      context: from(address),
    });
    return account;
  };
  /** Fills counters without the cost of hashing. */
  const fail = async (times: number, who: { name: string; address: string; accountId?: string }) => {
    for (let i = 0; i < times; i += 1) {
      await (await world.identity.attempts.begin({ organization: 'north', ...who })).failed();
    }
  };

  it('R3 stop one login from one address after ten in fifteen minutes, the right password too, and say until when', async () => {
    for (let i = 0; i < 10; i += 1)
      expect(await refusal(signIn('mara@clinic.test', 'wrong'))).to.equal('sign-in-refused');
    const refused = await signIn('mara@clinic.test', PASSWORD).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Refused).with.property('reason', 'too-many-requests');
    expect((refused as Refused).retryAfter).to.equal(900);
  });

  it('leave the window one by one, and a refused call leaves no count', async () => {
    for (let i = 0; i < 10; i += 1) {
      await fail(1, { name: 'nobody', address: 'a' });
      world.pass(60);
    }
    const begin = () =>
      world.identity.attempts.begin({ organization: 'north', name: 'nobody', address: 'a' });
    for (let i = 0; i < 5; i += 1) expect(await refusal(begin())).to.equal('too-many-requests');
    world.pass(301);
    await (await begin()).failed();
    expect(await refusal(begin())).to.equal('too-many-requests');
  });

  it('are forgotten for the pair by a success', async () => {
    for (let i = 0; i < 9; i += 1) await refusal(signIn('mara@clinic.test', 'wrong'));
    await signIn('mara@clinic.test', PASSWORD);
    for (let i = 0; i < 10; i += 1)
      expect(await refusal(signIn('mara@clinic.test', 'wrong'))).to.equal('sign-in-refused');
  });

  it('R2 count under the account, however its name is spelled, and under one name where there is no account', async () => {
    const spellings = ['mara@clinic.test', ' MARA@Clinic.TEST ', 'mara', 'MARA\t', 'Mara@clinic.test'];
    for (const spelling of [...spellings, ...spellings]) await refusal(signIn(spelling, 'wrong'));
    for (const spelling of spellings)
      expect(await refusal(signIn(spelling, PASSWORD))).to.equal('too-many-requests');
    const unknown = ['ghost@x.test', 'GHOST@x.test ', ' Ghost@X.Test'];
    for (let i = 0; i < 10; i += 1) await refusal(signIn(unknown[i % 3] ?? '', 'wrong'));
    for (const name of unknown) expect(await refusal(signIn(name, 'wrong'))).to.equal('too-many-requests');
  });

  it('R1 from one address stop every login there after a hundred, and no other address', async () => {
    for (let i = 0; i < 100; i += 1) await fail(1, { name: `ghost-${i}`, address: '192.0.2.9' });
    expect(await refusal(signIn('mara@clinic.test', PASSWORD, '192.0.2.9'))).to.equal('too-many-requests');
    expect(await refusal(world.identity.attempts.checkAddress('192.0.2.9'))).to.equal('too-many-requests');
    expect(await signIn('mara@clinic.test', PASSWORD, '192.0.2.1')).to.have.property(
      'email',
      'mara@clinic.test',
    );
  });

  it('R1 honest sign-ins in parallel from one address are never refused by its counter', async () => {
    await fail(1, { name: 'x', address: '192.0.2.1' });
    const people = Array.from({ length: 150 }, (_, i) => ({
      organization: 'north',
      name: `p${i}`,
      address: '192.0.2.1',
    }));
    const signIn = async (person: (typeof people)[number], i: number) => {
      const attempt = await world.identity.attempts.begin(person);
      await pause(20);
      await attempt.succeeded(`acc-${i}`);
    };
    await Promise.all(people.map(signIn));
    await world.identity.attempts.checkAddress('192.0.2.1');
  });

  it('R4 from everywhere stop a login after a hundred in an hour, except where its owner signed in lately', async () => {
    const { id } = await signIn('mara@clinic.test', PASSWORD, '198.51.100.7');
    for (let i = 0; i < 100; i += 1)
      await fail(1, { name: 'mara', accountId: id, address: `203.0.113.${i}` });
    expect(await refusal(signIn('mara@clinic.test', PASSWORD, '192.0.2.77'))).to.equal('too-many-requests');
    await signIn('mara@clinic.test', PASSWORD, '198.51.100.7');
    world.pass(31 * 24 * 3600);
    for (let i = 0; i < 100; i += 1)
      await fail(1, { name: 'mara', accountId: id, address: `203.0.113.${i}` });
    expect(await refusal(signIn('mara@clinic.test', PASSWORD, '198.51.100.7'))).to.equal('too-many-requests');
  });

  it('R4 each sign-in makes its address known for at least 29 days, also an address that was known already', async () => {
    const { id } = await signIn('mara@clinic.test', PASSWORD, '198.51.100.7');
    for (const hours of [12, 29 * 24, 29 * 24]) {
      world.pass(hours * 3600);
      for (let i = 0; i < 100; i += 1)
        await fail(1, { name: 'mara', accountId: id, address: `203.0.113.${i}` });
      expect(await signIn('mara@clinic.test', PASSWORD, '198.51.100.7')).to.include({ id });
    }
  });

  it('R3 fifty parallel tries of one login are at most ten', async () => {
    const tries = await Promise.all(
      Array.from({ length: 50 }, () => refusal(signIn('mara@clinic.test', 'wrong'))),
    );
    expect(tries.filter((reason) => reason === 'sign-in-refused')).to.have.length(10);
    expect(tries.filter((reason) => reason === 'too-many-requests')).to.have.length(40);
  });

  it('R4 counters that cannot be reached are no free try', async () => {
    const down = {
      ...world.identity,
      attempts: { ...world.identity.attempts, begin: () => Promise.reject(new StoreUnavailable('redis')) },
    };
    const tried = signInByPassword(down, {
      organization: 'north',
      login: 'mara',
      password: PASSWORD,
      by: ['username'],
      context: from(),
    });
    expect(await tried.catch((error: unknown) => error)).to.be.instanceOf(StoreUnavailable);
  });

  it('are not counted when too many passwords wait', async () => {
    const busy = {
      ...world.identity,
      hasher: {
        ...world.identity.hasher,
        verify: () => Promise.reject(new Refused('unavailable', { retryAfter: 5 })),
      },
    };
    for (let i = 0; i < 12; i += 1) {
      const tried = signInByPassword(busy, {
        organization: 'north',
        login: 'mara',
        password: PASSWORD,
        by: ['username'],
        context: from(),
      });
      expect(await refusal(tried)).to.equal('unavailable');
    }
    await signIn('mara', PASSWORD);
  });

  it('C1 a wrong password at a password check counts like one at sign-in', async () => {
    const { id } = await signIn('mara', PASSWORD);
    const check = (password: string) =>
      checkPassword(world.identity, { accountId: id, password, context: from() });
    for (let i = 0; i < 10; i += 1) expect(await check('wrong')).to.equal(false);
    expect(await refusal(check(PASSWORD))).to.equal('too-many-requests');
    expect(await refusal(signIn('mara', PASSWORD))).to.equal('too-many-requests');
  });

  it('the same name in two organizations has two counts', async () => {
    for (let i = 0; i < 10; i += 1) await refusal(signIn('ghost', 'wrong', undefined, 'north'));
    expect(await refusal(signIn('ghost', 'wrong', undefined, 'north'))).to.equal('too-many-requests');
    expect(await refusal(signIn('ghost', 'wrong', undefined, 'south'))).to.equal('sign-in-refused');
  });
});

describe('R1 a client address', () => {
  const cases: [string, string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:7:1:2:3:4', '2001:db8:0:7::/64'],
    ['2001:0DB8:0000:0007:ffff::1', '2001:db8:0:7::/64'],
    ['[2001:db8:0:7::5]', '2001:db8:0:7::/64'],
    ['2001:db8:0:7::', '2001:db8:0:7::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['::1', '::/64'],
    ['2001:db8:0:0:8::1', '2001:db8::/64'],
    ['not an address', 'unknown'],
    ['', 'unknown'],
  ];
  for (const [written, canonical] of cases) {
    it(`written as '${written}' is '${canonical}'`, () => {
      expect(canonicalAddress(written)).to.equal(canonical);
    });
  }
});

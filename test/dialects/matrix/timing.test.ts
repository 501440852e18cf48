/**
 * W7, B5: unknown account, wrong secret, imported hash, blocked account and account without a password are told
 * apart neither by bytes nor by time, at every sign-in of every dialect and at the hosted page. The limits that would end the
 * sampling are raised by configuration; each try comes from an address of its own.
 */
import { hash as bcrypt } from '@node-rs/bcrypt';
import { expect } from 'chai';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { noteHashes } from '../../../src/identity/sign-in/verify-password.ts';
import { difference, mannWhitney, median } from '../../support/timing.ts';
import {
  type Channel,
  codeChannels,
  hostedPage,
  otherPasswordChannels,
  passwordChannels,
} from './channels.ts';
import { openWorld, PASSWORD, type World } from './world.ts';

/** Samples of each kind; where they differ, twice as many are taken once more before that counts. */
const ROUNDS = Number(process.env.PORTICO_TEST_SAMPLES ?? 20);
const MANY = { limit: 1_000_000, window: 900 };
const STAFF = { organization: 'default', roles: ['nurse'] };

interface Subject {
  readonly login: string;
  readonly password?: string;
}

describe('W7 being refused', () => {
  let world: World;
  let subjects: Readonly<Record<string, Subject>>;

  before(async () => {
    world = await openWorld({
      config: { attempts: { pair: MANY, address: MANY, login: MANY }, log: { level: 'warn' } },
    });
    const email = async (more: Parameters<World['person']>[0]) => (await world.person(more)).email ?? '';
    const imported = await world.person(STAFF);
    const passwordHash = await bcrypt(PASSWORD, 5);
    const { identity } = world.server.running;
    await noteHashes(identity.stores, STAFF.organization, [passwordHash]);
    await updateAccount(identity, imported.id, (account) => ({ ...account, passwordHash }));
    subjects = {
      'an unknown account': { login: 'nobody-here@matrix.test', password: PASSWORD },
      'a wrong password': { login: await email(STAFF), password: 'Not-The-Password-At-All-1' },
      'a wrong password for an imported hash': {
        login: imported.email ?? '',
        password: 'Not-The-Password-At-All-1',
      },
      'a blocked account': { login: await email({ ...STAFF, status: 'blocked' }), password: PASSWORD },
      'an account without a password': {
        login: await email({ ...STAFF, password: null }),
        password: PASSWORD,
      },
    };
  });
  after(() => world.close());

  type Samples = Record<string, number[]>;

  /** In turn, and every round begins with another one: what comes first must not be one kind's fate. */
  async function sample(
    channel: Channel,
    rounds: number,
    codes: boolean,
  ): Promise<{ times: Samples; said: Set<string> }> {
    const kinds = Object.entries(subjects);
    const times: Samples = Object.fromEntries(kinds.map(([kind]) => [kind, []]));
    const said = new Set<string>();
    for (let round = 0; round < rounds; round += 1) {
      for (let lease = 0; lease < kinds.length; lease += 1) {
        const [kind, { login, password = '' }] = kinds[(round + lease) % kinds.length] ?? ['', { login: '' }];
        const tried = await channel.knock(world, codes ? { login } : { login, password });
        times[kind]?.push(tried.took);
        said.add(`${tried.status} ${tried.text}`);
      }
    }
    return { times, said };
  }

  function differences(times: Samples): string[] {
    const [[first, reference] = ['', []], ...others] = Object.entries(times);
    return others.flatMap(([kind, sampled]) => {
      const apart = difference(reference, sampled);
      return apart === undefined ? [] : [`${first} and ${kind}: ${apart}`];
    });
  }

  const [, , bare] = otherPasswordChannels;
  const channels: [Channel, boolean][] = [
    ...passwordChannels.map((channel): [Channel, boolean] => [channel, false]),
    ...(bare === undefined ? [] : [[bare, false] as [Channel, boolean]]),
    ...codeChannels.map((channel): [Channel, boolean] => [channel, true]),
    [hostedPage, false],
  ];
  for (const [channel, codes] of channels) {
    it(`W7 looks and takes the same at ${channel.name}, whatever the reason`, async function () {
      this.timeout(300_000);
      await sample(channel, 2, codes);
      let { times, said } = await sample(channel, ROUNDS, codes);
      expect([...said], 'one reply for all').to.have.lengthOf(1);
      expect([...said][0]).to.match(new RegExp(`^${channel.refused} `));
      if (differences(times).length > 0) ({ times } = await sample(channel, 2 * ROUNDS, codes));
      expect(differences(times)).to.deep.equal([]);
    });
  }
});

describe('the measure of times', () => {
  const noisy = (around: number) => Array.from({ length: 30 }, (_, i) => around + ((i * 7) % 11));

  it('tells samples apart that are, and none that are not', () => {
    expect(difference(noisy(20), noisy(3))).to.match(/medians 25\.0 and 8\.0 ms/);
    expect(difference(noisy(20), noisy(22))).to.equal(undefined);
    expect(mannWhitney(noisy(20), noisy(20))).to.be.closeTo(1, 1e-6);
    expect(mannWhitney(noisy(20), noisy(40))).to.be.lessThan(1e-9);
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
  });
});

/** C1, R1, O5: one budget of failures for all channels, and what stands behind the client address of it. */
import { expect } from 'chai';
import {
  againChannels,
  type Channel,
  codeChannels,
  hostedPage,
  inDefault,
  passwordChannels,
  signInChannels,
} from './channels.ts';
import { freshAddress, openWorld, PASSWORD, type World } from './world.ts';

const WRONG = 'Not-The-Password-At-All-1';
const STAFF = { organization: 'default', roles: ['nurse'] };

describe('C1 failures at all channels', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const allChannels = [...signInChannels, ...againChannels];
  /** A wrong secret of the channel's kind. */
  const wrongAt = (channel: Channel) => (codeChannels.includes(channel) ? {} : { password: WRONG });

  it('C1 ten over five dialects, codes and the hosted page are all there are: every channel says 429 to the right password', async () => {
    const { email: login = '' } = await world.person(STAFF);
    const from = freshAddress();
    const spread = [...passwordChannels, hostedPage, ...codeChannels, ...againChannels];
    expect(spread).to.have.lengthOf(10);
    for (const channel of spread) {
      const tried = await channel.knock(world, { login, from, ...wrongAt(channel) });
      expect(tried.status, `${channel.name}: ${tried.text}`).to.equal(channel.refused);
    }
    for (const channel of allChannels) {
      const tried = await channel.knock(world, { login, from });
      expect(tried.status, `${channel.name}: ${tried.text}`).to.equal(429);
    }
    const [first] = inDefault;
    expect(first).to.not.equal(undefined);
    const elsewhere = await passwordChannels[0]?.knock(world, { login });
    expect(elsewhere?.status, 'from another address').to.equal(200);
  });

  it('C1 a name that leads nowhere has one budget at all channels too', async () => {
    const login = 'nobody-at-all@matrix.test';
    const from = freshAddress();
    const spread = [...passwordChannels, ...codeChannels, hostedPage, ...codeChannels];
    expect(spread).to.have.lengthOf(10);
    for (const channel of spread) {
      const tried = await channel.knock(world, { login, from, ...wrongAt(channel) });
      expect(tried.status, `${channel.name}: ${tried.text}`).to.equal(channel.refused);
    }
    for (const channel of signInChannels) {
      expect((await channel.knock(world, { login, from })).status, channel.name).to.equal(429);
    }
  });
});

describe('C1 with a budget of three', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ config: { attempts: { pair: { limit: 3, window: 900 } } } });
  });
  after(() => world.close());

  const opening = [...passwordChannels, hostedPage];
  for (const [index, channel] of opening.entries()) {
    it(`C1 a success at ${channel.name} clears the pair for every channel`, async () => {
      const { email: login = '' } = await world.person(STAFF);
      const from = freshAddress();
      const other = (step: number) => opening[(index + step) % opening.length] ?? channel;
      for (const step of [1, 2]) await other(step).knock(world, { login, from, password: WRONG });
      expect((await channel.knock(world, { login, from })).status).to.equal(channel.admitted);
      for (const step of [3, 4, 5]) {
        const tried = await other(step).knock(world, { login, from, password: WRONG });
        expect(tried.status, other(step).name).to.equal(other(step).refused);
      }
      expect((await other(1).knock(world, { login, from })).status, 'the fourth').to.equal(429);
    });
  }

  it('C1 of one organization are not those of another: the same address elsewhere is another login', async () => {
    const { email: login = '' } = await world.person(STAFF);
    await world.person({ organization: 'clinicdev', email: login });
    const from = freshAddress();
    for (const channel of passwordChannels.slice(0, 3))
      await channel.knock(world, { login, from, password: WRONG });
    expect((await passwordChannels[0]?.knock(world, { login, from }))?.status).to.equal(429);
    const there = await world.send({
      method: 'POST',
      path: '/api_v3/users/login',
      headers: { 'x-accountcode': 'clinicdev' },
      json: { username: login, password: PASSWORD },
      from,
    });
    expect(there.status).to.equal(200);
  });

  describe('R1 the client address', () => {
    /** One host each: every spelling is the same budget. */
    const HOSTS: Readonly<Record<string, readonly string[]>> = {
      'an IPv6 host that changes all it may': [
        '2001:db8:0:7::1',
        '2001:DB8:0:7:ffff:ffff:ffff:ffff',
        '[2001:db8::7:0:0:0:9]',
        '2001:0db8:0000:0007:1:2:3:4',
      ],
      'an IPv4 host, also as IPv6': [
        '198.18.7.9',
        '::ffff:198.18.7.9',
        '::FFFF:c612:0709',
        '[::ffff:198.18.7.9]:4711',
      ],
      'a host that writes the beginning of the header itself': [
        '1.1.1.1, 198.18.7.10',
        '198.18.7.10',
        'unknown, ::1, 198.18.7.10',
        '2001:db8::1,198.18.7.10',
      ],
    };
    for (const [host, spellings] of Object.entries(HOSTS)) {
      for (const channel of [...opening, ...codeChannels]) {
        it(`R1 is one at ${channel.name} for ${host}`, async () => {
          const { email: login = '' } = await world.person({ ...STAFF, password: null });
          const statuses: number[] = [];
          for (const from of spellings) {
            statuses.push((await channel.knock(world, { login, from, ...wrongOf(channel) })).status);
          }
          expect(statuses).to.deep.equal([channel.refused, channel.refused, channel.refused, 429]);
        });
      }
    }
  });
});

const wrongOf = (channel: Channel) => (codeChannels.includes(channel) ? {} : { password: WRONG });

describe('R1 forwarding headers of nobody whom the server trusts', () => {
  let world: World;
  before(async () => {
    world = await openWorld({
      config: {
        http: { trustedProxies: [] },
        attempts: { pair: { limit: 3, window: 900 } },
        dialects: { visitnote: { limits: { auth: 100 } } },
      },
    });
  });
  after(() => world.close());

  for (const channel of [...passwordChannels, ...codeChannels, hostedPage]) {
    it(`R1 give nobody a new budget at ${channel.name}`, async () => {
      const { email: login = '' } = await world.person({ ...STAFF, password: null });
      const statuses: number[] = [];
      for (let i = 1; i <= 4; i += 1) {
        const address = `198.18.0.${i}`;
        const headers = { forwarded: `for=${address}`, 'x-real-ip': address, 'x-client-ip': address };
        statuses.push(
          (await channel.knock(world, { login, from: address, headers, ...wrongOf(channel) })).status,
        );
      }
      expect(statuses).to.deep.equal([channel.refused, channel.refused, channel.refused, 429]);
    });
  }
});

describe('O5 guessing codes', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const [otp, invitation] = codeChannels;

  it('O5 one code over many accounts ends after a hundred from one client address, at every channel', async () => {
    const from = freshAddress();
    const real = await Promise.all(
      Array.from({ length: 5 }, () => world.person({ ...STAFF, password: null })),
    );
    for (const { email } of real) {
      await world.send({ method: 'POST', path: '/api/v1/auth/otp/send', json: { email } });
    }
    const logins = [
      ...real.map(({ email = '' }) => email),
      ...Array.from({ length: 95 }, (_, i) => `spray${i}@matrix.test`),
    ];
    for (const [i, login] of logins.entries()) {
      const channel = i % 2 === 0 ? otp : invitation;
      const tried = await channel?.knock(world, { login, from, password: i % 2 === 0 ? '271828' : 'qwerty' });
      expect(tried?.status, `${i}`).to.equal(401);
    }
    for (const channel of [...codeChannels, ...passwordChannels, hostedPage]) {
      const tried = await channel.knock(world, { login: 'never-tried@matrix.test', from });
      expect(tried.status, channel.name).to.equal(429);
    }
    expect((await otp?.knock(world, { login: logins[0] ?? '' }))?.status, 'elsewhere').to.equal(401);
  });

  it('O5 new codes give no new budget, and their number is limited', async () => {
    const { email: login = '' } = await world.person({ ...STAFF, password: null });
    const from = freshAddress();
    const statuses: number[] = [];
    for (let emails = 0; emails < 5; emails += 1) {
      const path = '/api/v1/auth/otp/send';
      const sent = await world.send({ method: 'POST', path, json: { email: login } });
      expect(sent.status).to.equal(200);
      for (let guesses = 0; guesses < 3; guesses += 1) {
        const tried = await otp?.knock(world, { login, from, password: `00000${guesses}` });
        statuses.push(tried?.status ?? 0);
      }
    }
    expect(statuses).to.deep.equal([...Array(10).fill(401), ...Array(5).fill(429)]);
    const sixth = await world.send({
      method: 'POST',
      path: '/api/v1/auth/otp/send',
      json: { email: login },
    });
    expect(sixth.status).to.equal(429);
  });
});

/** C1, R1, O5: one budget of failures for all doors, and what stands behind the client address of it. */
import { expect } from 'chai';
import type { Door } from './doors.ts';
import { againDoors, codeDoors, hostedPage, inDefault, passwordDoors, signInDoors } from './doors.ts';
import type { World } from './world.ts';
import { freshAddress, openWorld, PASSWORD } from './world.ts';

const WRONG = 'Not-The-Password-At-All-1';
const STAFF = { organization: 'default', roles: ['nurse'] };

describe('C1 failures at all doors', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const allDoors = [...signInDoors, ...againDoors];
  /** A wrong secret of the door's kind. */
  const wrongAt = (door: Door) => (codeDoors.includes(door) ? {} : { password: WRONG });

  it('C1 ten over five dialects, codes and the hosted page are all there are: every door says 429 to the right password', async () => {
    const { email: login = '' } = await world.person(STAFF);
    const from = freshAddress();
    const spread = [...passwordDoors, hostedPage, ...codeDoors, ...againDoors];
    expect(spread).to.have.lengthOf(10);
    for (const door of spread) {
      const tried = await door.knock(world, { login, from, ...wrongAt(door) });
      expect(tried.status, `${door.name}: ${tried.text}`).to.equal(door.refused);
    }
    for (const door of allDoors) {
      const tried = await door.knock(world, { login, from });
      expect(tried.status, `${door.name}: ${tried.text}`).to.equal(429);
    }
    const [first] = inDefault;
    expect(first).to.not.equal(undefined);
    const elsewhere = await passwordDoors[0]?.knock(world, { login });
    expect(elsewhere?.status, 'from another address').to.equal(200);
  });

  it('C1 a name that leads nowhere has one budget at all doors too', async () => {
    const login = 'nobody-at-all@matrix.test';
    const from = freshAddress();
    const spread = [...passwordDoors, ...codeDoors, hostedPage, ...codeDoors];
    expect(spread).to.have.lengthOf(10);
    for (const door of spread) {
      const tried = await door.knock(world, { login, from, ...wrongAt(door) });
      expect(tried.status, `${door.name}: ${tried.text}`).to.equal(door.refused);
    }
    for (const door of signInDoors) {
      expect((await door.knock(world, { login, from })).status, door.name).to.equal(429);
    }
  });
});

describe('C1 with a budget of three', () => {
  let world: World;
  before(async () => {
    world = await openWorld({ config: { attempts: { pair: { limit: 3, window: 900 } } } });
  });
  after(() => world.close());

  const opening = [...passwordDoors, hostedPage];
  for (const [index, door] of opening.entries()) {
    it(`C1 a success at ${door.name} clears the pair for every door`, async () => {
      const { email: login = '' } = await world.person(STAFF);
      const from = freshAddress();
      const other = (step: number) => opening[(index + step) % opening.length] ?? door;
      for (const step of [1, 2]) await other(step).knock(world, { login, from, password: WRONG });
      expect((await door.knock(world, { login, from })).status).to.equal(door.admitted);
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
    for (const door of passwordDoors.slice(0, 3)) await door.knock(world, { login, from, password: WRONG });
    expect((await passwordDoors[0]?.knock(world, { login, from }))?.status).to.equal(429);
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
      for (const door of [...opening, ...codeDoors]) {
        it(`R1 is one at ${door.name} for ${host}`, async () => {
          const { email: login = '' } = await world.person({ ...STAFF, password: null });
          const statuses: number[] = [];
          for (const from of spellings) {
            statuses.push((await door.knock(world, { login, from, ...wrongOf(door) })).status);
          }
          expect(statuses).to.deep.equal([door.refused, door.refused, door.refused, 429]);
        });
      }
    }
  });
});

const wrongOf = (door: Door) => (codeDoors.includes(door) ? {} : { password: WRONG });

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

  for (const door of [...passwordDoors, ...codeDoors, hostedPage]) {
    it(`R1 give nobody a new budget at ${door.name}`, async () => {
      const { email: login = '' } = await world.person({ ...STAFF, password: null });
      const statuses: number[] = [];
      for (let i = 1; i <= 4; i += 1) {
        const address = `198.18.0.${i}`;
        const headers = { forwarded: `for=${address}`, 'x-real-ip': address, 'x-client-ip': address };
        statuses.push((await door.knock(world, { login, from: address, headers, ...wrongOf(door) })).status);
      }
      expect(statuses).to.deep.equal([door.refused, door.refused, door.refused, 429]);
    });
  }
});

describe('O5 guessing codes', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  const [otp, invitation] = codeDoors;

  it('O5 one code over many accounts ends after a hundred from one client address, at every door', async () => {
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
      const door = i % 2 === 0 ? otp : invitation;
      const tried = await door?.knock(world, { login, from, password: i % 2 === 0 ? '271828' : 'qwerty' });
      expect(tried?.status, `${i}`).to.equal(401);
    }
    for (const door of [...codeDoors, ...passwordDoors, hostedPage]) {
      const tried = await door.knock(world, { login: 'never-tried@matrix.test', from });
      expect(tried.status, door.name).to.equal(429);
    }
    expect((await otp?.knock(world, { login: logins[0] ?? '' }))?.status, 'elsewhere').to.equal(401);
  });

  it('O5 new codes give no new budget, and their number is limited', async () => {
    const { email: login = '' } = await world.person({ ...STAFF, password: null });
    const from = freshAddress();
    const statuses: number[] = [];
    for (let letters = 0; letters < 5; letters += 1) {
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

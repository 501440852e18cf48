import { createHash, pbkdf2Sync, scryptSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { hash as argon2 } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { dictionary } from '@zxcvbn-ts/language-common';
import { expect } from 'chai';
import { Refused } from '../../src/core/refused.ts';
import { updateAccount } from '../../src/identity/accounts/update-account.ts';
import { readForeignHash } from '../../src/identity/hashes/foreign-hash.ts';
import { createPasswordHasher, createWorkSlots } from '../../src/identity/passwords/hasher.ts';
import { createPasswordPolicy } from '../../src/identity/passwords/policy.ts';
import { setPassword } from '../../src/identity/self-service/set-password.ts';
import { noteStoredHashes } from '../../src/identity/sign-in/verify-password.ts';
import { inTime } from '../support/in-time.ts';
import { startTestServer } from '../support/server.ts';
import { apart, difference } from '../support/timing.ts';
import { from, openWorld, PASSWORD, refusal, signInByPassword, type World } from './world.ts';

describe('the password policy', () => {
  const policy = createPasswordPolicy({ productNames: ['Portico'], extra: ['Wardround'] });
  const judge = (password: string, minimum = 12) =>
    policy.judge(password, { minimum, organizationName: 'North Clinic' });

  it('W2 refuses the 3,000 commonest passwords that are long enough, in any case', async () => {
    const common = dictionary['passwords-common'].filter((word) => word.length >= 8).slice(0, 3000);
    expect(common).to.have.length(3000);
    const verdicts = await Promise.all(
      common.flatMap((word) => [judge(word, 8), judge(word.toUpperCase(), 8)]),
    );
    expect(verdicts.filter((verdict) => verdict !== 'too-common')).to.deep.equal([]);
  });

  it('W2 holds ten thousand entries and more', async () => {
    expect(new Set(dictionary['passwords-common']).size).to.be.greaterThan(10_000);
    expect(await judge('password1', 8)).to.equal('too-common');
  });

  it('W2 refuses the names of product and organization, and words of the configuration, with digits and signs around them', async () => {
    for (const password of [
      'Portico-2031!',
      'porticoPORTICO',
      'North Clinic 1',
      'northclinic#99',
      'Wardround-2031',
    ]) {
      expect(await judge(password, 8), password).to.equal('too-common');
    }
    expect(await judge('portico harbour lantern')).to.equal('ok');
  });

  it('W1 counts characters, not bytes, and asks for no kinds of characters', async () => {
    expect(await judge('äöüäöüäöüäö')).to.equal('too-short');
    expect(await judge('🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃🙂🙃')).to.equal('ok');
    expect(await judge('correct horse battery')).to.equal('ok');
    expect(await judge('a\u0308'.repeat(11))).to.equal('too-short');
  });

  it('says too short before too common', async () => {
    expect(await judge('password')).to.equal('too-short');
  });
});

describe('password hashes', () => {
  const hasher = createPasswordHasher({ queue: 256 });

  it('W3 are argon2id with 19 MiB, two passes and one lane', async () => {
    expect(await hasher.hash(PASSWORD)).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  it('W1 neither cut nor trim, and take composed and decomposed emails for the same', async () => {
    const long = `${'x'.repeat(72)}a`;
    const hash = await hasher.hash(long);
    expect((await hasher.verify(long, hash)).right).to.equal(true);
    expect((await hasher.verify(`${'x'.repeat(72)}b`, hash)).right).to.equal(false);
    expect((await hasher.verify(`${long} `, hash)).right).to.equal(false);
    const blanks = await hasher.hash(' lantern harbour ');
    expect((await hasher.verify(' lantern harbour ', blanks)).right).to.equal(true);
    expect((await hasher.verify('lantern harbour', blanks)).right).to.equal(false);
    const decomposed = await hasher.hash('U\u0308berraschung-im-Wald');
    expect((await hasher.verify('Überraschung-im-Wald', decomposed)).right).to.equal(true);
    const umlaut = await hasher.hash('Überraschung-im-Wald');
    expect(await hasher.verify('U\u0308berraschung-im-Wald', umlaut)).to.deep.equal({
      right: true,
      rehash: false,
    });
  });

  const salt = Buffer.from('0123456789abcdef');
  const b64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  const imported: Record<string, () => Promise<string> | string> = {
    bcrypt: () => bcrypt(PASSWORD, 4),
    argon2i: () => argon2(PASSWORD, { algorithm: 1, memoryCost: 8192, timeCost: 2 }),
    'weak argon2id': () => argon2(PASSWORD, { memoryCost: 8192, timeCost: 1 }),
    scrypt: () =>
      `$scrypt$ln=10,r=8,p=1$${b64(salt)}$${b64(scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 }))}`,
    'PBKDF2 (passlib)': () =>
      `$pbkdf2-sha256$1000$${b64(salt).replaceAll('+', '.')}$${b64(pbkdf2Sync(PASSWORD, salt, 1000, 32, 'sha256')).replaceAll('+', '.')}`,
    'PBKDF2 (PHC)': () =>
      `$pbkdf2-sha512$i=1000,l=64$${b64(salt)}$${b64(pbkdf2Sync(PASSWORD, salt, 1000, 64, 'sha512'))}`,
    'PBKDF2 (Django)': () =>
      `pbkdf2_sha256$1000$saltytext$${pbkdf2Sync(PASSWORD, 'saltytext', 1000, 32, 'sha256').toString('base64')}`,
  };
  for (const [format, make] of Object.entries(imported)) {
    it(`W3 of ${format} are read, and asked to be made anew`, async () => {
      const hash = await make();
      expect(await hasher.verify(PASSWORD, hash)).to.deep.equal({ right: true, rehash: true });
      expect((await hasher.verify(`${PASSWORD}x`, hash)).right).to.equal(false);
    });
  }

  it('W3 of an unknown format, or that cost too much, are wrong and not fatal', async () => {
    for (const hash of [
      '',
      'plain',
      '$2b$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
      '$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaA',
    ]) {
      expect(await hasher.verify(PASSWORD, hash)).to.deep.equal({ right: false, rehash: false });
    }
  });

  it('W3 a bcrypt hash is kept where it cannot tell what was typed', async () => {
    const hash = await bcrypt('y'.repeat(72), 4);
    expect(await hasher.verify('y'.repeat(80), hash)).to.deep.equal({ right: true, rehash: false });
  });

  it('W4 of more than 1024 bytes are never made', async () => {
    const long = 'x'.repeat(10_000_000);
    await inTime(async (watch) => {
      const { right } = await watch.around('refusing', 200, () => hasher.verify(long, undefined));
      expect(right).to.equal(false);
    });
    expect(await refusal(hasher.hash('é'.repeat(513)))).to.equal('invalid-fields');
  });

  it('W4 run as many at once as allowed, queue so many, and refuse the rest', async () => {
    const inSlot = createWorkSlots({ size: 2, queue: 3 });
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const work = () =>
      inSlot(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => release.push(resolve));
        running -= 1;
      });
    const all = Array.from({ length: 8 }, work);
    const outcomes = Promise.allSettled(all);
    const refused: unknown[] = [];
    for (const one of all) one.catch((error: unknown) => refused.push(error));
    await new Promise(setImmediate);
    expect(running).to.equal(2);
    expect(refused.map((error) => error instanceof Refused && error.reason)).to.deep.equal(
      Array(3).fill('unavailable'),
    );
    while (running > 0) {
      release.shift()?.();
      await new Promise(setImmediate);
    }
    expect((await outcomes).map(({ status }) => status)).to.deep.equal([
      ...Array(5).fill('fulfilled'),
      ...Array(3).fill('rejected'),
    ]);
    expect(most).to.equal(2);
    await inSlot(async () => {});
  });

  it('W4 while others wait, results leave together, and no work waits for them', async () => {
    const slots = (patience: number, size = 1) => {
      const inSlot = createWorkSlots({ size, queue: 10, patience });
      const seen = { begun: 0, left: 0 };
      const end: (() => void)[] = [];
      const begin = async () => {
        await inSlot(async () => {
          seen.begun += 1;
          await new Promise<void>((resolve) => end.push(resolve));
        });
        seen.left += 1;
      };
      const endOne = async () => {
        end.shift()?.();
        await new Promise(setImmediate);
        return { ...seen };
      };
      return { begin, endOne };
    };
    const patient = slots(60_000);
    const all = Promise.all(Array.from({ length: 9 }, patient.begin));
    const after = [];
    for (let ended = 0; ended < 9; ended += 1) after.push(await patient.endOne());
    expect(after.map(({ begun, left }) => `${begun} begun, ${left} left`)).to.deep.equal([
      '2 begun, 0 left',
      '3 begun, 0 left',
      '4 begun, 0 left',
      '5 begun, 0 left',
      '6 begun, 0 left',
      '7 begun, 6 left',
      '8 begun, 6 left',
      // None waits any more.
      '9 begun, 8 left',
      '9 begun, 9 left',
    ]);
    await all;
    const two = slots(60_000, 2);
    const five = Promise.all(Array.from({ length: 5 }, two.begin));
    expect(await two.endOne()).to.deep.equal({ begun: 3, left: 0 });
    // One waits for two slots.
    expect(await two.endOne()).to.deep.equal({ begun: 4, left: 2 });
    for (let ended = 2; ended < 5; ended += 1) await two.endOne();
    await five;
    const hasty = slots(1);
    const [first, ...others] = [hasty.begin(), hasty.begin(), hasty.begin()];
    await hasty.endOne();
    const alone = first.then(() => 'leaves alone');
    expect(await Promise.race([alone, pause(2000, 'waits on')])).to.equal('leaves alone');
    for (const _ of others) await hasty.endOne();
    await Promise.all(others);
  });

  it('W4 are made by threads that give way to the event loop', async () => {
    const server = await startTestServer();
    const threads = readdirSync('/proc/self/task').map((id) => ({
      name: readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim(),
      priority: getPriority(Number(id)),
    }));
    await server.close();
    const hashing = threads.filter(({ name }) => name === 'libuv-worker');
    expect(new Set(hashing.map(({ priority }) => priority))).to.deep.equal(
      new Set([Math.max(10, getPriority())]),
    );
    expect(threads.filter(({ priority }) => priority === getPriority())).not.to.have.length(0);
  });

  it('W4 a flood of sign-ins is refused with 503 instead of waiting for ever', async () => {
    const small = createPasswordHasher({ queue: 1 });
    const tries = await Promise.allSettled(Array.from({ length: 40 }, () => small.verify('x', undefined)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).to.have.length(availableParallelism() + 1);
  });

  it('W7 an unknown account costs the work of a known one', async () => {
    const hash = await hasher.hash(PASSWORD);
    const trying = (against: string | undefined) => async () => {
      await hasher.verify('wrong', against);
    };
    expect(await apart(30, trying(hash), trying(undefined))).to.equal(undefined);
  });
});

describe('B5 W7 a refused sign-in', () => {
  /** Of each kind. */
  const ROUNDS = Number(process.env.PORTICO_TEST_SAMPLES ?? 12);
  const salt = Buffer.from('0123456789abcdef');
  const b64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
  const pbkdf2 = (rounds: number) =>
    `$pbkdf2-sha256$${rounds}$${b64(salt).replaceAll('+', '.')}$${b64(pbkdf2Sync(PASSWORD, salt, rounds, 32, 'sha256')).replaceAll('+', '.')}`;
  const wrappedMd5 = async () => {
    const md5 = createHash('md5').update(PASSWORD).digest('hex');
    const judged = readForeignHash(md5, { recipe: 'md5({password})' });
    return judged.kind === 'weak'
      ? judged.wrap((text) => argon2(text, { memoryCost: 19_456, timeCost: 2 }))
      : '';
  };
  type Hashes = Readonly<Record<string, () => Promise<string> | string | undefined>>;
  /** By organization: what refused sign-ins do depends on all that it holds. */
  const held: Readonly<Record<string, Hashes>> = {
    'many formats': {
      'no password': () => undefined,
      'our argon2id': () => argon2(PASSWORD, { memoryCost: 19_456, timeCost: 2 }),
      argon2i: () => argon2(PASSWORD, { algorithm: 1, memoryCost: 8192, timeCost: 3 }),
      bcrypt: () => bcrypt(PASSWORD, 8),
      scrypt: () =>
        `$scrypt$ln=13,r=8,p=1$${b64(salt)}$${b64(scryptSync(PASSWORD, salt, 32, { N: 8192, r: 8, p: 1 }))}`,
      PBKDF2: () => pbkdf2(60_000),
      'wrapped MD5': () => wrappedMd5(),
    },
    'two costs of PBKDF2': { few: () => pbkdf2(1_000), many: () => pbkdf2(250_000) },
    'two costs of bcrypt': { low: () => bcrypt(PASSWORD, 5), high: () => bcrypt(PASSWORD, 10) },
  };

  interface Subject {
    readonly kind: string;
    readonly organization: string;
    readonly login: string;
    readonly password: string;
  }
  let world: World;
  const subjects: Subject[] = [];

  before(async () => {
    const many = { limit: 1_000_000, window: 900 };
    world = await openWorld({ limits: { pair: many, address: many, login: many } });
    for (const [organization, hashes] of Object.entries(held)) {
      const named = { id: organization, name: organization, hosts: [], vendor: {}, createdAt: new Date() };
      await world.identity.stores.organizations.put(named);
      subjects.push({ kind: 'no account', organization, login: 'ghost@held.test', password: 'wrong' });
      for (const [kind, make] of Object.entries(hashes)) {
        const login = `${subjects.length}@held.test`;
        const { id } = await world.person({ email: login }, organization);
        const passwordHash = await make();
        const blocked = kind === 'bcrypt' ? ({ status: 'blocked' } as const) : {};
        await updateAccount(world.identity, id, (account) => ({
          ...account,
          ...blocked,
          ...(passwordHash !== undefined && { passwordHash }),
        }));
        subjects.push({ kind, organization, login, password: 'wrong' });
        if (kind === 'bcrypt') {
          subjects.push({ kind: 'bcrypt, right and blocked', organization, login, password: PASSWORD });
        }
      }
    }
    await noteStoredHashes(world.identity.stores);
  });
  after(() => world.close());

  const refused = ({ organization, login, password }: Subject) =>
    refusal(
      signInByPassword(world.identity, {
        ...{ organization, login, password, by: ['email'] },
        context: from(),
      }),
    );

  async function sample(asked: readonly Subject[], rounds: number): Promise<string[]> {
    const times = new Map<string, number[]>(asked.map(({ kind }) => [kind, []]));
    for (let round = 0; round < rounds; round += 1) {
      for (let lease = 0; lease < asked.length; lease += 1) {
        const one = asked[(round + lease) % asked.length];
        if (one === undefined) continue;
        const started = performance.now();
        expect(await refused(one)).to.equal('sign-in-refused');
        times.get(one.kind)?.push(performance.now() - started);
      }
    }
    const reference = times.get('no account') ?? [];
    return [...times].flatMap(([kind, taken]) => {
      const apart = difference(reference, taken);
      return apart === undefined ? [] : [`no account and ${kind}: ${apart}`];
    });
  }

  for (const organization of Object.keys(held)) {
    it(`B5 W7 takes the same time whatever hash the account has (${organization})`, async function () {
      this.timeout(300_000);
      const asked = subjects.filter((one) => one.organization === organization);
      await sample(asked, 2);
      let differences = await sample(asked, ROUNDS);
      if (differences.length > 0) differences = await sample(asked, 2 * ROUNDS);
      expect(differences).to.deep.equal([]);
    });
  }

  it('B5 knows each kind by its costliest hash, and keeps none of anybody', async () => {
    const kept = async (organization: string) =>
      JSON.parse((await world.identity.stores.metadata.get(`password-hashes:${organization}`)) ?? '[]');
    const blank = `${'A'.repeat(22)}$${'A'.repeat(43)}`;
    expect(await kept('many formats')).to.have.members([
      `$argon2id$v=19$m=19456,t=2,p=1$${blank}`,
      `$argon2i$v=19$m=8192,t=3,p=1$${blank}`,
      `$2b$08$${'.'.repeat(53)}`,
      `$scrypt$ln=13,r=8,p=1$${blank}`,
      `$pbkdf2-sha256$60000$${blank}`,
      `$wrapped$digest$md5({password})$$${'A'.repeat(22)}$argon2id$v=19$m=19456,t=2,p=1$${blank}`,
    ]);
    expect(await kept('two costs of PBKDF2')).to.deep.equal([`$pbkdf2-sha256$250000$${blank}`]);
    expect(await kept('two costs of bcrypt')).to.deep.equal([`$2b$10$${'.'.repeat(53)}`]);
  });
});

describe('sign-in with a password', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const signIn = (login: string, password = PASSWORD, organization = 'north') =>
    signInByPassword(world.identity, {
      organization,
      login,
      password,
      by: ['email', 'username'],
      context: from(),
    });

  it('W7 is refused alike for wrong, unknown, without password, blocked, inactive and foreign', async () => {
    await world.person({ email: 'a@x.test', password: PASSWORD });
    await world.person({ email: 'nopass@x.test' });
    await world.person({ email: 'blocked@x.test', password: PASSWORD, status: 'blocked' });
    await world.person({ email: 'inactive@x.test', password: PASSWORD, status: 'inactive' });
    await world.person({ email: 'south@x.test', password: PASSWORD }, 'south');
    expect(await refusal(signIn('a@x.test', 'wrong'))).to.equal('sign-in-refused');
    for (const login of [
      'ghost@x.test',
      'nopass@x.test',
      'blocked@x.test',
      'inactive@x.test',
      'south@x.test',
      '',
    ]) {
      expect(await refusal(signIn(login)), login).to.equal('sign-in-refused');
    }
    expect(await refusal(signIn('nopass@x.test', ''))).to.equal('sign-in-refused');
  });

  it('W3 a legacy hash is stored anew, without moving updatedAt, also by parallel sign-ins', async () => {
    const { id } = await world.person({ email: 'old@x.test' });
    const passwordHash = await bcrypt(PASSWORD, 4);
    await updateAccount(world.identity, id, (account) => ({ ...account, passwordHash }));
    const before = await world.identity.stores.accounts.byId(id);
    world.pass(60);
    await Promise.all(Array.from({ length: 6 }, () => signIn('old@x.test')));
    const after = await world.identity.stores.accounts.byId(id);
    expect(after?.passwordHash).to.match(/^\$argon2id\$/);
    expect(after?.updatedAt).to.deep.equal(before?.updatedAt);
    expect(after?.lastSignInAt).to.deep.equal(world.identity.clock.now());
    await signIn('old@x.test');
  });

  it('L1 leaves one audit line, with a pseudonym for names without an account', async () => {
    await world.person({ email: 'a@x.test', password: PASSWORD });
    await signIn('a@x.test');
    await refusal(signIn('my-secret-in-the-wrong-field'));
    const lines = world.audit.filter(({ event }) => event === 'sign-in');
    expect(lines.map(({ outcome }) => outcome)).to.deep.equal(['success', 'refused']);
    expect(JSON.stringify(lines)).not.to.contain('my-secret');
    expect(lines[0]).to.include({
      address: '192.0.2.1',
      requestId: 'r-1',
      clientId: 'c-1',
      organization: 'north',
    });
    expect(lines.map(({ detail }) => detail)).to.deep.equal([
      { channel: 'hosted', factor: 'pwd' },
      { channel: 'hosted', factor: 'pwd', why: 'wrong' },
    ]);
  });

  it('W5 a new password ends everything but what is kept, and tells the owner', async () => {
    const { id } = await world.person({ email: 'a@x.test', password: PASSWORD, status: 'inactive' });
    const input = { accountId: id, password: 'Copper-Meadow-Falcon-72', minimum: 12 };
    await setPassword(world.identity, { ...input, keep: { grantId: 'g1' }, email: 'password-changed' });
    expect(world.ended).to.deep.equal([{ accountId: id, keep: { grantId: 'g1' } }]);
    expect(world.emails.map(({ name, to }) => [name, to])).to.deep.equal([['password-changed', 'a@x.test']]);
    expect(await refusal(signIn('a@x.test'))).to.equal('sign-in-refused');
    expect((await signIn('a@x.test', input.password)).account).to.have.property('status', 'active');
    expect(await refusal(setPassword(world.identity, { ...input, password: 'North-Clinic-2031' }))).to.equal(
      'password-too-common',
    );
  });

  it('W5 no email goes to an account whose mail is switched off', async () => {
    const { id } = await world.person({
      email: 'a@x.test',
      password: PASSWORD,
      vendor: { vsee: { disable_emails: true } },
    });
    await setPassword(world.identity, {
      accountId: id,
      password: 'Copper-Meadow-Falcon-72',
      minimum: 12,
      email: 'password-changed',
    });
    expect(world.emails).to.deep.equal([]);
  });

  it('W5 a sign-in that was under way with the old password gives nothing', async () => {
    const { id } = await world.person({ email: 'a@x.test', password: PASSWORD });
    const slow = {
      ...world.identity,
      hasher: {
        ...world.identity.hasher,
        async verify(password: string, hash: string | undefined) {
          const verdict = await world.identity.hasher.verify(password, hash);
          if (world.ended.length === 0) {
            await setPassword(world.identity, {
              accountId: id,
              password: 'Copper-Meadow-Falcon-72',
              minimum: 12,
            });
          }
          return verdict;
        },
      },
    };
    const late = signInByPassword(slow, {
      organization: 'north',
      login: 'a@x.test',
      password: PASSWORD,
      by: ['email'],
      context: from(),
    });
    expect(await refusal(late)).to.equal('sign-in-refused');
  });

  it('X1 no password is in the database file', async () => {
    await world.person({ email: 'a@x.test', password: PASSWORD });
    await signIn('a@x.test');
    expect(world.dump()).not.to.contain(PASSWORD);
  });
});

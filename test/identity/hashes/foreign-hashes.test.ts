/** Password hashes that other systems made: read, judged, checked, replaced (M24, M25). */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { recordOf } from '../../../src/identity/accounts/create-account.ts';
import { type ForeignHash, readForeignHash } from '../../../src/identity/hashes/foreign-hash.ts';
import { readHash } from '../../../src/identity/hashes/read-hash.ts';
import { createPasswordHasher } from '../../../src/identity/passwords/hasher.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { KEYS, PUBLISHED, type WrittenHash, writtenByNpm, writtenElsewhere } from './written.ts';

const hasher = createPasswordHasher({ queue: 256, keys: KEYS });

const read = ({ hash, recipe, salt }: WrittenHash) => readForeignHash(hash, { recipe, salt, keys: KEYS });

async function stored(foreign: ForeignHash): Promise<string> {
  if (foreign.kind === 'kept') return foreign.hash;
  if (foreign.kind === 'weak') return foreign.wrap((text) => hasher.hash(text));
  throw new Error(`The hash is refused: ${foreign.reason}`);
}

const sources: Readonly<Record<string, () => Promise<readonly WrittenHash[] | undefined>>> = {
  'that their makers published': async () => PUBLISHED,
  'of npm’s argon2': writtenByNpm,
  'of passlib, Django and Werkzeug': async () => writtenElsewhere('python'),
  'of Spring Security': async () => writtenElsewhere('spring'),
};

describe('foreign password hashes', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({
      config: { passwords: { imported: KEYS }, attempts: { address: { limit: 10_000 } } },
    });
  });
  after(() => server?.close());

  async function signIn(email: string, password: string): Promise<number> {
    const reply = await fetch(`${server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email, password }),
    });
    return reply.status;
  }

  for (const [source, written] of Object.entries(sources)) {
    it(`M25 ${source} sign their people in, no other password, and are replaced`, async function () {
      this.timeout(180_000);
      const hashes = await written();
      if (hashes === undefined) return this.skip();
      expect(hashes.length).to.be.at.least(3);
      const { accounts } = server.running.stores;
      for (const [place, one] of hashes.entries()) {
        const email = `${source.length}-${place}@x.test`;
        const fields = { email, emailVerified: true };
        const record = recordOf({ organization: 'default', fields, now: new Date() });
        await accounts.insert({ ...record, passwordHash: await stored(read(one)) });
        expect(await signIn(email, `${one.password}x`), one.by).to.equal(401);
        expect(await signIn(email, one.password), one.by).to.equal(200);
        const { passwordHash = '' } = (await accounts.byId(record.id)) ?? {};
        expect(passwordHash, one.by).to.match(/^\$argon2id\$v=19\$m=\d+,t=\d,p=\d\$/);
        expect((await hasher.verify(one.password, passwordHash)).rehash, one.by).to.equal(false);
      }
    });
  }

  it('M24 a fast hash is in the store inside argon2id only, whatever family it is of', async () => {
    const fast = [...PUBLISHED, ...FAST].filter((one) => read(one).kind === 'weak');
    expect(new Set(fast.map((one) => (read(one) as { family: string }).family))).to.deep.equal(
      new Set(['digest', 'pbkdf2', 'phpass', 'sha-crypt']),
    );
    for (const { hash, by, ...more } of fast) {
      const kept = await stored(read({ hash, by, ...more }));
      expect(kept, by).to.match(/^\$wrapped.+\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      const bytes = Buffer.from(hash.split(/[$}]/).at(-1) ?? '', /^[\da-f]+$/.test(hash) ? 'hex' : 'base64');
      for (const encoding of ['hex', 'base64', 'latin1'] as const)
        expect(kept, by).to.not.include(bytes.toString(encoding).slice(-12).replace(/=+$/, ''));
      // The salt stays: without it no password could be tried.
      expect((await hasher.verify(more.password, kept)).right, by).to.equal(true);
      expect((await hasher.verify(`${more.password}x`, kept)).right, by).to.equal(false);
    }
  });

  it('M25 what would cost too much, or is cut short, is refused with a reason', () => {
    const b64 = (bytes: number) => Buffer.alloc(bytes, 9).toString('base64').replaceAll('=', '');
    const reasons = {
      ...{
        costs: 'costs more than a sign-in may',
        unknown: 'must be of a hash family that docs/import.md lists',
      },
    };
    const refused: Readonly<Record<string, RegExp | string>> = {
      [`$argon2id$v=19$m=1048577,t=1,p=1$${b64(16)}$${b64(32)}`]: reasons.costs,
      [`$argon2id$v=19$m=1048576,t=5,p=1$${b64(16)}$${b64(32)}`]: reasons.costs,
      [`$argon2id$v=19$m=64,t=1,p=1$${b64(7)}$${b64(32)}`]: /too small or too long/,
      [`$argon2id$v=19$m=64,t=1,p=9$${b64(16)}$${b64(32)}`]: /too small or too long/,
      [`$argon2id$v=18$m=64,t=1,p=1$${b64(16)}$${b64(32)}`]: /too small or too long/,
      [`$argon2id$v=19$m=64,t=1,m=9$${b64(16)}$${b64(32)}`]: reasons.unknown,
      [`$2b$17$${'a'.repeat(53)}`]: reasons.costs,
      [`$2b$03$${'a'.repeat(53)}`]: /too low/,
      [`$2b$10$${'a'.repeat(52)}`]: reasons.unknown,
      [`$scrypt$ln=21,r=8,p=1$${b64(16)}$${b64(32)}`]: reasons.costs,
      [`$scrypt$ln=18,r=8,p=99$${b64(16)}$${b64(32)}`]: reasons.costs,
      [`$scrypt$ln=0,r=8,p=1$${b64(16)}$${b64(32)}`]: /too small/,
      [`scrypt$16383$salt$8$1$${b64(64)}`]: reasons.unknown,
      [`$pbkdf2-sha256$10000001$${b64(16)}$${b64(32)}`]: reasons.costs,
      [`$pbkdf2-sha1$5000001$${b64(16)}$${b64(32)}`]: reasons.costs,
      [`$pbkdf2-sha256$0$${b64(16)}$${b64(32)}`]: /no rounds/,
      [`$pbkdf2-sha256$1000$${b64(16)}$${b64(12)}`]: reasons.unknown,
      [`$P$J${'a'.repeat(30)}`]: reasons.costs,
      [`$P$4${'a'.repeat(30)}`]: /too low/,
      [`$6$rounds=1000001$salt$${'a'.repeat(86)}`]: reasons.costs,
      [`$6$rounds=999$salt$${'a'.repeat(86)}`]: /too few rounds/,
      [`$5$salt$${'a'.repeat(86)}`]: reasons.unknown,
      [Buffer.from(`\u0001${'\0'.repeat(60)}`).toString('base64')]: /no rounds/,
      '{SSHA}AAAA': reasons.unknown,
      [`$wrapped$2b$10$${'a'.repeat(53)}$argon2id$v=19$m=64,t=1,p=1$${b64(16)}$${b64(32)}`]: /wraps no hash/,
      '{"secretData":"{}","credentialData":"{}"}': reasons.unknown,
      plain: reasons.unknown,
      '': reasons.unknown,
    };
    for (const [hash, reason] of Object.entries(refused)) {
      const judged = readForeignHash(hash, { keys: KEYS });
      const given = judged.kind === 'refused' ? judged.reason : `it is ${judged.kind}`;
      if (typeof reason === 'string') expect(given, hash).to.equal(reason);
      else expect(given, hash).to.match(reason);
    }
  });

  it('M25 a recipe is what a text does not say: without its key, its salt or its form it is refused', () => {
    const bcrypt = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW';
    const md5 = '5ebe2294ecd0e0f08eab7690d2a6ee69';
    const reasonOf = (hash: string, recipe: string, salt?: string) => {
      const judged = readForeignHash(hash, { recipe, salt, keys: KEYS });
      return judged.kind === 'refused' ? judged.reason : judged.kind;
    };
    expect(reasonOf(bcrypt, 'devise:shop')).to.equal('kept');
    expect(reasonOf(bcrypt, 'devise:other')).to.equal(
      'needs passwords.imported.devise.other of the configuration',
    );
    expect(reasonOf(bcrypt, 'meteor')).to.equal('kept');
    expect(reasonOf(md5, 'meteor')).to.equal('is not what its recipe says');
    expect(reasonOf(md5, 'firebase:readme')).to.equal('has no salt');
    expect(reasonOf(md5, 'firebase:other', 'c2FsdA')).to.match(/^needs passwords.imported.firebase.other/);
    expect(reasonOf(md5, 'md5({password})')).to.equal('weak');
    expect(reasonOf(bcrypt, 'md5({password})'), 'a newer hash in the same file').to.equal('kept');
    expect(reasonOf(md5, 'md5({salt}{password})')).to.equal('has no salt');
    expect(reasonOf(md5, 'sha1({password})')).to.equal('is not what its recipe says');
    for (const template of [
      'md5({salt})',
      'md5({password}',
      'md5({password}))',
      'md4({password})',
      'md5({user}{password})',
      'md5*0({password})',
    ])
      expect(reasonOf(md5, template, 'x'), template).to.equal(
        'has no template such as sha1({salt}{password})',
      );
    expect(reasonOf(md5, 'md5*1000001({password})')).to.equal('costs more than a sign-in may');
  });

  it('M25 templates nest, repeat, and take salts in any coding', async () => {
    const hex = (name: string, ...parts: (string | Buffer)[]) => {
      const digest = createHash(name);
      for (const part of parts) digest.update(part);
      return digest.digest('hex');
    };
    const [password, salt] = ['Größe', '73616c74'];
    const hashes = {
      'md5(md5({password}){salt})': hex('md5', hex('md5', password), salt),
      'sha1({salt}sha1({salt}sha1({password})))': hex('sha1', salt, hex('sha1', salt, hex('sha1', password))),
      'sha256(site-wide:{salt:hex}{password})': hex('sha256', 'site-wide:salt', password),
      'sha512*3({password})': hex(
        'sha512',
        createHash('sha512').update(createHash('sha512').update(password).digest()).digest(),
      ),
      'sha384({password}{salt:base64})': hex('sha384', password, Buffer.from(salt, 'base64')),
    };
    for (const [recipe, hash] of Object.entries(hashes)) {
      const forms = [
        hash,
        hash.toUpperCase(),
        Buffer.from(hash, 'hex').toString('base64'),
        Buffer.from(hash, 'hex').toString('base64url'),
      ];
      for (const form of forms) {
        const kept = await stored(read({ by: recipe, password, hash: form, recipe, salt }));
        expect((await hasher.verify(password, kept)).right, `${recipe} ${form}`).to.equal(true);
      }
    }
  });

  it('B5 a decoy has the kind and the cost of a hash, and nothing of its salt and its key', async () => {
    const all = [...PUBLISHED, ...FAST, ...(writtenElsewhere('python') ?? [])];
    const decoys: string[] = [];
    for (const one of all) {
      const judged = read(one);
      if (judged.kind === 'refused') throw new Error(one.by);
      const kept = await stored(judged);
      const [own, decoy] = [readHash(kept, KEYS), readHash(judged.decoy)];
      expect([decoy?.kind, decoy?.work, decoy?.text], one.by).to.deep.equal([
        own?.kind,
        own?.work,
        own?.blank,
      ]);
      decoys.push(judged.decoy);
      // Of no key that has four signs or more is there a piece of four in it.
      const key = kept.slice(kept.lastIndexOf('$') + 1);
      expect(judged.decoy, one.by).to.not.include(key.slice(0, 4));
      expect(read({ ...one, hash: kept, recipe: 'meteor' }).kind === 'kept', one.by).to.equal(
        kept.startsWith('$2'),
      );
      expect(readForeignHash(kept, { keys: KEYS }), one.by).to.deep.include({ kind: 'kept', hash: kept });
    }
    const salts = [
      'U29kaXVt',
      'TmFDb',
      'c2FsdA',
      'c29tZXNhbHQ',
      'CCCCC',
      'saltstring',
      'IQRaTwmf',
      'TOxWPdvJ',
    ];
    for (const salt of [...salts, 'Q1xinFjr', '42xEC', 'q4deh2UP', 'Cf9AYCE5', 'HVGnNw', '1esOSdzt'])
      expect(decoys.join(' ')).to.not.include(salt);
  });

  it('M25 what the libraries make by default is taken', () => {
    const [salt, key] = ['A'.repeat(22), 'A'.repeat(43)];
    for (const hash of [
      `pbkdf2_sha256$1200000$saltsaltsaltsaltsalt$${key}=`,
      `pbkdf2:sha256:1000000$saltsaltsalt$${'ab'.repeat(32)}`,
      `scrypt:32768:8:1$saltsaltsalt$${'ab'.repeat(64)}`,
      `argon2$argon2id$v=19$m=102400,t=2,p=8$${salt}$${key}`,
      `$argon2id$v=19$m=65536,t=3,p=4$${salt}$${key}`,
      `$6$rounds=656000$saltsaltsaltsalt$${'a'.repeat(86)}`,
      `$5$rounds=535000$saltsaltsaltsalt$${'a'.repeat(43)}`,
      `$2y$12$${'a'.repeat(53)}`,
    ])
      expect(readForeignHash(hash).kind, hash).to.equal('kept');
  });

  it('M25 thousands of rounds hold up nothing else', async () => {
    let turns = 0;
    let ended = false;
    const check = readHash(`$6$rounds=50000$saltsalt$${'a'.repeat(86)}`)?.matches('wrong');
    const watched = (async () => {
      for (; !ended; turns += 1) await new Promise(setImmediate);
    })();
    expect(await check).to.equal(false);
    ended = true;
    await watched;
    expect(turns).to.be.greaterThan(100);
  });
});

/** Without a template each of these is one digest: the password is `secret`. */
const FAST: readonly WrittenHash[] = [
  { by: 'OpenLDAP', password: 'secret', hash: '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3' },
  { by: 'md5sum', password: 'secret', hash: '5ebe2294ecd0e0f08eab7690d2a6ee69', recipe: 'md5({password})' },
];

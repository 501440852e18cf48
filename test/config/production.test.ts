import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/issues.ts';
import { loadConfig } from '../../src/config/load.ts';
import { plugInShapes } from '../../src/server/configuration.ts';

const KEY = randomBytes(32).toString('base64');

const shapes = await plugInShapes();

/** All that production asks for. */
const COMPLETE = {
  NODE_ENV: 'production',
  PORTICO_ISSUER: 'https://id.example.org',
  PORTICO_KEYS__ENCRYPTION: KEY,
  PORTICO_MAIL__FROM: 'Clinic <no-reply@example.org>',
};

describe('Production', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-production-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function pathsRefused(env: Record<string, string | undefined>): string[] {
    try {
      loadConfig({ env: { ...COMPLETE, ...env }, cwd: folder, ...shapes });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.issues.map((issue) => issue.path);
      throw error;
    }
  }

  it('starts with an issuer, a server key and a sender', () => {
    const config = loadConfig({ env: COMPLETE, cwd: folder });
    expect(config.environment).to.equal('production');
    expect(config.store.kind).to.equal('distributed');
    expect(config.mail.kind).to.equal('smtp');
    expect(config.demo).to.equal(false);
    expect(config.seed).to.deep.equal([]);
    expect(Object.values(config.dialects).some((dialect) => dialect.enabled)).to.equal(false);
  });

  it('names all that is missing when nothing is set', () => {
    const nothing = { PORTICO_ISSUER: '', PORTICO_KEYS__ENCRYPTION: '', PORTICO_MAIL__FROM: '' };
    expect(pathsRefused(nothing)).to.have.members(['issuer', 'keys.encryption', 'mail.from']);
  });

  it('takes the embedded store where somebody asks for it', () => {
    expect(pathsRefused({ PORTICO_STORE__KIND: 'embedded' })).to.deep.equal([]);
  });

  for (const [what, variable, value, where] of [
    ['an http issuer', 'PORTICO_ISSUER', 'http://id.example.org', 'issuer'],
    ['the demo application', 'PORTICO_DEMO', 'true', 'demo'],
    ['a mailbox that sends nothing', 'PORTICO_MAIL__KIND', 'mailbox', 'mail.kind'],
    [
      'P13 outbound requests to private networks',
      'PORTICO_OUTBOUND__ALLOW_PRIVATE',
      'true',
      'outbound.allowPrivate',
    ],
    ['a key of zeros', 'PORTICO_KEYS__ENCRYPTION', Buffer.alloc(32).toString('base64'), 'keys.encryption'],
    [
      'a key of one word',
      'PORTICO_KEYS__ENCRYPTION',
      Buffer.from('secretse'.repeat(4)).toString('base64'),
      'keys.encryption',
    ],
    [
      'a key of numbers in a row',
      'PORTICO_KEYS__ENCRYPTION',
      Buffer.from(Array.from({ length: 32 }, (_, n) => n)).toString('hex'),
      'keys.encryption',
    ],
    [
      'a pass phrase for a key',
      'PORTICO_KEYS__ENCRYPTION',
      Buffer.from('my dog is called Rex, and I love').toString('base64url'),
      'keys.encryption',
    ],
    [
      'B10 X1 sixteen random bytes twice for a key',
      'PORTICO_KEYS__ENCRYPTION',
      Buffer.alloc(32, randomBytes(16)).toString('base64'),
      'keys.encryption',
    ],
    [
      'B10 X1 numbers in steps for a key',
      'PORTICO_KEYS__ENCRYPTION',
      Buffer.from(Array.from({ length: 32 }, (_, n) => (n * 7) & 255)).toString('hex'),
      'keys.encryption',
    ],
    [
      'a sample cookie key',
      'PORTICO_KEYS__COOKIES',
      'please-change-me-please-change-me-0123',
      'keys.cookies.0',
    ],
    ['the demo seed', 'PORTICO_SEED', path.resolve('config/seed/demo.yaml'), 'seed.0'],
  ] as const) {
    it(`refuses ${what}`, () => expect(pathsRefused({ [variable]: value })).to.deep.equal([where]));
  }

  it('B10 X1 refuses a secret of HS256 that a stranger could guess, from a file or not, and no random one', () => {
    const weak = {
      'equal bytes': 'a'.repeat(32),
      'two bytes in turn': 'ab'.repeat(20),
      'a word over and over': 'Quartz-7'.repeat(5),
      'a piece that is cut off': 'Harbour-Lantern-77'.repeat(3).slice(0, 50),
      'a row': 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg',
      'a row over and over': '0123456789'.repeat(4),
      'zeros in base64': Buffer.alloc(32).toString('base64'),
      'a word in base64': Buffer.alloc(32, 'Quartz7!').toString('base64url'),
      'a word in hex': Buffer.alloc(32, 'Quartz7!').toString('hex'),
      'a pass phrase in base64': Buffer.from('my dog is called Rex, and I love').toString('base64'),
      'a sample': 'change-me-before-you-go-live-0123456789',
    };
    const random = {
      base64: randomBytes(32).toString('base64'),
      base64url: randomBytes(24).toString('base64url'),
      hex: randomBytes(16).toString('hex'),
    };
    const names = Object.keys(shapes.dialects);
    for (const [index, [what, secret]] of Object.entries({ ...weak, ...random }).entries()) {
      const file = path.join(folder, `secret-${index}`);
      writeFileSync(file, `${secret}\n`);
      for (const name of ['visitnote', 'medisync', 'careportals', 'avycenna']) {
        expect(names).to.include(name);
        const access = `PORTICO_DIALECTS__${name.toUpperCase()}__ACCESSTOKEN`;
        for (const setting of [{ [`${access}__SECRET`]: secret }, { [`${access}__SECRET_FILE`]: file }]) {
          expect(pathsRefused({ [`${access}__SIGNING`]: 'HS256', ...setting }), what).to.deep.equal(
            what in random ? [] : [`dialects.${name}.accessToken.secret`],
          );
        }
      }
    }
  });

  it('B10 T1 refuses a secret of HS256 that another dialect or the server has too', () => {
    const secret = randomBytes(32).toString('base64');
    const shared = (name: string, text: string) => ({
      [`PORTICO_DIALECTS__${name}__ACCESSTOKEN__SIGNING`]: 'HS256',
      [`PORTICO_DIALECTS__${name}__ACCESSTOKEN__SECRET`]: text,
    });
    const [visitnote, avycenna] = ['visitnote', 'avycenna'].map(
      (name) => `dialects.${name}.accessToken.secret`,
    );
    expect(pathsRefused({ ...shared('VISITNOTE', secret), ...shared('AVYCENNA', secret) })).to.have.length(1);
    expect(pathsRefused(shared('VISITNOTE', KEY))).to.deep.equal([visitnote]);
    const cookies = { PORTICO_KEYS__COOKIES: secret };
    expect(pathsRefused({ ...cookies, ...shared('AVYCENNA', secret) })).to.deep.equal([avycenna]);
    expect(
      pathsRefused({ ...shared('VISITNOTE', secret), ...shared('AVYCENNA', `${secret}x`) }),
    ).to.deep.equal([]);
  });

  it('B10 R1 refuses to believe proxies on half the internet, and takes the ranges that operators have', () => {
    const wide = [
      ...['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '1.2.3.4/0', '64.0.0.0/7', '::/0', '::/1', '2000::/3'],
      ...['2000::/15', '::ffff:0:0/96', '::ffff:0.0.0.0/96', '0:0:0:0:0:ffff:0:0/103', '::/96', 'fc00::/6'],
    ];
    for (const range of wide) {
      const listed = { PORTICO_HTTP__TRUSTED_PROXIES: `10.0.0.0/8,${range}` };
      expect(pathsRefused(listed), range).to.deep.equal(['http.trustedProxies.1']);
    }
    const fit = ['10.0.0.0/8', '172.16.0.0/12', '127.0.0.1', '::1', 'fc00::/7', 'fd00::/8', 'fe80::/10'];
    const cloud = ['2606:4700::/32', '104.16.0.0/13', '2001:db8::1', '::ffff:10.0.0.0/104', '::1/128'];
    const taken = { PORTICO_HTTP__TRUSTED_PROXIES: [...fit, ...cloud].join(',') };
    expect(pathsRefused(taken)).to.deep.equal([]);
  });

  it('reads the server key from a file that is named', () => {
    const file = path.join(folder, 'named.key');
    writeFileSync(file, `${KEY}\n`);
    for (const variable of ['PORTICO_KEYS__ENCRYPTION_FILE', 'PORTICO_KEYS__ENCRYPTIONFILE']) {
      const config = loadConfig({
        env: { ...COMPLETE, PORTICO_KEYS__ENCRYPTION: '', [variable]: file },
        cwd: folder,
      });
      expect(config.keys.encryption).to.equal(KEY);
    }
  });

  it('does not take a development key that lies at the default place', () => {
    mkdirSync(path.join(folder, 'data'));
    writeFileSync(path.join(folder, 'data/portico.key'), KEY);
    expect(pathsRefused({ PORTICO_KEYS__ENCRYPTION: '' })).to.deep.equal(['keys.encryption']);
  });

  it('shows no key in its refusals', () => {
    const key = Buffer.from('hunter2hunter2hunter2hunter2hunt').toString('base64');
    expect(() => loadConfig({ env: { ...COMPLETE, PORTICO_KEYS__ENCRYPTION: key }, cwd: folder }))
      .to.throw(ConfigError)
      .with.property('message')
      .that.does.not.contain(key);
  });
});

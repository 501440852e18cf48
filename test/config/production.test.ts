import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/mistakes.ts';

const KEY = randomBytes(32).toString('base64');

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
      loadConfig({ env: { ...COMPLETE, ...env }, cwd: folder });
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.mistakes.map((mistake) => mistake.path);
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
      'a sample cookie key',
      'PORTICO_KEYS__COOKIES',
      'please-change-me-please-change-me-0123',
      'keys.cookies.0',
    ],
    ['the demo seed', 'PORTICO_SEED', path.resolve('config/seed/demo.yaml'), 'seed.0'],
  ] as const) {
    it(`refuses ${what}`, () => expect(pathsRefused({ [variable]: value })).to.deep.equal([where]));
  }

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

import { fork } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/issues.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { decodeKey, serverKey } from '../../src/config/server-key.ts';

describe('The server key', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'portico-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const config = (keys: Record<string, unknown>, environment = 'development'): Config =>
    configSchema.parse({ environment, keys });

  it('may be base64, base64url or hex', () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, n) => 251 - n * 3));
    for (const text of [
      key.toString('base64'),
      key.toString('base64url'),
      key.toString('hex'),
      key.toString('hex').toUpperCase(),
      `${key.toString('base64')}\n`,
    ]) {
      expect(decodeKey(text)?.equals(key), text).to.equal(true);
    }
    for (const text of ['', 'short', key.toString('base64').slice(1), key.toString('hex').slice(1)]) {
      expect(decodeKey(text), text).to.equal(undefined);
    }
  });

  it('is made at the first start of development, readable by its owner alone, and kept', () => {
    const encryptionFile = path.join(folder, 'data/portico.key');
    const first = serverKey(config({ encryptionFile }));
    expect(first).to.have.lengthOf(32);
    expect(statSync(encryptionFile).mode & 0o777).to.equal(0o600);
    expect(serverKey(config({ encryptionFile })).equals(first)).to.equal(true);
    const other = serverKey(config({ encryptionFile: path.join(folder, 'other.key') }));
    expect(other.equals(first)).to.equal(false);
  });

  it('is one when several processes start together', async () => {
    const file = path.join(folder, 'shared.key');
    const program = path.join(folder, 'read-key.ts');
    writeFileSync(
      program,
      `import { serverKey } from ${JSON.stringify(path.resolve('src/config/server-key.ts'))};
       const keys = { encryptionFile: ${JSON.stringify(file)} };
       process.send?.(serverKey({ keys, environment: 'development' } as never).toString('hex'));`,
    );
    const keys = await Promise.all(
      Array.from(
        { length: 3 },
        () => new Promise((resolve) => fork(program, { execArgv: [] }).once('message', resolve)),
      ),
    );
    expect(new Set(keys)).to.have.lengthOf(1);
    expect(keys[0]).to.equal(Buffer.from(readFileSync(file, 'utf8'), 'base64').toString('hex'));
  });

  it('is never made in production', () => {
    const encryptionFile = path.join(folder, 'never.key');
    expect(() => serverKey(config({ encryptionFile }, 'production'))).to.throw(
      ConfigError,
      'keys.encryption',
    );
    expect(() => statSync(encryptionFile)).to.throw('ENOENT');
  });

  it('says what to do when its folder cannot be written or its file is damaged', () => {
    const damaged = path.join(folder, 'damaged.key');
    writeFileSync(damaged, 'not a key');
    expect(() => serverKey(config({ encryptionFile: damaged }))).to.throw(ConfigError, '32 bytes');
    // A superuser may write everywhere.
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect(() => serverKey(config({ encryptionFile: path.join(folder, 'x/y.key') }))).to.throw(
      ConfigError,
      'EACCES',
    );
    chmodSync(folder, 0o700);
  });

  it('is not looked for in a file where the path leads through one', () => {
    writeFileSync(path.join(folder, 'file'), '');
    const encryptionFile = path.join(folder, 'file/portico.key');
    expect(() => serverKey(config({ encryptionFile }))).to.throw(ConfigError, 'keys.encryptionFile');
  });
});

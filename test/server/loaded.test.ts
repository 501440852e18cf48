/** What a server that does nothing special keeps in memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { freePort } from '../support/ports.ts';

const root = path.join(import.meta.dirname, '../..');

/** Packages for what the configuration may ask for, or a request. */
const NOT_AT_THE_START = [
  'mongodb',
  'ioredis',
  'nodemailer',
  'openid-client',
  'oauth4webapi',
  '@zxcvbn-ts/language-common',
  '@node-rs/bcrypt',
  'commander',
];

const WATCH = `
import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const loaded = [];
registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
process.on('exit', () => writeFileSync(process.env.LOADED, JSON.stringify(loaded)));
`;

const WEIGH = `
import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.LOADED, JSON.stringify(process.memoryUsage())));
`;

describe('a server', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-loaded-'));
  const file = (name: string) => path.join(folder, name);
  after(() => rmSync(folder, { recursive: true }));

  /** Starts the server, and stops it as soon as it is ready: `options` make it leave file('loaded.json'). */
  async function start(options: readonly string[]): Promise<void> {
    const port = await freePort();
    const config = {
      issuer: `http://127.0.0.1:${port}`,
      http: { host: '127.0.0.1', port },
      store: { kind: 'embedded', embedded: { file: file('portico.db') } },
      keys: { encryptionFile: file('portico.key') },
      demo: false,
      dialects: { vsee: { enabled: true } },
    };
    writeFileSync(file('portico.json'), JSON.stringify(config));
    const memory = ['--max-semi-space-size=4', '--heap-growing-percent=60'];
    const program = [...memory, ...options, path.join(root, 'bin/server.js')];
    const { NODE_OPTIONS: _ofTheTests, ...environment } = process.env;
    const child = spawn(process.execPath, program, {
      cwd: root,
      env: {
        ...environment,
        NODE_ENV: 'test',
        PORTICO_CONFIG: file('portico.json'),
        LOADED: file('loaded.json'),
      },
      stdio: 'ignore',
    });
    const ready = async () => (await fetch(`${config.issuer}/readyz`).catch(() => undefined))?.ok === true;
    while (child.exitCode === null && !(await ready())) await new Promise((next) => setTimeout(next, 20));
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }

  it('loads what its configuration asks for, and stays small', async function () {
    this.timeout(120_000);
    writeFileSync(file('watch.mjs'), WATCH);
    // Leaves the compiled sources behind, for the second start.
    await start(['--import', file('watch.mjs')]);
    const loaded: string[] = JSON.parse(readFileSync(file('loaded.json'), 'utf8'));
    expect(loaded.some((url) => url.endsWith('/src/server/server.ts'))).to.equal(true);
    for (const name of NOT_AT_THE_START)
      expect(
        loaded.filter((url) => url.includes(`/node_modules/${name}/`)),
        name,
      ).to.deep.equal([]);
    // V8's heap alone is the same on every machine: how much of Node's own file is in memory is up to the system.
    writeFileSync(file('weigh.mjs'), WEIGH);
    await start(['--import', file('weigh.mjs')]);
    const { heapTotal } = JSON.parse(readFileSync(file('loaded.json'), 'utf8'));
    expect(heapTotal / 2 ** 20).to.be.within(15, 37);
  });
});

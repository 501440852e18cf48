import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePort } from '../support/ports.ts';
import { withoutSettings } from '../support/server-process.ts';

const root = path.join(import.meta.dirname, '../..');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

describe('The Dockerfile', function () {
  this.timeout(180_000);
  const instructions = read(readFileSync(path.join(root, 'Dockerfile'), 'utf8'));
  const all = (name: string) =>
    instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
  const copies = all('COPY').flatMap((rest) => {
    const words = rest.split(/\s+/);
    const to = words.at(-1) ?? '';
    return words.slice(0, -1).map((from) => ({ from, to: to === './' ? from : to.replace(/^\.\//, '') }));
  });

  it('copies only what exists, and what .dockerignore lets through', () => {
    const kept = readFileSync(path.join(root, '.dockerignore'), 'utf8').split('\n');
    expect(kept).to.include('*');
    for (const { from } of copies) {
      expect(existsSync(path.join(root, from)), from).to.equal(true);
      expect(kept).to.include(`!${from}`);
    }
    expect(kept.filter((line) => line.startsWith('!'))).to.have.length(copies.length);
  });

  it('runs as a user without rights, on the Node that package.json asks for', () => {
    expect(all('USER')).to.deep.equal(['node']);
    const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
    expect(engines.node).to.equal('>=24');
    expect(all('FROM')[0]).to.match(/^node:24-/);
    expect(all('RUN').some((line) => line.startsWith('npm ci --omit=dev '))).to.equal(true);
    expect(all('RUN')).to.include('mkdir -m 700 /data && chown node:node /data');
  });

  describe('done by hand', () => {
    let folder: string;
    let app: string;
    const nobody = userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : {};
    before(async () => {
      folder = mkdtempSync(path.join(tmpdir(), 'portico-image-'));
      chmodSync(folder, 0o755);
      app = path.join(folder, 'app');
      mkdirSync(app);
      for (const { from, to } of copies)
        cpSync(path.join(root, from), path.join(app, to), { recursive: true });
      const [install = ''] = all('RUN').filter((line) => line.startsWith('npm ci'));
      const [command = ''] = install.split(' && ');
      const [npm = '', ...words] = command.split(' ');
      await promisify(execFile)(npm, [...words, '--prefer-offline'], { cwd: app });
      mkdirSync(path.join(folder, 'data'), { mode: 0o777 });
      chmodSync(path.join(folder, 'data'), 0o777);
      await promisify(execFile)('chmod', ['-R', 'a-w,a+rX', app]);
    });
    after(async () => {
      await promisify(execFile)('chmod', ['-R', 'u+w', folder]);
      rmSync(folder, { recursive: true, force: true });
    });

    it('installs what production needs, and nothing that is for development alone', () => {
      const read = (name: string) => JSON.parse(readFileSync(path.join(root, name), 'utf8'));
      const installed = (name: string) => existsSync(path.join(app, 'node_modules', name));
      for (const name of Object.keys(read('package.json').dependencies))
        expect(installed(name), name).to.equal(true);
      // "dev": nothing of production asks for it, not even as a peer (as i18next does for typescript).
      const locked = Object.entries<{ dev?: boolean }>(read('package-lock.json').packages);
      const forDevelopment = locked.filter(([, { dev }]) => dev === true);
      expect(forDevelopment.length).to.be.greaterThan(50);
      for (const [name] of forDevelopment) expect(existsSync(path.join(app, name)), name).to.equal(false);
    });

    it('starts in production from files that cannot be written, is healthy by its own check, and stops', async () => {
      const port = String(await freePort());
      const environment = {
        ...withoutSettings(process.env),
        NODE_ENV: 'production',
        HOME: '/nonexistent',
        PORTICO_ISSUER: 'https://id.example.org',
        PORTICO_HTTP__PORT: port,
        PORTICO_STORE__KIND: 'embedded',
        PORTICO_STORE__EMBEDDED__FILE: path.join(folder, 'data/portico.db'),
        PORTICO_KEYS__ENCRYPTION: randomBytes(32).toString('base64'),
        PORTICO_MAIL__FROM: 'Clinic <no-reply@example.org>',
      };
      const asContainer = (words: string[]): ChildProcess =>
        spawn(process.execPath, words.slice(1), {
          cwd: app,
          env: environment,
          stdio: ['ignore', 'pipe', 'pipe'],
          ...nobody,
        });
      const [check = ''] = all('HEALTHCHECK').map((rest) => rest.slice(rest.indexOf('[')));
      const healthy = async () => {
        const [code] = await once(asContainer(JSON.parse(check)), 'exit');
        return code;
      };
      expect(await healthy(), 'before the start').to.equal(1);
      const server = asContainer(JSON.parse(all('CMD')[0] ?? '[]'));
      const written: string[] = [];
      for (const stream of [server.stdout, server.stderr])
        stream?.on('data', (chunk) => written.push(String(chunk)));
      const ended = once(server, 'exit');
      try {
        for (let tries = 0; tries < 300 && !written.join('').includes('"msg":"ready"'); tries += 1) {
          expect(server.exitCode, written.join('')).to.equal(null);
          await wait(100);
        }
        expect(await healthy(), written.join('')).to.equal(0);
      } finally {
        server.kill('SIGTERM');
      }
      expect((await ended)[0]).to.equal(0);
    });
  });
});

/** Instructions with their continuation lines joined. */
function read(text: string): Instruction[] {
  return text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, rest: rest.replace(/\s+/g, ' ') };
    });
}

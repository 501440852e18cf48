/**
 * The process as people and the contracts start it: `node src/main.ts` and `npm start`. test/newcomer.sh
 * measures the same from a fresh clone.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { inTime } from './support/in-time.ts';
import { freePort } from './support/ports.ts';
import { startServerProcess } from './support/server-process.ts';

const root = path.join(import.meta.dirname, '..');

async function signInAtVsee(url: string): Promise<Response> {
  return fetch(`${url}/api_v3/users/login`, {
    method: 'POST',
    headers: { 'x-accountcode': 'clinicdev' },
    body: new URLSearchParams({ username: 'pat@x.test', password: 'Willow-Compass-Ember-87' }),
  });
}

describe('the server as a process', function () {
  this.timeout(180_000);

  it('answers discovery within 10 s of its first start and ends within 5 s of SIGTERM, with code 0', () =>
    inTime(async (watch) => {
      const server = await startServerProcess();
      watch.within('starting', server.readyAfter, 10_000);
      expect((await signInAtVsee(server.url)).status).to.equal(200);
      const { code, signal, took } = await server.stop();
      expect({ code, signal }, server.output()).to.deep.equal({ code: 0, signal: null });
      watch.within('ending', took, 5000);
    }));

  it('finds what it had on its next start: tokens live on and people sign in', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-again-'));
    try {
      const port = await freePort();
      const first = await startServerProcess({ folder, port });
      const answer = (await (await signInAtVsee(first.url)).json()) as { data: { token: string } };
      await first.stop();
      const second = await startServerProcess({ folder, port });
      const me = await fetch(`${second.url}/api_v3/me`, { headers: { 'x-apitoken': answer.data.token } });
      expect(me.status).to.equal(200);
      expect((await signInAtVsee(second.url)).status).to.equal(200);
      await second.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('answers the requests in flight when it is told to stop', async () => {
    const server = await startServerProcess();
    // Hashing takes longer than accepting: when the first is answered, the others wait for theirs.
    const inFlight = Array.from({ length: 8 }, () => signInAtVsee(server.url));
    await Promise.race(inFlight);
    const [ended, ...answers] = await Promise.all([server.stop(), ...inFlight]);
    expect(ended.code).to.equal(0);
    expect(answers.map(({ status }) => status)).to.deep.equal(Array.from({ length: 8 }, () => 200));
  });

  it('says on npm start where everything is, and the curl that it offers answers with a token', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-block-'));
    const port = await freePort();
    const child = spawn('npm', ['start', '--silent'], {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_ENV: 'development',
        PORTICO_CONFIG: '',
        PORTICO_ISSUER: `http://localhost:${port}`,
        PORTICO_HTTP__PORT: String(port),
        PORTICO_STORE__EMBEDDED__FILE: path.join(folder, 'portico.db'),
        PORTICO_KEYS__ENCRYPTIONFILE: path.join(folder, 'portico.key'),
      },
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    try {
      const curls = () => output.match(/^\s*curl .*$/gm) ?? [];
      for (let waited = 0; curls().length < 5 && waited < 60_000; waited += 50) await sleep(50);
      for (const address of ['/.well-known/openid-configuration', '/demo', '/dev/mailbox']) {
        expect(output).to.include(`http://localhost:${port}${address}`);
        expect((await fetch(`http://localhost:${port}${address}`)).status, address).to.equal(200);
      }
      expect(curls(), output).to.have.length(5);
      for (const curl of curls()) expect(await shell(curl), curl).to.match(/"(access_)?token":\s*"/);
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      process.kill(-(child.pid ?? 0), 'SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function shell(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-c', command.trim()], { stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}

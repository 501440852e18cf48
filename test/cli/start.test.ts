import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { eventually, inTime } from '../support/in-time.ts';
import { freePort } from '../support/ports.ts';
import { startServerProcess } from '../support/server-process.ts';
import { openTerminal } from './run-portico.ts';

const DEMO = path.join(import.meta.dirname, '../../config/seed/demo.yaml');
/** Seconds that a start may take on a busy machine. */
const PATIENCE = 30;

describe('The server process', function () {
  this.timeout(180_000);

  it('prints where everything is, the people, and one command per dialect that works when pasted', async () => {
    const server = await startServerProcess({
      seeds: [DEMO],
      config: { mail: { kind: 'mailbox' } },
    });
    try {
      const block = await eventually(() => {
        expect(server.output()).to.match(/to paste:\n[\s\S]*\n\n?$/);
        return server.output();
      }, PATIENCE);
      for (const line of [
        `Issuer            ${server.issuer}`,
        `Discovery         ${server.issuer}/.well-known/openid-configuration`,
        `Demo application  ${server.issuer}/demo`,
        `Mailbox           ${server.issuer}/dev/mailbox`,
      ]) {
        expect(block).to.contain(line);
      }
      expect(block).to.match(/ada@harbour\.example +harbour lantern quartz +default/);
      const calls = [...block.matchAll(/^ {2}# (\w+)\n {2}(curl .*)$/gm)];
      expect(calls.map(([, dialect]) => dialect)).to.have.members([
        'visitnote',
        'medisync',
        'careportals',
        'avycenna',
        'vsee',
      ]);
      for (const [, dialect, command = ''] of calls) {
        const { stdout } = await promisify(execFile)('sh', ['-c', command]);
        expect(stdout, dialect).to.match(/"(access_)?token":"[\w.-]+"/);
      }
    } finally {
      await server.stop();
    }
  });

  it('A2 stops in order on SIGTERM, with exit code 0', async () => {
    await inTime(async (watch) => {
      const server = await startServerProcess();
      const { code, took } = await server.stop();
      expect(code).to.equal(0);
      watch.within('ending', took, 5000);
      expect(server.output()).to.match(/"msg":"stopping"[\s\S]*"msg":"stopped"/);
    });
  });

  it('A2 stops in order on SIGTERM before it is ready, with exit code 0', async () => {
    const port = await freePort();
    for (const workers of [1, 2]) {
      const terminal = openTerminal({ http: { port, workers }, seed: [DEMO] });
      const { child, output } = terminal.spawn(['start']);
      const ended = once(child, 'close');
      // The first line tells of the seed file; the server is not ready before the next ones.
      if (child.stdout) await once(child.stdout, 'data');
      child.kill('SIGTERM');
      expect(await ended, output()).to.deep.equal([0, null]);
      expect(output()).to.match(/"msg":"stopping"[\s\S]*"msg":"stopped"/);
      terminal.close();
    }
  });

  it('serves from several processes on one port, replaces one that dies, and stops them all', async () => {
    const port = await freePort();
    const terminal = openTerminal({
      issuer: `http://127.0.0.1:${port}`,
      http: { port, workers: 2 },
      seed: [],
    });
    const { child, output } = terminal.spawn(['start']);
    const ended = once(child, 'close');
    try {
      const ready = (workers: number) =>
        eventually(() => {
          const lines = [...output().matchAll(/"pid":(\d+),.*"msg":"ready"/g)];
          expect(lines, output()).to.have.length(workers);
          return lines.map(([, pid]) => Number(pid));
        }, PATIENCE);
      const [first = 0, second] = await ready(2);
      expect([first, second]).not.to.include(child.pid);
      process.kill(first, 'SIGKILL');
      // The other one answers, and no request is left hanging.
      for (let request = 0; request < 20; request += 1) {
        const signal = AbortSignal.timeout(10_000);
        const answer = await fetch(`http://127.0.0.1:${port}/livez`, {
          signal,
          headers: { connection: 'close' },
        });
        expect(answer.status).to.equal(200);
      }
      await ready(3);
    } finally {
      child.kill('SIGTERM');
      expect(await ended).to.deep.equal([0, null]);
      terminal.close();
    }
  });

  it('B10 X1 keeps its folder, its database and its key from other users of the machine', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-modes-'));
    const server = await startServerProcess({
      folder,
      config: {
        keys: { encryptionFile: path.join(folder, 'data/k') },
        store: { embedded: { file: path.join(folder, 'data/portico.db') } },
      },
    });
    await server.stop();
    for (const file of ['data', 'data/portico.db', 'data/k'])
      expect(statSync(path.join(folder, file)).mode & 0o077, file).to.equal(0);
    rmSync(folder, { recursive: true });
  });

  /** Starts a server that cannot start. */
  async function failing(config: Record<string, unknown>, more: (folder: string) => void = () => {}) {
    const terminal = openTerminal({ http: { port: await freePort() }, ...config });
    more(terminal.folder);
    const ran = await terminal.run(['start']);
    terminal.close();
    expect(ran.code).to.equal(1);
    expect(ran.stderr, 'no stack trace').not.to.contain('    at ');
    return ran.stderr;
  }

  it('says that the port is in use, and how to take another', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const words = await failing({ http: { port } });
    other.close();
    expect(words)
      .to.contain(`Port ${port} is in use.`)
      .and.to.contain(`PORTICO_HTTP__PORT=${port + 1}`);
  });

  it('says that an address is none of this machine', async () => {
    expect(await failing({ http: { host: '192.0.2.1' } })).to.contain('is not an address of this machine');
  });

  it('says that the database is no database', async () => {
    const words = await failing({}, (folder) =>
      writeFileSync(path.join(folder, 'portico.db'), 'hello '.repeat(100)),
    );
    expect(words).to.contain('portico.db');
  });

  it('says that the data folder cannot be made', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-file-'));
    const file = path.join(folder, 'file/portico.db');
    writeFileSync(path.join(folder, 'file'), '');
    const words = await failing({ store: { embedded: { file } } });
    expect(words).to.contain(file).and.to.contain('store.embedded.file');
    rmSync(folder, { recursive: true });
  });

  it('says that the store was made under another server key', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-keys-'));
    const encryptionFile = path.join(folder, 'k');
    const server = await startServerProcess({ folder, config: { keys: { encryptionFile } } });
    await server.stop();
    writeFileSync(encryptionFile, Buffer.alloc(32, 1).toString('base64'));
    const store = { embedded: { file: path.join(folder, 'portico.db') } };
    expect(await failing({ store, keys: { encryptionFile } })).to.contain('another server key');
    rmSync(folder, { recursive: true });
  });

  it('says what is wrong with a seed file, and serves nothing', async () => {
    const words = await failing({ seed: ['people.yaml'] }, (folder) =>
      writeFileSync(
        path.join(folder, 'people.yaml'),
        'accounts: [{ organization: nowhere, email: a@x.example }]',
      ),
    );
    expect(words).to.contain('accounts.0.organization is "nowhere"');
  });

  it('ends when its workers cannot start, and says why', async () => {
    const words = await failing({ seed: ['gone.yaml'], http: { port: await freePort(), workers: 2 } });
    expect(words).to.contain('gone.yaml: does not exist').and.to.contain('A worker process could not start.');
  });
});

/** How the server process starts and stops beside signals, stores that do not answer, full disks and taken ports. */
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { eventually } from '../support/in-time.ts';
import { freePort } from '../support/ports.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const DEMO = path.join(import.meta.dirname, '../../config/seed/demo.yaml');
/** Seconds that a start or a stop may take on a busy machine. */
const PATIENCE = 40;

/** A module that each process loads first: a worker says so on standard error. */
const TELL_WORKERS = `data:text/javascript,${encodeURIComponent(
  "if (process.argv.includes('--worker')) process.stderr.write('a worker loads\\n');",
)}`;

describe('The server process, when it is disturbed', function () {
  this.timeout(60_000);

  let terminal: Terminal;
  let port: number;

  async function start(
    config: Record<string, unknown>,
    { workers = 1, env, stdout }: { workers?: number; env?: Record<string, string>; stdout?: number } = {},
  ) {
    port = await freePort();
    terminal = openTerminal({
      issuer: `http://127.0.0.1:${port}`,
      seed: [],
      ...config,
      http: { port, workers, ...(config.http ?? {}) },
    });
    const { child, output } = terminal.spawn(['start'], env, stdout);
    const ended = once(child, 'close');
    const says = (words: RegExp, times = 1) =>
      eventually(() => {
        const said = output().match(new RegExp(words, 'g')) ?? [];
        expect(said, output()).to.have.length.at.least(times);
      }, PATIENCE);
    const serves = () =>
      eventually(async () => {
        const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
        expect(status, output()).to.equal(200);
      }, PATIENCE);
    return { child, output, ended, says, serves };
  }

  afterEach(() => terminal.close());

  it('ends on SIGTERM while its workers still load', async () => {
    const env = { NODE_OPTIONS: `--import=${TELL_WORKERS}` };
    const { child, output, ended, says } = await start({}, { workers: 2, env });
    await says(/a worker loads/);
    child.kill('SIGTERM');
    expect(await ended, output()).to.deep.equal([0, null]);
  });

  it('ends on SIGTERM while it waits for a store that does not answer', async () => {
    const silent = await freePort();
    const listener = createServer().listen(silent, '127.0.0.1');
    await once(listener, 'listening');
    const at = `127.0.0.1:${silent}`;
    const store = { kind: 'distributed', mongo: { url: `mongodb://${at}` }, redis: { url: `redis://${at}` } };
    const { child, output, ended, says } = await start({ store }, { workers: 2 });
    await says(/waiting for the store/);
    child.kill('SIGTERM');
    expect(await ended, output()).to.deep.equal([0, null]);
    listener.close();
  });

  it('breaks off a long seed file on SIGTERM', async () => {
    const people = Array.from({ length: 1500 }, (_, at) => ({
      ...{ organization: 'default', email: `p${at}@harbour.example`, name: `Person ${at}` },
      password: `harbour lantern quartz ${at}`,
    }));
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-seed-'));
    const file = path.join(folder, 'people.yaml');
    writeFileSync(file, JSON.stringify({ accounts: people }));
    const { child, output, ended, says } = await start({ seed: [DEMO, file] });
    await says(/seed file loaded/);
    child.kill('SIGTERM');
    expect(await ended, output()).to.deep.equal([0, null]);
    expect(output().match(/seed file loaded/g)).to.have.length(1);
    rmSync(folder, { recursive: true });
  });

  it('stops each process once when a terminal that closes tells all of them', async () => {
    const { child, output, ended, says } = await start({}, { workers: 2 });
    await says(/"msg":"ready"/, 2);
    for (const [, pid] of output().matchAll(/"pid":(\d+),.*"msg":"ready"/g))
      process.kill(Number(pid), 'SIGHUP');
    child.kill('SIGHUP');
    expect(await ended, output()).to.deep.equal([0, null]);
    expect(output().match(/"msg":"stopping"/g), output()).to.have.length(2);
    expect(output().match(/"msg":"stopped"/g), output()).to.have.length(2);
  });

  it('lets its workers stop in order when the process above them is killed', async () => {
    const { child, output, ended, says } = await start({}, { workers: 2 });
    await says(/"msg":"ready"/, 2);
    child.kill('SIGKILL');
    await ended;
    await says(/"msg":"stopped"/, 2);
    expect(output()).not.to.match(/"level":"(error|fatal)"/);
  });

  it('serves on, and stops in order, when the disk of its log is full', async () => {
    const stdout = openSync('/dev/full', 'w');
    const { child, ended, output, serves } = await start({ seed: [DEMO] }, { stdout });
    closeSync(stdout);
    await serves();
    child.kill('SIGTERM');
    expect(await ended, output()).to.deep.equal([0, null]);
  });

  it('serves on, and stops in order, when the reader of its log has gone', async () => {
    const { child, ended, output, serves } = await start({ seed: [DEMO] }, { workers: 2 });
    child.stdout?.destroy();
    await serves();
    child.kill('SIGTERM');
    expect(await ended, output()).to.deep.equal([0, null]);
  });

  it('says what the file of the embedded store needs, and nothing about an address', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-locked-'));
    const file = path.join(folder, 'portico.db');
    const other = new DatabaseSync(file);
    other.exec('PRAGMA journal_mode = WAL; BEGIN IMMEDIATE');
    const { ended, output } = await start({ store: { embedded: { file }, startupTimeout: '1s' } });
    expect(await ended, output()).to.deep.equal([1, null]);
    other.close();
    rmSync(folder, { recursive: true });
    expect(output()).to.contain('is locked by another process').and.not.to.contain('address');
  });

  it('says which setting moves the internal listener when its port is in use', async () => {
    const taken = await freePort();
    const other = createServer().listen(taken, '127.0.0.1');
    await once(other, 'listening');
    const { ended, output } = await start({ http: { internal: { port: taken } } });
    expect(await ended, output()).to.deep.equal([1, null]);
    other.close();
    expect(output()).to.contain(`Port ${taken} is in use.`);
    expect(output()).to.contain(`PORTICO_HTTP__INTERNAL__PORT=${taken + 1}`);
  });
});

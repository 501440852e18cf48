import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, open as openFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { pino } from 'pino';
import { StoreUnavailable, StoreUnusable } from '../../src/core/errors.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { fresh, later, times } from '../conformance/stores/back-end.ts';
import { eventually } from '../support/in-time.ts';
import { embeddedConfig } from './embedded-config.ts';

const log = pino({ level: 'silent' });

describe('the embedded store, when something is wrong', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portico-faults-'));
    file = join(folder, 'data', 'portico.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const open = () => openStores(embeddedConfig(file), { log });
  const opened = async (work: (stores: Stores) => Promise<void>) => {
    const stores = await open();
    try {
      await stores.migrate();
      await work(stores);
    } finally {
      await stores.close();
    }
  };
  const failure = async (promise: Promise<unknown>): Promise<Error & { cause?: unknown }> => {
    try {
      await promise;
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error('It did not fail.');
  };

  it('S7 makes its folder and keeps its files to their owner, also those that were open to others', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(file, '', { mode: 0o644 });
    await opened(async (stores) => {
      await stores.metadata.set('a', 'b');
      for (const name of [file, `${file}-wal`, `${file}-shm`]) {
        expect((statSync(name).mode & 0o777).toString(8), name).to.equal('600');
      }
    });
    file = join(folder, 'new', 'deep', 'portico.db');
    await opened(async () => {
      expect((statSync(file).mode & 0o777).toString(8)).to.equal('600');
      expect((statSync(join(folder, 'new')).mode & 0o777).toString(8)).to.equal('700');
    });
  });

  it('X6 acknowledges what must last when it is on the disk, and counters before', async () => {
    const handle = await openFile(import.meta.filename);
    const files = Object.getPrototypeOf(handle);
    await handle.close();
    const flushes: (() => void)[] = [];
    const until = async (met: () => Promise<boolean> | boolean) => {
      while (!(await met())) await new Promise((next) => setImmediate(next));
    };
    const count = (stores: Stores, mark: string) =>
      stores.rateLimits.take('k', mark, { limit: 5, window: 1000 }, new Date());
    await opened(async (stores) => {
      mock.method(files, 'datasync', () => new Promise<void>((resolve) => flushes.push(resolve)));
      try {
        const acknowledged: string[] = [];
        const write = (value: string) => stores.metadata.set('a', value).then(() => acknowledged.push(value));
        const first = write('1');
        await until(() => flushes.length === 1);
        const later = [write('2'), write('3')];
        // They wait for the flush, and are committed with what does not wait: readers see them already.
        await count(stores, 'm');
        expect(await stores.metadata.get('a')).to.equal('3');
        expect(acknowledged).to.deep.equal([]);
        flushes[0]?.();
        await first;
        expect(acknowledged).to.deep.equal(['1']);
        await until(() => flushes.length === 2);
        flushes[1]?.();
        await Promise.all(later);
        await count(stores, 'n');
        await until(() => flushes.length === 3);
      } finally {
        mock.restoreAll();
        for (const end of flushes) end();
      }
    });
    await opened(async (stores) => {
      mock.method(files, 'datasync', () => Promise.reject(new Error('EIO: i/o error, fdatasync')));
      expect(await failure(stores.metadata.set('a', 'b'))).to.be.instanceOf(StoreUnavailable);
      const [health] = await stores.health();
      mock.restoreAll();
      expect(health).to.include({ ok: false }).and.property('detail').contain('EIO');
    });
  });

  it('F4 gives a write that waited for a slow flush its whole time for the lock', async () => {
    const handle = await openFile(import.meta.filename);
    const files = Object.getPrototypeOf(handle);
    await handle.close();
    await opened(async (stores) => {
      const flushes: (() => void)[] = [];
      const datasync = () =>
        flushes.length > 0 ? Promise.resolve() : new Promise<void>((resolve) => flushes.push(resolve));
      mock.method(files, 'datasync', datasync);
      const first = stores.metadata.set('a', '1');
      while (flushes.length === 0) await new Promise((next) => setImmediate(next));
      const second = stores.metadata.set('a', '2');
      const other = new DatabaseSync(file);
      other.exec('BEGIN IMMEDIATE');
      const now = performance.now.bind(performance);
      mock.method(performance, 'now', () => now() + 60_000);
      flushes[0]?.();
      await first;
      for (let turn = 0; turn < 20; turn += 1) await new Promise((next) => setImmediate(next));
      other.exec('COMMIT');
      other.close();
      await second;
      mock.restoreAll();
      expect(await stores.metadata.get('a')).to.equal('2');
    });
  });

  it('X6 acknowledges nothing more after a flush that failed, until all of the log is in the file', async () => {
    const handle = await openFile(import.meta.filename);
    const files = Object.getPrototypeOf(handle);
    await handle.close();
    const count = (stores: Stores) =>
      stores.rateLimits.take('k', 'm', { limit: 5, window: 1000 }, new Date());
    await opened(async (stores) => {
      const flushes: ((error: Error) => void)[] = [];
      mock.method(files, 'datasync', () => new Promise<void>((_, reject) => flushes.push(reject)));
      const first = failure(stores.metadata.set('a', '1'));
      while (flushes.length === 0) await new Promise((next) => setImmediate(next));
      const second = failure(stores.metadata.set('a', '2'));
      await count(stores);
      expect(await stores.metadata.get('a')).to.equal('2');
      // The system tells it once: the next flush would say that all is well.
      mock.restoreAll();
      flushes[0]?.(new Error('EIO: i/o error, fdatasync'));
      for (const refused of [first, second]) expect(await refused).to.be.instanceOf(StoreUnavailable);
      const other = new DatabaseSync(file);
      other.exec('BEGIN; SELECT * FROM metadata');
      const refused = await failure(stores.metadata.set('a', '3'));
      expect(String(refused.cause)).to.contain('EIO');
      expect(await stores.metadata.get('a')).to.equal('2');
      await count(stores);
      other.close();
      await stores.metadata.set('a', '4');
      expect((await stores.health())[0]).to.include({ ok: true });
      // Of the log only what came after it was emptied.
      expect(statSync(`${file}-wal`).size).to.be.below(20_000);
    });
  });

  it('closes while another process writes', async () => {
    const stores = await open();
    await stores.migrate();
    for (const id of times(300, (number) => `organization-${number}`)) {
      await stores.organizations.put({ id, name: id, hosts: [], vendor: {} });
      await stores.organizations.byId(id);
    }
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await stores.close();
    other.exec('ROLLBACK');
    other.close();
  });

  it('says so when the file is no database', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(file, 'This is a letter, not a database. '.repeat(200));
    const error = await failure(open());
    expect(error).to.be.instanceOf(StoreUnusable);
    expect(error.message).to.equal(
      `${file} is not a SQLite database. Move it away, or point store.embedded.file at another path.`,
    );
  });

  it('says so when the path is a folder, or lies where no folder can be', async () => {
    mkdirSync(file, { recursive: true });
    expect((await failure(open())).message).to.contain('is a folder');
    file = join(folder, 'plain', 'portico.db');
    writeFileSync(join(folder, 'plain'), '');
    const error = await failure(open());
    expect(error).to.be.instanceOf(StoreUnusable);
    expect(error.message).to.contain('Point store.embedded.file at a path in a folder that can be written');
  });

  it('says so when the folder or the file cannot be written', async () => {
    await opened((stores) => stores.metadata.set('a', 'b'));
    const child = fork(fileURLToPath(new URL('./read-only.ts', import.meta.url)), [folder]);
    const [report] = await once(child, 'message');
    expect(report.newFile).to.match(/^StoreUnusable: .*Give the user that runs Portico write permission/);
    expect(report.oldFile).to.match(/^StoreUnusable: .*Give the user that runs Portico write permission/);
  });

  it('leaves the database of another program alone', async () => {
    mkdirSync(join(folder, 'data'));
    const other = new DatabaseSync(file);
    other.exec('CREATE TABLE recipes (name TEXT); PRAGMA user_version = 1');
    other.close();
    const stores = await open();
    const error = await failure(stores.migrate());
    await stores.close();
    expect(error).to.be.instanceOf(StoreUnusable);
    expect(error.message).to.contain('is a database of another program');
    const again = new DatabaseSync(file);
    expect(again.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables).to.equal(1);
    again.close();
  });

  it('does not touch a file that a newer Portico wrote', async () => {
    await opened((stores) => stores.metadata.set('a', 'b'));
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    const stores = await open();
    const error = await failure(stores.migrate());
    await stores.close();
    expect(error).to.be.instanceOf(StoreUnusable);
    expect(error.message).to.match(
      /written by a newer Portico \(schema 99; this one knows \d+\)\. Start that version/,
    );
  });

  it('answers StoreUnavailable within seconds while another process holds the lock, and reads meanwhile', async () => {
    await opened(async (stores) => {
      await stores.metadata.set('a', 'b');
      const holder = new DatabaseSync(file);
      holder.exec('BEGIN IMMEDIATE');
      const start = performance.now();
      const writes = times(20, (index) => failure(stores.metadata.set(`name ${index}`, 'value')));
      let leases = 0;
      const ticker = setInterval(() => {
        leases += 1;
      }, 50);
      expect(await stores.metadata.get('a')).to.equal('b');
      const errors = await Promise.all(writes);
      clearInterval(ticker);
      expect(performance.now() - start).to.be.within(2500, 6000);
      expect(leases, 'the event loop went on').to.be.greaterThan(25);
      for (const error of errors) {
        expect(error).to.be.instanceOf(StoreUnavailable);
        expect(String((error.cause as Error).message)).to.contain('is locked by another process');
      }
      holder.exec('ROLLBACK');
      holder.close();
      await stores.metadata.set('a', 'c');
      expect(await stores.metadata.get('a')).to.equal('c');
    });
  });

  it('waits for a lock that another process gives back in time', async () => {
    await opened(async (stores) => {
      const holder = new DatabaseSync(file);
      holder.exec('BEGIN IMMEDIATE');
      setTimeout(() => holder.exec('COMMIT'), 300);
      await stores.metadata.set('a', 'b');
      expect(await stores.metadata.get('a')).to.equal('b');
      holder.close();
    });
  });

  it('answers StoreUnavailable on a full disk, and keeps what it acknowledged', async () => {
    const child = fork(fileURLToPath(new URL('./full-disk.ts', import.meta.url)), [
      JSON.stringify(embeddedConfig(file)),
    ]);
    const [report] = await once(child, 'message');
    await once(child, 'exit');
    expect(report.error).to.equal('StoreUnavailable');
    expect(report.explanation).to.contain(file);
    expect(report.written).to.be.greaterThan(0);
    await opened(async (stores) => {
      for (const index of times(report.written, (number) => number)) {
        expect(await stores.metadata.get(`fact ${index}`)).to.have.length(20_000);
      }
      expect(await stores.metadata.get(`fact ${report.written}`)).to.equal(undefined);
    });
  });

  it('B4 is not healthy while nothing can be written, though everything can be read', async () => {
    await opened(async (stores) => {
      expect(await stores.health()).to.deep.equal([{ name: 'embedded', ok: true }]);
      const other = new DatabaseSync(file);
      other.exec('BEGIN IMMEDIATE');
      const [health] = await stores.health();
      expect(health?.ok).to.equal(false);
      expect(health?.detail).to.contain('locked by another process');
      expect(await stores.metadata.get('none')).to.equal(undefined);
      other.exec('COMMIT');
      other.close();
      expect(await stores.health()).to.deep.equal([{ name: 'embedded', ok: true }]);
      expect(await stores.sweep(later(new Date(), 1)), 'what was written to try it').to.equal(1);
    });
  });

  it('X6 one broken write fails alone: those of the same turn are stored, once each', async () => {
    await opened(async (stores) => {
      const now = new Date();
      const count = () => stores.rateLimits.takeInWindow('tries', { limit: 100, window: 60_000 }, now);
      for (let batch = 1; batch <= 3; batch += 1) {
        const [before, first, broken, after, second] = await Promise.allSettled([
          stores.metadata.set('before', `x${batch}`),
          count(),
          stores.metadata.set('broken', {} as never),
          stores.metadata.set('after', `x${batch}`),
          count(),
        ]);
        expect([before, first, broken, after, second].map(({ status }) => status)).to.deep.equal([
          ...['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
        ]);
        expect(await stores.metadata.get('before')).to.equal(`x${batch}`);
        expect(await stores.metadata.get('after')).to.equal(`x${batch}`);
        expect((await count()).count).to.equal(3 * batch);
      }
    });
  });

  it('reads, callback for callback, what another process has written before', async () => {
    await opened(async (stores) => {
      const other = await open();
      try {
        for (const value of ['one', 'two', 'three']) {
          await stores.metadata.get('shared');
          await other.metadata.set('shared', value);
          expect(await stores.metadata.get('shared')).to.equal(value);
        }
      } finally {
        await other.close();
      }
    });
  });

  it('refuses every call after it was closed, and stores what was under way', async () => {
    const stores = await open();
    await stores.migrate();
    const underWay = stores.metadata.set('last', 'words');
    await stores.close();
    await underWay;
    expect(await failure(stores.metadata.get('last'))).to.be.instanceOf(StoreUnavailable);
    expect(await failure(stores.metadata.set('x', 'y'))).to.be.instanceOf(StoreUnavailable);
    expect(await stores.health()).to.have.nested.property('[0].ok', false);
    await opened(async (again) => {
      expect(await again.metadata.get('last')).to.equal('words');
    });
  });

  it('tells how many records a sweep removed, in more batches than one', async () => {
    await opened(async (stores) => {
      const now = new Date();
      const past = later(now, -1);
      await Promise.all(
        times(1203, () =>
          stores.oidcRecords.put('Session', fresh('s'), {
            payload: '',
            createdAt: past,
            expiresAt: past,
            durable: false,
          }),
        ),
      );
      await stores.rateLimits.take('key', 'mark', { limit: 1, window: 1 }, later(now, -1000));
      await stores.rateLimits.takeInWindow('key', { limit: 1, window: 1 }, later(now, -1000));
      await stores.rateLimits.remember('key', past);
      await stores.leases.acquire('key', 'owner', past, past);
      await stores.presence.put('account', { lastSeenAt: past, until: past });
      const common = { organization: 'o', createdAt: past, expiresAt: past };
      await stores.linkTokens.put('hash', { ...common, purpose: 'reset', data: '' });
      await stores.codes.put('key', { ...common, codeHash: 'x', accountId: 'a', asker: '', tries: 1 });
      expect(await stores.sweep(now)).to.equal(1203 + 7);
      expect(await stores.sweep(now)).to.equal(0);
    });
  });

  it('B7 takes the codes of an earlier version over, which name no asker, with the tries that they had left', async () => {
    await opened(async () => {});
    const database = new DatabaseSync(file);
    database.exec(`DROP TABLE codes;
      CREATE TABLE codes (key TEXT PRIMARY KEY, code_hash TEXT NOT NULL, account_id TEXT NOT NULL,
        tries_left INTEGER NOT NULL, expires_at INTEGER NOT NULL, record TEXT NOT NULL) STRICT;
      INSERT INTO codes VALUES ('key', 'right', 'account', 2, ${Date.now() + 600_000}, '{"organization":"o"}');
      PRAGMA user_version = 1`);
    database.close();
    await opened(async ({ codes }) => {
      const attempt = (from: string, codeHash: string) => codes.attempt('key', from, codeHash, new Date());
      for (const answer of ['wrong', 'wrong', 'dead'])
        expect(await attempt('stranger', 'no')).to.equal(answer);
      expect(await attempt('person', 'right')).to.equal('right');
      expect(await attempt('person', 'right')).to.equal('dead');
    });
  });

  it('can be started by many processes on one new file at once', async () => {
    const script = fileURLToPath(new URL('./first-start.ts', import.meta.url));
    const starts = times(5, () =>
      promisify(execFile)(process.execPath, [script, JSON.stringify(embeddedConfig(file))]),
    );
    for (const { stdout, stderr } of await Promise.all(starts)) {
      expect(stdout).to.equal('started\n');
      expect(stderr, 'no warning of Node about its SQLite reaches the user').to.equal('');
    }
  });

  it('waits at the start for another process that makes the file just then', async () => {
    mkdirSync(join(folder, 'data'));
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE; CREATE TABLE made (a)');
    const tries = mock.method(DatabaseSync.prototype, 'prepare').mock;
    try {
      const starting = opened((stores) => stores.metadata.set('a', 'b'));
      await eventually(() => expect(tries.callCount()).to.be.above(1));
      other.exec('ROLLBACK');
      await starting;
    } finally {
      tries.restore();
      other.close();
    }
  });

  it('loads no driver of another back end', async () => {
    const script = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) { if (/^(mongodb|ioredis)$/.test(name)) console.log(name); return next(name, context); } });
      const { openStores } = await import(${JSON.stringify(new URL('../../src/store/open-stores.ts', import.meta.url).href)});
      await (await openStores(${JSON.stringify(embeddedConfig(file))}, { log: undefined })).close();
      console.log('opened');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await once(child, 'close');
    expect(text).to.equal('opened\n');
  });
});

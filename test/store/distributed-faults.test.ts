import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import type { Config } from '../../src/config/schema.ts';
import { StoreUnavailable, StoreUnusable } from '../../src/core/errors.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { accountRecord, fresh, later, oidcRecordRecord, times } from '../conformance/stores/back-end.ts';
import { inTime } from '../support/in-time.ts';
import { canStartServers, startMongo, startRedis, suspend, type TestServer } from '../support/servers.ts';

const log = pino({ level: 'silent' });
const HOUR = 3_600_000;

describe('the distributed store, when something is wrong', function () {
  this.timeout(60_000);
  let mongo: TestServer;
  let redis: TestServer;
  let stores: Stores;
  before(async function () {
    this.timeout(300_000);
    if (!canStartServers()) return this.skip();
    [mongo, redis] = await Promise.all([startMongo({ own: true }), startRedis({ own: true })]);
  });
  after(async () => {
    await Promise.all([mongo?.stop(), redis?.stop()]);
  });

  const config = (): Config['store'] => ({
    kind: 'distributed',
    startupTimeout: 30,
    embedded: { file: 'unused' },
    mongo: { url: mongo.url, database: 'portico' },
    redis: { url: redis.url },
  });
  beforeEach(async () => {
    stores = await openStores(config(), { log });
    await stores.migrate();
  });
  afterEach(() => stores.close());

  /** Resolves with the error and how long it took. */
  const failure = async (work: () => Promise<unknown>): Promise<{ error: unknown; took: number }> => {
    const start = performance.now();
    try {
      await work();
    } catch (error) {
      return { error, took: performance.now() - start };
    }
    throw new Error('It did not fail.');
  };
  const expectUnavailable = async (work: () => Promise<unknown>, within: number) => {
    await inTime(async (watch) => {
      const { error, took } = await failure(work);
      expect(error).to.be.instanceOf(StoreUnavailable);
      watch.within('the error', took, within);
    });
  };

  it('a Redis that hangs is StoreUnavailable within seconds, and accounts are still served', async () => {
    const account = accountRecord();
    await stores.accounts.insert(account);
    await stores.linkTokens.read('warm', 'up', new Date());
    await suspend(redis.child);
    try {
      await Promise.all([
        expectUnavailable(() => stores.linkTokens.spend('hash', 'reset', new Date()), 3000),
        expectUnavailable(
          () => stores.rateLimits.take('k', 'm', { limit: 1, window: 1000 }, new Date()),
          3000,
        ),
        expectUnavailable(() => stores.oidcRecords.byId('Session', 'id', new Date()), 3000),
      ]);
      expect(await stores.accounts.byId(account.id)).to.deep.equal(account);
      const [mongoHealth, redisHealth] = await stores.health();
      expect([mongoHealth?.ok, redisHealth?.ok]).to.deep.equal([true, false]);
    } finally {
      redis.child?.kill('SIGCONT');
    }
  });

  it('a Redis that is gone is StoreUnavailable, at once after a while, and is found again when it is back', async () => {
    await stores.linkTokens.read('warm', 'up', new Date());
    const { port = 0 } = redis;
    const expiresAt = later(new Date(), 24 * HOUR);
    await stores.oidcRecords.put('AccessToken', 'long', oidcRecordRecord({ durable: true, expiresAt }));
    await redis.stop();
    await expectUnavailable(() => stores.codes.attempt('k', '', 'h', new Date()), 3500);
    await new Promise((later) => setTimeout(later, 2100));
    await expectUnavailable(() => stores.codes.attempt('k', '', 'h', new Date()), 100);
    // What lives long lies in MongoDB: losing Redis ends none of it.
    expect((await stores.oidcRecords.byId('AccessToken', 'long', new Date()))?.expiresAt).to.deep.equal(
      expiresAt,
    );
    await expectUnavailable(() => stores.oidcRecords.byId('AccessToken', 'unknown', new Date()), 100);
    redis = await startRedis({ own: true, port });
    const deadline = performance.now() + 60_000;
    let back = false;
    while (!back && performance.now() < deadline) {
      // Refusals come at once, without a turn of the event loop in which the client could connect again.
      await new Promise((later) => setTimeout(later, 50));
      back = await stores.linkTokens.read('x', 'y', new Date()).then(
        () => true,
        () => false,
      );
    }
    expect(back).to.equal(true);
    const record = { purpose: 'reset', organization: 'o', data: 'd', createdAt: new Date(), expiresAt };
    await stores.linkTokens.put('after', record);
    expect(await stores.linkTokens.spend('after', 'reset', new Date()), 'with its scripts').to.deep.equal(
      record,
    );
  });

  describe('how Redis is set up', () => {
    let direct: Redis;
    beforeEach(() => {
      direct = new Redis(redis.url);
    });
    afterEach(async () => {
      await direct.config('SET', 'maxmemory', '0');
      await direct.config('SET', 'maxmemory-policy', 'noeviction');
      await direct.quit();
    });

    /** What was logged, or why it did not start. */
    async function start(more: Partial<Config['store']['redis']> = {}): Promise<string> {
      const lines: string[] = [];
      const own = pino({}, { write: (line: string) => void lines.push(line) });
      const fresh = await openStores({ ...config(), redis: { url: redis.url, ...more } }, { log: own });
      try {
        await fresh.migrate();
      } catch (error) {
        expect(error).to.be.instanceOf(StoreUnusable);
        lines.push(String(error));
      } finally {
        await fresh.close();
      }
      return lines.join('');
    }

    it('B4 one that may throw records out is refused, unless the operator says that it is known', async () => {
      for (const policy of ['allkeys-lru', 'volatile-ttl', 'allkeys-random']) {
        await direct.config('SET', 'maxmemory-policy', policy);
        expect(await start(), policy)
          .to.contain(`maxmemory-policy ${policy}`)
          .and.contain('store.redis.mayEvict');
        expect(await start({ mayEvict: true }), policy).not.to.contain('maxmemory-policy');
      }
      await direct.config('SET', 'maxmemory-policy', 'noeviction');
      expect(await start()).not.to.contain('maxmemory-policy');
    });

    it('B4 one without an append-only file, and one that does not tell how it is set up, is warned of', async () => {
      expect(await start()).to.contain('appendonly off');
      await direct.config('SET', 'appendonly', 'yes');
      expect(await start()).not.to.contain('appendonly');
      await direct.config('SET', 'appendonly', 'no');
      await direct.call('ACL', 'SETUSER', 'mute', 'on', '>mute', '~*', '&*', '+@all', '-info', '-config');
      const mute = new URL(redis.url);
      [mute.username, mute.password] = ['mute', 'mute'];
      expect(await start({ url: mute.href })).to.contain('does not tell its maxmemory-policy');
    });

    it('B4 one that is full, or may only be read, is not healthy', async () => {
      const redisHealth = async () => (await stores.health()).find(({ name }) => name === 'redis');
      expect(await redisHealth()).to.deep.equal({ name: 'redis', ok: true });
      expect(await stores.fullness(), 'without a bound').to.equal(0);
      await direct.set('ballast', 'x'.repeat(3_000_000));
      await direct.config('SET', 'maxmemory', '2mb');
      expect(await redisHealth()).to.include({ ok: false });
      await new Promise((later) => setTimeout(later, 300));
      expect(await stores.fullness()).to.be.above(0.9);
      await direct.config('SET', 'maxmemory', '0');
      await direct.del('ballast');
      expect(await redisHealth()).to.include({ ok: true });
      await direct.call('REPLICAOF', '127.0.0.1', '1');
      try {
        expect(await redisHealth()).to.include({ ok: false });
      } finally {
        await direct.call('REPLICAOF', 'NO', 'ONE');
      }
    });

    it('B4 MongoDB is written to and read back when it is asked how it is', async () => {
      const client = new MongoClient(mongo.url);
      const marks = new Set<unknown>();
      for (let look = 0; look < 3; look += 1) {
        expect((await stores.health())[0]).to.deep.equal({ name: 'mongo', ok: true });
        marks.add((await client.db('portico').collection('health').findOne())?.mark);
      }
      await client.close();
      expect(marks).to.have.property('size', 3);
    });
  });

  it('scripts that Redis forgot are sent again', async () => {
    const direct = new Redis(redis.url);
    const key = fresh('key');
    expect(await stores.leases.acquire(key, 'a', new Date(), later(new Date(), HOUR))).to.equal(true);
    await direct.script('FLUSH');
    await direct.quit();
    const again = await Promise.all(
      times(20, () => stores.leases.acquire(key, 'b', new Date(), later(new Date(), HOUR))),
    );
    expect(again).to.deep.equal(times(20, () => false));
  });

  it('a MongoDB that hangs or is gone is StoreUnavailable within seconds, and Redis still serves', async () => {
    await stores.accounts.byId('warm up');
    const lasting = oidcRecordRecord({ durable: true });
    await suspend(mongo.child);
    try {
      await Promise.all([
        expectUnavailable(() => stores.accounts.byId('anybody'), 6000),
        expectUnavailable(() => stores.oidcRecords.consume('RefreshToken', 'id', new Date()), 6000),
        expectUnavailable(() => stores.oidcRecords.put('RefreshToken', 'id', lasting), 6000),
      ]);
      expect(await stores.linkTokens.read('hash', 'reset', new Date())).to.equal(undefined);
      const [mongoHealth, redisHealth] = await stores.health();
      expect([mongoHealth?.ok, redisHealth?.ok]).to.deep.equal([false, true]);
    } finally {
      mongo.child?.kill('SIGCONT');
    }
    expect(await stores.accounts.byId('anybody')).to.equal(undefined);
  });

  it('servers that never answered are StoreUnavailable, and closing does not hang', async () => {
    const nowhere = await openStores(
      {
        ...config(),
        mongo: { url: 'mongodb://127.0.0.1:1', database: 'portico' },
        redis: { url: 'redis://127.0.0.1:1' },
      },
      { log },
    );
    await Promise.all([
      expectUnavailable(() => nowhere.migrate(), 5000),
      expectUnavailable(() => nowhere.metadata.get('a'), 5000),
      expectUnavailable(() => nowhere.presence.read('a', new Date()), 3500),
    ]);
    for (const server of await nowhere.health()) expect(server.ok).to.equal(false);
    const begun = performance.now();
    await nowhere.close();
    expect(performance.now() - begun).to.be.lessThan(2500);
  });

  it('ten nodes that start at once on a new database migrate it once and all start', async () => {
    const fromNothing = JSON.stringify({
      ...config(),
      mongo: { url: mongo.url, database: `new-${randomUUID()}` },
    });
    const script = fileURLToPath(new URL('./first-start.ts', import.meta.url));
    const starts = times(10, () => promisify(execFile)(process.execPath, [script, fromNothing]));
    for (const { stdout, stderr } of await Promise.all(starts)) {
      expect(stdout).to.equal('started\n');
      expect(stderr).to.equal('');
    }
  });

  it('refuses a database that a newer Portico migrated', async () => {
    const database = `newer-${randomUUID()}`;
    const client = new MongoClient(mongo.url);
    await client
      .db(database)
      .collection<{ _id: string; version: number }>('migrations')
      .insertOne({ _id: 'schema', version: 99 });
    await client.close();
    const newer = await openStores({ ...config(), mongo: { url: mongo.url, database } }, { log });
    const { error } = await failure(() => newer.migrate());
    await newer.close();
    expect(error).to.be.instanceOf(StoreUnusable);
    expect((error as Error).message).to.match(/was migrated by a newer Portico \(schema 99/);
  });

  it('takes over a migration lock that a dead node left behind', async () => {
    const database = `locked-${randomUUID()}`;
    const client = new MongoClient(mongo.url);
    await client
      .db(database)
      .collection<{ _id: string; owner: string; until: Date }>('migrations')
      .insertOne({ _id: 'lock', owner: 'dead', until: new Date(Date.now() - 1) });
    await client.close();
    const next = await openStores({ ...config(), mongo: { url: mongo.url, database } }, { log });
    await next.migrate();
    await next.metadata.set('a', 'b');
    await next.close();
  });
});

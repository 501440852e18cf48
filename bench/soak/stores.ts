/** The stores of the soak run: where they are, and what lies in them. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { configSchema } from '../../src/config/schema.ts';
import { createLog } from '../../src/observe/log.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { openRedisStores } from '../../src/store/redis/redis-stores.ts';
import { sharedServers, startRedis } from '../../test/support/servers.ts';

export interface SoakStore {
  /** `store` in the configuration. */
  readonly config: Record<string, unknown>;
  /** Instead of those that `config` names; the server closes them. */
  readonly stores?: Stores;
  /** To be removed at the end. */
  readonly folder?: string;
  readonly counts: () => Promise<Record<string, number>>;
  /** Waits until Redis has forgotten what expired, which it does a minute after. */
  readonly forgotten: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What a configuration must name besides its store. */
export const GROUND = {
  environment: 'test',
  issuer: 'http://127.0.0.1:0',
  http: { port: 0 },
  keys: { encryption: Buffer.alloc(32, 7).toString('base64') },
};

/** Milliseconds: more than the longest life of a record there and the minute that Redis keeps it after. */
const FORGETS_WITHIN = 120_000;

/** `kind`: embedded, redis or distributed. Throws where the servers of the latter cannot be had. */
export async function openSoakStore(kind: string): Promise<SoakStore> {
  if (kind === 'embedded') return openEmbedded();
  if (kind === 'redis') return openRedis();
  if (kind === 'distributed') return openDistributed();
  throw new Error(`There is no store "${kind}": embedded, redis or distributed.`);
}

function openEmbedded(): SoakStore {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-soak-'));
  const file = path.join(folder, 'portico.db');
  return {
    config: { kind: 'embedded', embedded: { file } },
    folder,
    async counts() {
      const database = new DatabaseSync(file, { readOnly: true });
      const one = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
      const tables = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .all();
      const rows = tables.map(({ name }) => [`${name} rows`, one(`SELECT count(*) FROM "${name}"`)] as const);
      const used = one('PRAGMA page_count') - one('PRAGMA freelist_count');
      database.close();
      return { ...Object.fromEntries(rows.filter(([, count]) => count > 0)), 'pages in use': used };
    },
    forgotten: async () => undefined,
    close: async () => undefined,
  };
}

/** A file as `openEmbedded` has it, with everything that Redis has a port for in Redis. */
async function openRedis(): Promise<SoakStore> {
  const server = await startRedis();
  const file = openEmbedded();
  const log = createLog({ level: 'error' });
  const embedded = await openStores(configSchema.parse({ ...GROUND, store: file.config }).store, { log });
  await embedded.migrate();
  const inRedis = openRedisStores({ url: server.url, log });
  const { rateLimits, codes, linkTokens, leases, presence, oidcRecords } = inRedis;
  const redis = new Redis(server.url);
  return {
    ...file,
    stores: {
      ...embedded,
      ...{ rateLimits, codes, linkTokens, leases, presence, oidcRecords },
      async close() {
        await Promise.all([embedded.close(), inRedis.close()]);
      },
    },
    counts: async () => ({ ...(await file.counts()), ...(await countsOfRedis(redis)) }),
    forgotten: () => forgottenBy(redis),
    async close() {
      await redis.quit();
      await server.stop();
    },
  };
}

async function openDistributed(): Promise<SoakStore> {
  const servers = await sharedServers();
  if (!servers) throw new Error('MongoDB and Redis are needed.');
  const database = `soak-${randomUUID()}`;
  const mongo = new MongoClient(servers.mongo.url);
  const redis = new Redis(servers.redis.url);
  return {
    config: {
      kind: 'distributed',
      mongo: { url: servers.mongo.url, database },
      redis: { url: servers.redis.url },
    },
    async counts() {
      const collections = await mongo.db(database).listCollections().toArray();
      const counted = await Promise.all(
        collections.map(
          async ({ name }) =>
            [`${name} documents`, await mongo.db(database).collection(name).countDocuments()] as const,
        ),
      );
      return { ...Object.fromEntries(counted), ...(await countsOfRedis(redis)) };
    },
    forgotten: () => forgottenBy(redis),
    async close() {
      await mongo.db(database).dropDatabase();
      await Promise.all([mongo.close(), redis.quit()]);
      await Promise.all([servers.mongo.stop(), servers.redis.stop()]);
    },
  };
}

async function countsOfRedis(redis: Redis): Promise<Record<string, number>> {
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1] ?? 0);
  return { 'Redis keys': await redis.dbsize(), 'MB in Redis': used / 2 ** 20 };
}

async function forgottenBy(redis: Redis): Promise<void> {
  const deadline = performance.now() + FORGETS_WITHIN;
  while (performance.now() < deadline && (await redis.dbsize()) > 10) await sleep(1000);
}

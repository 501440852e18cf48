import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import type { Config } from '../../src/config/schema.ts';
import { openStores } from '../../src/store/open-stores.ts';
import { fresh, type OpenBackEnd, oidcRecordRecord, times } from '../conformance/stores/back-end.ts';
import { codeStoreSuite } from '../conformance/stores/codes.ts';
import { leaseStoreSuite } from '../conformance/stores/leases.ts';
import { linkTokenStoreSuite } from '../conformance/stores/link-tokens.ts';
import { oidcRecordStoreSuite } from '../conformance/stores/oidc-records.ts';
import { presenceStoreSuite } from '../conformance/stores/presence.ts';
import { rateLimitStoreSuite } from '../conformance/stores/rate-limits.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-groups.ts';
import { canStartServers, sharedServers } from '../support/servers.ts';

describe('the distributed store on a Redis Cluster', function () {
  this.timeout(60_000);
  let config: Config['store'];
  let cluster: RedisCluster | undefined;
  before(async function () {
    this.timeout(300_000);
    const servers = await sharedServers();
    if (!servers || !canStartServers()) return this.skip();
    cluster = await startRedisCluster();
    config = {
      kind: 'distributed',
      startupTimeout: 30,
      embedded: { file: 'unused' },
      mongo: { url: servers.mongo.url, database: `portico-${randomUUID()}` },
      // One node is enough to find the others.
      redis: { url: 'redis://unused', cluster: cluster.urls.slice(0, 1) },
    };
  });
  after(() => cluster?.stop());

  const open: OpenBackEnd = async () => {
    const stores = await openStores(config, { log: pino({ level: 'silent' }) });
    await stores.migrate();
    return { stores, config, close: () => stores.close() };
  };
  for (const suite of [
    oidcRecordStoreSuite,
    rateLimitStoreSuite,
    codeStoreSuite,
    linkTokenStoreSuite,
    leaseStoreSuite,
    presenceStoreSuite,
  ]) {
    suite(open);
  }

  it('spreads the records over every node, and finds each again', async () => {
    const { stores, close } = await open();
    const records = times(60, (number) => ({
      id: fresh(`spread-${number}`),
      oidcRecord: oidcRecordRecord(),
    }));
    for (const { id, oidcRecord } of records) await stores.oidcRecords.put('Session', id, oidcRecord);
    const sizes = await Promise.all((cluster?.urls ?? []).map(sizeOf));
    expect(sizes.length).to.equal(3);
    for (const size of sizes) expect(size).to.be.greaterThan(0);
    for (const { id } of records)
      expect(await stores.oidcRecords.byId('Session', id, new Date())).not.to.equal(undefined);
    await close();
  });

  it('is not healthy while a part of the keys has no node', async () => {
    const own = await startRedisCluster();
    const { stores, close } = await openOn(own.urls);
    expect((await stores.health()).find(({ name }) => name === 'redis')).to.include({ ok: true });
    await own.break();
    // The others find out by themselves; until then one that is asked says yes.
    let health = await redisOf(stores);
    for (let i = 0; i < 300 && !health?.detail?.includes('every slot'); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      health = await redisOf(stores);
    }
    expect(health).to.include({ ok: false });
    expect(health?.detail).to.contain('does not serve every slot');
    await close();
    await own.stop();
  });

  async function sizeOf(url: string): Promise<number> {
    const redis = new Redis(url);
    const size = await redis.dbsize();
    redis.disconnect();
    return size;
  }

  const redisOf = async (stores: Awaited<ReturnType<typeof openStores>>) =>
    (await stores.health()).find(({ name }) => name === 'redis');

  async function openOn(urls: readonly string[]) {
    const stores = await openStores(
      { ...config, redis: { url: 'redis://unused', cluster: [...urls] } },
      { log: pino({ level: 'silent' }) },
    );
    await stores.migrate();
    return { stores, close: () => stores.close() };
  }
});

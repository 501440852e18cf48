import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { keyOf } from '../../src/store/redis/keys.ts';
import { fresh, later, oidcRecordRecord, times } from '../conformance/stores/back-end.ts';
import { canStartServers, startMongo, startRedis, type TestServer } from '../support/servers.ts';

const HOUR = 3_600_000;

describe('what the distributed store leaves in Redis', function () {
  this.timeout(60_000);
  let mongo: TestServer;
  let redis: TestServer;
  let stores: Stores;
  before(async function () {
    this.timeout(300_000);
    if (!canStartServers()) return this.skip();
    [mongo, redis] = await Promise.all([startMongo({ own: true }), startRedis({ own: true })]);
    stores = await openStores(
      {
        kind: 'distributed',
        startupTimeout: 30,
        embedded: { file: 'unused' },
        mongo: { url: mongo.url, database: `portico-${randomUUID()}` },
        redis: { url: redis.url },
      },
      { log: pino({ level: 'silent' }) },
    );
    await stores.migrate();
  });
  after(async () => {
    await stores?.close();
    await Promise.all([mongo?.stop(), redis?.stop()]);
  });

  let direct: Redis;
  beforeEach(async () => {
    direct = new Redis(redis.url);
    await direct.flushall();
  });
  afterEach(async () => {
    await direct.quit();
  });

  it('B7 a code of an earlier version, which names no asker, is good once, and has the tries that it had left', async () => {
    const now = new Date();
    const write = async (tries: number) => {
      const key = fresh('key');
      const name = keyOf('code', key);
      await direct.hset(name, { h: 'right', a: 'account', e: later(now, HOUR).getTime(), n: tries });
      return key;
    };
    const key = await write(2);
    const attempt = (from: string, codeHash: string) => stores.codes.attempt(key, from, codeHash, now);
    for (const answer of ['wrong', 'wrong', 'dead']) expect(await attempt('stranger', 'no')).to.equal(answer);
    expect(await attempt('person', 'right')).to.equal('right');
    expect(await attempt('person', 'right')).to.equal('dead');
  });

  it('X5 every key has one form, whatever the ids are, and every key with an end has a life', async () => {
    const now = new Date();
    const expiresAt = later(now, HOUR);
    const names = ['a:b', 'a\nb', '*', '{x}', 'x'.repeat(1_000_000)];
    for (const name of names) {
      const links = { grantId: name, accountId: name, uid: name, userCode: name };
      await stores.oidcRecords.put('AuthorizationCode', name, oidcRecordRecord({ ...links, expiresAt }));
      await stores.oidcRecords.consume('AuthorizationCode', name, now);
      await stores.codes.put(name, {
        codeHash: 'h',
        accountId: name,
        organization: name,
        expiresAt,
        createdAt: now,
        asker: name,
        tries: 3,
      });
      await stores.codes.attempt(name, name, 'wrong', now);
      await stores.linkTokens.put(name, {
        purpose: name,
        organization: name,
        accountId: name,
        data: '',
        createdAt: now,
        expiresAt,
      });
      await stores.leases.acquire(name, name, now, expiresAt);
      await stores.leases.complete(name, name, { encrypted: 's', at: now, until: expiresAt });
      await stores.rateLimits.take(name, name, { limit: 5, window: HOUR }, now);
      await stores.rateLimits.takeInWindow(name, { limit: 5, window: HOUR }, now);
      await stores.rateLimits.remember(name, expiresAt);
      await stores.presence.put(name, { lastSeenAt: now, until: expiresAt });
    }
    const keys = await direct.keys('*');
    // Five of each OIDC record (record, grant, account, uid, user code), 2 a code and a link token, 1 of the rest.
    expect(keys).to.have.length(names.length * (5 + 2 + 2 + 5));
    for (const key of keys) {
      expect(key).to.match(/^portico:[a-z-]+:\{[\w-]{43}\}$/);
      expect(await direct.pttl(key), key).to.be.within(HOUR - 60_000, HOUR + 120_000);
    }
  });

  it('the set of a grant is trimmed of what ended, and lives as long as its longest record', async () => {
    const grantId = fresh('grant');
    const past = later(new Date(), -2 * 60_000);
    for (const index of times(20, (number) => number)) {
      await stores.oidcRecords.put(
        'AccessToken',
        `past-${index}`,
        oidcRecordRecord({ grantId, expiresAt: past }),
      );
    }
    await stores.oidcRecords.put(
      'AccessToken',
      'live',
      oidcRecordRecord({ grantId, expiresAt: later(new Date(), HOUR) }),
    );
    await stores.oidcRecords.put(
      'AccessToken',
      'short',
      oidcRecordRecord({ grantId, expiresAt: later(new Date(), 1000) }),
    );
    const [set = ''] = await direct.keys('portico:grant:*');
    expect(await direct.zcard(set)).to.equal(2);
    expect(await direct.pttl(set)).to.be.greaterThan(HOUR - 10_000);
    expect(await stores.oidcRecords.removeByGrant(undefined, grantId)).to.equal(2);
    expect(await direct.exists(set)).to.equal(0);
  });

  it('a record that is written while its grant is revoked can still be revoked', async () => {
    const grantId = fresh('grant');
    const expiresAt = later(new Date(), HOUR);
    for (const round of times(10, (number) => number)) {
      const ids = times(20, (number) => `${round}-${number}`);
      await Promise.all([
        ...ids.map((id) =>
          stores.oidcRecords.put('AccessToken', id, oidcRecordRecord({ grantId, expiresAt })),
        ),
        stores.oidcRecords.removeByGrant(undefined, grantId),
      ]);
      await stores.oidcRecords.removeByGrant(undefined, grantId);
      for (const id of ids)
        expect(await stores.oidcRecords.byId('AccessToken', id, new Date())).to.equal(undefined);
    }
  });

  it('removing records leaves no key behind', async () => {
    const links = { grantId: fresh('g'), accountId: fresh('a'), uid: fresh('u'), userCode: fresh('c') };
    const expiresAt = later(new Date(), HOUR);
    await stores.oidcRecords.put('Session', 'id', oidcRecordRecord({ ...links, expiresAt }));
    await stores.oidcRecords.remove('Session', 'id');
    expect(await direct.keys('*')).to.deep.equal([]);
  });

  it('a primary that became a replica is left for whoever is the primary at the address now', async () => {
    const own = async () => {
      const all = String(await direct.call('CLIENT', 'LIST')).split('\n');
      return all.filter((line) => line.includes(' name=portico ')).map((line) => /^id=(\d+)/.exec(line)?.[1]);
    };
    const before = await own();
    expect(before).to.have.length(1);
    await direct.call('REPLICAOF', '127.0.0.1', '1');
    const refused = await stores.leases.acquire('k', 'o', new Date(), later(new Date(), HOUR)).catch(String);
    expect(refused).to.contain('cannot be reached');
    await direct.call('REPLICAOF', 'NO', 'ONE');
    let after = await own();
    for (let i = 0; i < 200 && (after.length === 0 || after[0] === before[0]); i += 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      after = await own();
    }
    expect(after).to.have.length(1).and.not.include(before[0]);
    expect(await stores.leases.acquire('k', 'o', new Date(), later(new Date(), HOUR))).to.equal(true);
    await stores.leases.forget('k');
  });

  it('ending a grant leaves no key of its records behind', async () => {
    const links = { grantId: fresh('g'), accountId: fresh('a'), uid: fresh('u'), userCode: fresh('c') };
    const expiresAt = later(new Date(), HOUR);
    await stores.oidcRecords.put('DeviceCode', 'id', oidcRecordRecord({ ...links, expiresAt }));
    await stores.oidcRecords.removeByGrant(undefined, links.grantId);
    expect(await direct.keys('*')).to.deep.equal([]);
  });
});

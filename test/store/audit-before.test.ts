/** The audit trail of a store that was made before records had keys for events, clients and channels. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import type { Config } from '../../src/config/schema.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { sharedServers } from '../support/servers.ts';
import { embeddedConfig } from './embedded-config.ts';

describe('The audit trail of an older store', function () {
  this.timeout(300_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-audit-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function withStores(config: Config['store'], work: (stores: Stores) => Promise<void>) {
    const stores = await openStores(config, { log: pino({ level: 'silent' }) });
    try {
      await stores.migrate();
      await work(stores);
    } finally {
      await stores.close();
    }
  }

  async function isFoundAfter(config: Config['store'], setBack: () => Promise<void> | void) {
    const at = new Date();
    await withStores(config, async ({ audit }) => {
      // More than one page of a migration.
      for (let begun = 0; begun < 600; begun += 100) {
        await Promise.all(
          Array.from({ length: 100 }, () => audit.append({ at, event: 'other', outcome: 'success' })),
        );
      }
      const detail = { door: 'hosted' };
      await audit.append({ at, event: 'sign-in', outcome: 'refused', clientId: 'app', detail });
    });
    await setBack();
    await withStores(config, async ({ audit }) => {
      const asked = [
        { event: 'sign-in' },
        { clientId: 'app' },
        { channel: 'hosted' },
        { outcome: 'refused' },
      ];
      for (const filter of asked) {
        const events = (await audit.latest({ ...filter, limit: 5 })).map(({ event }) => event);
        expect(events, JSON.stringify(filter)).to.deep.equal(['sign-in']);
      }
      expect(await audit.latest({ event: 'other', limit: 1000 })).to.have.length(600);
    });
  }

  it('CMD4 in SQLite is found by them once it is migrated, by an index', async () => {
    const config = embeddedConfig(path.join(folder, 'portico.db'));
    await isFoundAfter(config, () => {
      const database = new DatabaseSync(config.embedded.file);
      database.exec('DROP INDEX audit_event; DROP INDEX audit_client; PRAGMA user_version = 6');
      database.close();
    });
    const database = new DatabaseSync(config.embedded.file);
    for (const member of ['event', 'clientId']) {
      const asked = `SELECT * FROM audit WHERE json_extract(record, '$.${member}') = ? ORDER BY at DESC, id DESC LIMIT 5`;
      const [plan] = database.prepare(`EXPLAIN QUERY PLAN ${asked}`).all('sign-in');
      expect(String(plan?.detail)).to.match(/USING INDEX audit_(event|client)/);
    }
    database.close();
  });

  it('CMD4 in MongoDB is found by them once it is migrated', async function () {
    const servers = await sharedServers();
    if (!servers) return this.skip();
    const database = `audit-${randomUUID()}`;
    const { mongo, redis } = servers;
    const config: Config['store'] = {
      ...embeddedConfig('unused'),
      kind: 'distributed',
      mongo: { url: mongo.url, database },
      redis: { url: redis.url },
    };
    await isFoundAfter(config, async () => {
      const client = new MongoClient(mongo.url);
      const db = client.db(database);
      const keys = { eventKey: '', clientKey: '', channelKey: '', outcomeKey: '' };
      await db.collection('audit').updateMany({}, { $unset: keys });
      const migrations = db.collection<{ _id: string; version: number }>('migrations');
      await migrations.updateOne({ _id: 'schema' }, { $set: { version: 5 } });
      await client.close();
    });
  });
});

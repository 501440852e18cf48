import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { Config } from '../../src/config/schema.ts';
import { openStores } from '../../src/store/open-stores.ts';
import { storeSuites } from '../conformance/stores/index.ts';
import { sharedServers } from '../support/servers.ts';

describe('the distributed store', function () {
  this.timeout(60_000);
  let config: Config['store'];
  before(async function () {
    this.timeout(300_000);
    const servers = await sharedServers();
    if (!servers) return this.skip();
    config = {
      kind: 'distributed',
      startupTimeout: 30,
      embedded: { file: 'unused' },
      mongo: { url: servers.mongo.url, database: `portico-${randomUUID()}` },
      redis: { url: servers.redis.url },
    };
  });

  storeSuites(async () => {
    const stores = await openStores(config, { log: pino({ level: 'silent' }) });
    await stores.migrate();
    return { stores, config, close: () => stores.close() };
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openStores } from '../../src/store/open-stores.ts';
import { storeSuites } from '../conformance/stores/index.ts';
import { embeddedConfig } from './embedded-config.ts';

describe('the embedded store', () => {
  storeSuites(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'portico-store-'));
    const config = embeddedConfig(join(folder, 'portico.db'));
    const stores = await openStores(config, { log: pino({ level: 'silent' }) });
    await stores.migrate();
    return {
      stores,
      config,
      async close() {
        await stores.close();
        await rm(folder, { recursive: true });
      },
    };
  });
});

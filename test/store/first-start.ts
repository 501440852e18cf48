/** Starts on a store as a new process does, migrations and all: node first-start.ts '<config.store>' */
import { pino } from 'pino';
import { openStores } from '../../src/store/open-stores.ts';

const stores = await openStores(JSON.parse(process.argv[2] ?? '{}'), { log: pino({ level: 'silent' }) });
await stores.migrate();
await stores.metadata.set(`started-${process.pid}`, 'yes');
await stores.close();
process.stdout.write('started\n');

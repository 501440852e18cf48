/**
 * Opens stores in a folder that this process may not write, and reports to its parent how that fails:
 * fork('read-only.ts', [folder]). The folder holds data/portico.db. Root may write anywhere, so a process
 * of root's first becomes nobody.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openStores } from '../../src/store/open-stores.ts';
import { embeddedConfig } from './embedded-config.ts';

const folder = process.argv[2] ?? '';
const log = pino({ level: 'silent' });
const open = async (name: string): Promise<string> => {
  try {
    await (await openStores(embeddedConfig(join(folder, name)), { log })).close();
    return 'opened';
  } catch (error) {
    return String(error);
  }
};

await open('data/portico.db');
chmodSync(folder, 0o555);
chmodSync(join(folder, 'data'), 0o555);
chmodSync(join(folder, 'data', 'portico.db'), 0o444);
const root = process.geteuid?.() === 0;
if (root) process.seteuid?.(65534);
const report = { newFile: await open('new/portico.db'), oldFile: await open('data/portico.db') };
if (root) process.seteuid?.(0);
chmodSync(folder, 0o755);
chmodSync(join(folder, 'data'), 0o755);
process.send?.(report);
process.disconnect?.();

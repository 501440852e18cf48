/**
 * The entry of the server process. It does one thing before everything else is loaded: it lets Node keep
 * the compiled sources beside the dependencies (not in the shared temporary folder, where another user of
 * the machine could put code), which halves the start from the second one on. serve.ts is the program.
 */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/portico'));
const { serveUntilStopped } = await import('./server/process.ts');
await serveUntilStopped();

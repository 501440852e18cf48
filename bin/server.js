// The server process. JavaScript, and not TypeScript as all the rest: what strips types off costs 15 MB and a tenth of
// a second, and is not loaded where Node finds every other file in its cache.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/portico', import.meta.url)));
const { serveUntilStopped } = await import('../src/server/process.ts');
await serveUntilStopped();

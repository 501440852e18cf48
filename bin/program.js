// From a clone the command line runs from the sources; an installed package has them built in dist/, because
// Node strips no types below node_modules.
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// As in src/main.ts: the second command starts in half the time.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/portico', import.meta.url)));

// Between npx and this process there may be a shell, which ends by a signal and does not pass it on.
if (process.env.npm_command === 'exec') endWithParent();

const built = new URL('../dist/cli.js', import.meta.url);
const source = new URL('../src/cli.ts', import.meta.url);
const program = existsSync(source) && !source.pathname.includes('/node_modules/') ? source : built;
const { run } = await import(program.href);
await run();

function endWithParent() {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, 200);
  watch.unref();
}

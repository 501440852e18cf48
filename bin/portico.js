#!/usr/bin/env node
// The command `portico`. From a clone it runs the sources; an installed package has them built in dist/,
// because Node strips no types below node_modules.
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `Portico needs Node 24 or newer; this is ${process.versions.node}. Try: npx portico\n`,
  );
  process.exit(1);
}

// As in src/main.ts: the second command starts in half the time.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/portico', import.meta.url)));

const built = new URL('../dist/cli.js', import.meta.url);
const source = new URL('../src/cli.ts', import.meta.url);
const program = existsSync(source) && !source.pathname.includes('/node_modules/') ? source : built;
const { run } = await import(program.href);
await run();

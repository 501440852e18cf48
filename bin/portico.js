#!/usr/bin/env node
// The command `portico`. Written in what any Node can read, so that an old one gets as far as this sentence;
// program.js is the command.
const version = process.versions.node;
if (Number(version.split('.')[0]) < 24) {
  process.stderr.write(
    `Portico needs Node 24 or newer; this is Node ${version} (${process.execPath}). ` +
      'npx portico takes the one that npm ci installs.\n',
  );
  process.exit(1);
}

import('./program.js');

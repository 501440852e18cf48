/**
 * The command `portico`. Each command stands in its own file of cli/, says what it does and shows examples;
 * what it needs of the server is loaded when it runs, so that --help is quick.
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { accountCommand } from './cli/account.ts';
import { apiCommand } from './cli/api/commands.ts';
import { apiKeyCommand } from './cli/api-key.ts';
import { auditCommand } from './cli/audit.ts';
import { clientCommand } from './cli/client/commands.ts';
import { command, group } from './cli/command.ts';
import { configCommand } from './cli/config.ts';
import { docsCommand } from './cli/docs.ts';
import { keysCommand } from './cli/keys.ts';
import { logoutCommand } from './cli/logout.ts';
import { migrationCommand } from './cli/migration/commands.ts';
import { usageCommand } from './cli/migration/usage.ts';
import { organizationCommand } from './cli/organization.ts';
import { seedCommand } from './cli/seed.ts';
import { storeCommand } from './cli/store.ts';
import { exportCommand } from './cli/transfer/export.ts';
import { importCommand } from './cli/transfer/import.ts';
import { tryCommand } from './cli/try.ts';
import { upstreamCommand } from './cli/upstream/commands.ts';
import { explainFailure } from './server/operator-errors.ts';

const startCommand = command({
  name: 'start',
  about: 'start the server (also: npm start)',
  help: `
Examples:
  portico start                                        development: one file, demo people, a mailbox
  NODE_ENV=production PORTICO_CONFIG=/etc/portico.yaml portico start`,
  async run() {
    const { serveUntilStopped } = await import('./server/process.ts');
    await serveUntilStopped();
  },
});

const portico = group(
  'portico',
  'Portico, an OAuth 2 / OpenID Connect server that also answers old sign-in APIs.',
  [
    startCommand,
    configCommand,
    seedCommand,
    importCommand,
    exportCommand,
    organizationCommand,
    accountCommand,
    clientCommand,
    apiCommand,
    apiKeyCommand,
    keysCommand,
    logoutCommand,
    upstreamCommand,
    auditCommand,
    usageCommand,
    migrationCommand,
    tryCommand,
    storeCommand,
    docsCommand,
  ],
);

export function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return portico()
    .version(version)
    .showHelpAfterError('(add --help for examples)')
    .addHelpText(
      'after',
      '\nCommands read the same configuration as the server: PORTICO_CONFIG=portico.yaml portico ...',
    );
}

/** Runs the command of this process's arguments. A failure is one message on standard error and exit code 1. */
export async function run(): Promise<void> {
  process.stdout.off('error', endQuietly).on('error', endQuietly);
  try {
    await program().parseAsync();
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exitCode = 1;
  }
}

/** The reader of a pipe, such as head, has read enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}

if (import.meta.main) await run();

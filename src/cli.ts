/**
 * The command `portico`. Each command stands in its own file of cli/, says what it does and shows examples;
 * what it needs of the server is loaded when it runs, so that --help is quick.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { accountCommand } from './cli/account.ts';
import { apiKeyCommand } from './cli/api-key.ts';
import { auditCommand } from './cli/audit.ts';
import { clientCommand } from './cli/client.ts';
import { configCommand } from './cli/config.ts';
import { docsCommand } from './cli/docs.ts';
import { keysCommand } from './cli/keys.ts';
import { organizationCommand } from './cli/organization.ts';
import { seedCommand } from './cli/seed.ts';
import { storeCommand } from './cli/store.ts';
import { tryCommand } from './cli/try.ts';
import { explainFailure } from './server/operator-errors.ts';

export function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return new Command('portico')
    .description('Portico, an OAuth 2 / OpenID Connect server that also answers old sign-in APIs.')
    .version(version)
    .showHelpAfterError('(add --help for examples)')
    .addCommand(startCommand())
    .addCommand(configCommand())
    .addCommand(seedCommand())
    .addCommand(organizationCommand())
    .addCommand(accountCommand())
    .addCommand(clientCommand())
    .addCommand(apiKeyCommand())
    .addCommand(keysCommand())
    .addCommand(auditCommand())
    .addCommand(tryCommand())
    .addCommand(storeCommand())
    .addCommand(docsCommand())
    .addHelpText(
      'after',
      '\nCommands read the same configuration as the server: PORTICO_CONFIG=portico.yaml portico ...',
    );
}

function startCommand(): Command {
  return new Command('start')
    .description('start the server (also: npm start)')
    .addHelpText(
      'after',
      `
Examples:
  portico start                                        development: one file, demo people, a mailbox
  NODE_ENV=production PORTICO_CONFIG=/etc/portico.yaml portico start
`,
    )
    .action(async () => {
      const { serveUntilStopped } = await import('./server/process.ts');
      await serveUntilStopped();
    });
}

/** Runs the command of this process's arguments. A failure is one message on standard error and exit code 1. */
export async function run(): Promise<void> {
  try {
    await program().parseAsync();
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.main) await run();

import { Command } from 'commander';
import { type CommandContext, withCommandContext } from './context.ts';
import type { JsonOption } from './options.ts';
import { say, sayJson, sayTable } from './output.ts';

export function keysCommand(): Command {
  return new Command('keys').description('keys that sign tokens').addCommand(list()).addCommand(rotate());
}

function list(): Command {
  return new Command('list')
    .description('print the signing keys and their states')
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      `
next: published, does not sign yet. current: signs. previous: still verifies. retired: gone.

Example:
  portico keys list
`,
    )
    .action(({ json }: JsonOption) =>
      withCommandContext(async (context) => {
        const keys = await keysOf(context);
        if (json) sayJson(keys);
        else sayTable(keys, 'There are no signing keys yet. The server makes them at its first start.');
      }),
    );
}

function rotate(): Command {
  return new Command('rotate')
    .description('let a new pair of keys sign now; the old pair goes on verifying')
    .addHelpText('after', '\nServers that run notice within a minute.\n\nExample:\n  portico keys rotate\n')
    .action(() =>
      withCommandContext(async (context) => {
        await (await context.tools()).oidc.rotateKeys({ force: true });
        await context.note('signing-key.rotate', {});
        say('A new pair of keys signs. See: portico keys list');
      }),
    );
}

async function keysOf(
  context: CommandContext,
): Promise<{ kid: string; alg: string; state: string; since: Date }[]> {
  const { oidc } = await context.tools();
  return oidc.signingKeys().map(({ kid, alg, state, since }) => ({ kid, alg, state, since }));
}

import { command, group } from './command.ts';
import { inContext } from './context.ts';
import { type JsonOption, say, sayList } from './output.ts';

export const keysCommand = group('keys', 'keys that sign tokens', [
  command({
    name: 'list',
    about: 'print the signing keys and their states',
    options: [['--json', 'print them as JSON']],
    help: `
next: published, does not sign yet. current: signs. previous: still verifies. retired: gone.

Example:
  portico keys list`,
    run: inContext(async (context, options: JsonOption) => {
      const { oidc } = await context.tools();
      const keys = oidc.signingKeys().map(({ kid, alg, state, since }) => ({ kid, alg, state, since }));
      const nothing = 'There are no signing keys yet. The server makes them at its first start.';
      sayList(options, keys, { row: (key) => key, nothing });
    }),
  }),
  command({
    name: 'rotate',
    about: 'let a new pair of keys sign now; the old pair goes on verifying',
    help: 'Servers that run notice within a minute.\n\nExample:\n  portico keys rotate',
    run: inContext(async (context) => {
      await (await context.tools()).oidc.rotateKeys({ force: true });
      await context.note('signing-key.rotate', {});
      say('A new pair of keys signs. See: portico keys list');
    }),
  }),
]);

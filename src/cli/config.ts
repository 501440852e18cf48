import { command, group } from './command.ts';
import { type JsonOption, say, sayJson, sayTable } from './output.ts';

export const configCommand = group('config', 'look at the configuration', [
  command({
    name: 'check',
    about: 'read the configuration as the server would, and print every issue',
    options: [
      ['--show', 'print what is in force, without secrets'],
      ['--json', 'print issues, or what is in force, as JSON'],
    ],
    help: `
Exits with 1 when there are issues. Opens no store and creates no file.

Examples:
  portico config check
  NODE_ENV=production PORTICO_CONFIG=/etc/portico.yaml portico config check
  portico config check --show`,
    async run({ show, json }: JsonOption & { show?: boolean }) {
      const [{ loadConfiguration }, { callbacksOf }, { ConfigError }, { withoutSecrets }] = await Promise.all(
        [
          import('../server/configuration.ts'),
          import('../server/callbacks.ts'),
          import('../config/issues.ts'),
          import('../config/secret.ts'),
        ],
      );
      try {
        const config = await loadConfiguration();
        if (show || json) return sayJson(withoutSecrets(config));
        const { environment, issuer, store } = config;
        const on = Object.entries(config.dialects).filter(([, { enabled }]) => enabled === true);
        const dialects = on.map(([name]) => name).join(', ') || 'none';
        say(`The configuration is valid (${environment}).`);
        say(`It serves ${issuer} from the ${store.kind} store; dialects: ${dialects}.`);
        const callbacks = await callbacksOf(config);
        if (callbacks.length === 0) return;
        say('\nRegister these addresses with the upstreams, each as a redirect URI:');
        sayTable(
          callbacks.map((each) => ({ ...each })),
          '',
        );
      } catch (error) {
        if (!json || !(error instanceof ConfigError)) throw error;
        sayJson({ issues: error.issues });
        process.exitCode = 1;
      }
    },
  }),
]);

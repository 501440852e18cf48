import { Command } from 'commander';
import { say, sayJson } from './output.ts';

export function configCommand(): Command {
  return new Command('config').description('look at the configuration').addCommand(check());
}

function check(): Command {
  return new Command('check')
    .description('read the configuration as the server would, and print every issue')
    .option('--show', 'print what is in force, without secrets')
    .option('--json', 'print issues, or what is in force, as JSON')
    .addHelpText(
      'after',
      `
Exits with 1 when there are issues. Opens no store and creates no file.

Examples:
  portico config check
  NODE_ENV=production PORTICO_CONFIG=/etc/portico.yaml portico config check
  portico config check --show
`,
    )
    .action(async ({ show, json }: { show?: boolean; json?: boolean }) => {
      const [{ loadConfiguration }, { ConfigError }, { withoutSecrets }] = await Promise.all([
        import('../server/configuration.ts'),
        import('../config/issues.ts'),
        import('../config/secret.ts'),
      ]);
      try {
        const config = await loadConfiguration();
        if (show || json) return sayJson(withoutSecrets(config));
        const dialects = Object.keys(config.dialects).filter(
          (name) => config.dialects[name]?.enabled === true,
        );
        say(`The configuration is valid (${config.environment}).`);
        say(
          `It serves ${config.issuer} from the ${config.store.kind} store; dialects: ${dialects.join(', ') || 'none'}.`,
        );
      } catch (error) {
        if (!json || !(error instanceof ConfigError)) throw error;
        sayJson({ issues: error.issues });
        process.exitCode = 1;
      }
    });
}

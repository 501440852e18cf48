import { Option } from 'commander';
import { command, group } from '../command.ts';
import { inContext } from '../context.ts';
import { oneOf } from '../options.ts';
import { say } from '../output.ts';
import { brownoutsCommand } from './brown-outs.ts';
import { checkCommand } from './check.ts';
import { conflictsCommand } from './conflicts.ts';
import { diffCommand } from './diff.ts';
import { migratingDialect } from './legacy-dialect.ts';
import { sinceCommand } from './since.ts';
import { rehearseOffCommand, stageCommand } from './stage.ts';
import { statusCommand } from './status.ts';

const proxyCommand = command({
  name: 'proxy',
  about: 'print the routes for a reverse proxy in front of Portico and the legacy system',
  argument: ['<dialect>'],
  options: [
    oneOf('--format <nginx|traefik|caddy>', 'whose configuration').default('nginx'),
    new Option('--portico <origin>', 'where Portico is').default('http://127.0.0.1:3000'),
  ],
  help: `
Each endpoint of the dialect goes to Portico, every other path below its base to the legacy system.

Example:
  portico migration proxy visitnote --format nginx > /etc/nginx/snippets/visitnote.conf`,
  run: inContext(
    async (
      context,
      options: {
        readonly dialect: string;
        readonly format: 'nginx' | 'traefik' | 'caddy';
        readonly portico: string;
      },
    ) => {
      const { dialect, settings, legacy } = await migratingDialect(context, options.dialect);
      const { proxyRoutes } = await import('./proxy-routes.ts');
      const { url, address } = legacy;
      const { ip = '', port } = address ?? {};
      const at = `${ip.includes(':') ? `[${ip}]` : ip}${port === undefined ? '' : `:${port}`}`;
      say(
        proxyRoutes(options.format, {
          dialect: dialect.name,
          mounts: dialect.mounts(settings),
          portico: options.portico,
          legacy: { url, address: address && at },
        }),
      );
    },
  ),
});

export const migrationCommand = group('migration', 'from a vendor’s own server to Portico', [
  stageCommand,
  statusCommand,
  checkCommand,
  conflictsCommand,
  diffCommand,
  proxyCommand,
  rehearseOffCommand,
  sinceCommand,
  brownoutsCommand,
]);

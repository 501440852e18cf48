import { Option } from 'commander';
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import { readStageRecord, stageAt } from '../../migration/stage-record.ts';
import { command, group } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { oneOf } from '../options.ts';
import { type JsonOption, say, sayList } from '../output.ts';
import { checkCommand } from './check.ts';
import { conflictsCommand } from './conflicts.ts';
import { migratingDialect, migratingDialects } from './legacy-dialect.ts';
import { countPeople } from './people.ts';
import { sinceCommand } from './since.ts';
import { rehearseOffCommand, stageCommand } from './stage.ts';

const statusCommand = command({
  name: 'status',
  about: 'print where the move away from a legacy system stands',
  argument: ['[dialect]'],
  options: [
    ['--organization <id>', 'of this organization only'],
    ['--json', 'print it as JSON'],
  ],
  help: `
ROSTER are people without a password here: the legacy system alone can sign them in.
TAKEN OVER are people whose password it confirmed, HERE those who have set one here since.

Examples:
  portico migration status
  portico migration status visitnote --organization pilot --json`,
  run: inContext(
    async (context, options: JsonOption & { readonly dialect?: string; readonly organization?: string }) => {
      const { dialect, organization } = options;
      if (organization !== undefined) await organizationOf(context, organization);
      const all =
        dialect === undefined ? await migratingDialects(context) : [await migratingDialect(context, dialect)];
      const lines = [];
      for (const each of all) lines.push(await statusOf(context, each, organization));
      sayList(options, lines, {
        row: ({ dialect: name, stage, more, people, awayUntil }) => ({
          dialect: name,
          stage,
          'other stages': more
            .map((other) => `${other.organization} ${other.route}: ${other.stage}`)
            .join('; '),
          off: awayUntil,
          roster: people.roster,
          'taken over': people.takenOver,
          here: people.here,
          'not of it': people.own,
        }),
        nothing: 'No dialect has a legacy system (dialects.<name>.legacy).',
      });
    },
  ),
});

async function statusOf(context: CommandContext, migrating: MigratingDialect, organization?: string) {
  const { dialect, legacy } = migrating;
  const record = await readStageRecord(context.stores.metadata, dialect.name);
  const more = Object.entries(record.stages)
    .flatMap(([whose, own]) =>
      Object.entries(own).map(([route, stage]) => ({ organization: whose, route, stage })),
    )
    .filter(({ organization: whose, route }) => whose !== '*' || route !== '*');
  const isPast = record.awayUntil === undefined || new Date(record.awayUntil) <= context.clock.now();
  return {
    dialect: dialect.name,
    stage: stageAt(record, { organization }) ?? legacy.stage,
    configured: legacy.stage,
    more,
    ...(!isPast && { awayUntil: record.awayUntil }),
    people: await countPeople(context, migrating, organization),
  };
}

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
  proxyCommand,
  rehearseOffCommand,
  sinceCommand,
]);

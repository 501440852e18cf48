/** `portico migration status`: where the move away from a legacy system stands, and what its nodes see of that system. */
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import { MOST_REFUSED, readSightings, type SightingsRecord } from '../../migration/sightings.ts';
import { readStageRecord, stageAt } from '../../migration/stage-record.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { type JsonOption, note, sayList } from '../output.ts';
import { migratingDialect, migratingDialects } from './legacy-dialect.ts';
import { countPeople } from './people.ts';

export const statusCommand = command({
  name: 'status',
  about: 'print where the move away from a legacy system stands',
  argument: ['[dialect]'],
  options: [
    ['--organization <id>', 'of this organization only'],
    ['--json', 'print it as JSON'],
  ],
  help: `
ROSTER are people without a password here: the legacy system alone can sign them in, and stage standalone locks them out.
TAKEN OVER are people whose password it confirmed, HERE those who have set one here since.
NOT OF IT are accounts that it does not know. OFF is until when a rehearsal of its end goes on.
LEARNED are replies that passed by and left an account or a token here, ADOPTED the legacy system's sign-ins that go on here.

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
        row: rowOf,
        nothing: 'No dialect has a legacy system (dialects.<name>.legacy).',
      });
      if (!options.json) for (const { warnings } of lines) for (const warning of warnings) note(warning);
    },
  ),
});

type Status = Awaited<ReturnType<typeof statusOf>>;

function rowOf({ dialect, stage, more, people, health, learned, adopted, awayUntil }: Status) {
  return {
    dialect,
    stage,
    'other stages': more.map((other) => `${other.organization} ${other.route}: ${other.stage}`).join('; '),
    off: awayUntil,
    health: inWords(health),
    roster: people.roster,
    'taken over': people.takenOver,
    here: people.here,
    'not of it': people.own,
    ...{ learned, adopted },
  };
}

async function statusOf(context: CommandContext, migrating: MigratingDialect, organization?: string) {
  const { dialect, legacy } = migrating;
  const { clock, stores } = context;
  const now = clock.now();
  const record = await readStageRecord(stores.metadata, dialect.name);
  const more = Object.entries(record.stages)
    .flatMap(([whose, own]) =>
      Object.entries(own).map(([route, stage]) => ({ organization: whose, route, stage })),
    )
    .filter(({ organization: whose, route }) => whose !== '*' || route !== '*');
  const isPast = record.awayUntil === undefined || new Date(record.awayUntil) <= now;
  const stage = stageAt(record, { organization }) ?? legacy.stage;
  const people = await countPeople(context, migrating, organization);
  const sightings = await readSightings(stores.metadata, dialect.name, now);
  const { learned, adopted, refused } = sightings;
  const health = healthOf(sightings);
  return {
    ...{ dialect: dialect.name, stage, configured: legacy.stage, more },
    ...(!isPast && { awayUntil: record.awayUntil }),
    ...{ people, health, learned, adopted },
    /** In the last rehearsal of its end. */
    ...{ refused, hosts: sightings.hosts.map(([host]) => host) },
    warnings: [
      ...warningsOf(health, legacy.floor),
      ...(stage !== 'standalone' && people.roster > 0
        ? [`${people.roster} people have no password here yet: stage standalone would lock them out.`]
        : []),
      ...(refused.length === 0
        ? []
        : [
            `The rehearsal of its end refused ${refused.length}${refused.length < MOST_REFUSED ? '' : ' or more'} people.`,
          ]),
    ].map((text) => `${dialect.name}: ${text}`),
  };
}

/** Over all nodes that live. */
function healthOf({ nodes }: SightingsRecord) {
  const views = Object.values(nodes);
  const last = views
    .flatMap((view) => view.last ?? [])
    .sort((one, other) => other.at.localeCompare(one.at))[0];
  const sum = (count: (view: (typeof views)[number]) => number) =>
    views.reduce((all, view) => all + count(view), 0);
  return {
    nodes: views.length,
    /** Whose breaker is open. */
    away: sum(({ open }) => (open ? 1 : 0)),
    ...(last && { last }),
    calls: sum(({ calls }) => calls),
    slow: sum(({ slow }) => slow),
  };
}

type Health = ReturnType<typeof healthOf>;

const OUTCOMES = { good: 'answered', odd: 'gave no answer', later: 'had no time' } as const;

function inWords({ nodes, away, last }: Health): string {
  if (nodes === 0) return 'no node says';
  const state = away === 0 ? '' : `away at ${away} of ${nodes} nodes; `;
  return state + (last === undefined ? 'not asked yet' : `${OUTCOMES[last.outcome]} ${last.at}`);
}

function warningsOf({ calls, slow, away, nodes }: Health, floor: number): string[] {
  return [
    ...(away === 0 ? [] : [`${away} of ${nodes} nodes get no answer and ask every five seconds.`]),
    ...(slow * 100 > calls
      ? [
          `${slow} of the last ${calls} calls took longer than the floor (${floor} ms): raise it (dialects.<name>.legacy.floor), or the time tells who has moved.`,
        ]
      : []),
  ];
}

/** `portico migration stage` and `rehearse-off`: what acts on every node within five seconds. */
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import { forgetRefused } from '../../migration/sightings.ts';
import {
  ALL,
  changeStageRecord,
  readStageRecord,
  STAGES,
  type Stage,
  type StagePlace,
  type StageRecord,
  stageAt,
  withStage,
} from '../../migration/stage-record.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { CommandRefused, note, say } from '../output.ts';
import { endpointsOf, migratingDialect } from './legacy-dialect.ts';
import { countPeople } from './people.ts';

interface StageOptions {
  readonly dialect: string;
  readonly stage: string;
  readonly organization?: string;
  readonly route?: string;
  readonly accept?: string;
}

export const stageCommand = command({
  name: 'stage',
  about: 'say who answers the API of a vendor; every node follows within 5 s',
  argument: ['<dialect>'],
  secondArgument: ['<stage>', `${STAGES.join(', ')}, or unset: what stands above it counts again`],
  options: [
    ['--organization <id>', 'for the people of this organization'],
    ['--route <endpoint>', 'for this endpoint, such as "GET /my-profile"'],
    ['--accept <count>', 'standalone: so many people may be locked out'],
  ],
  help: `
proxy       the legacy system answers, byte for byte; Portico learns what passes by
shadow      as proxy
primary     Portico answers, and asks the legacy system about people and tokens that it does not know
standalone  Portico answers alone

The stage of an organization counts before that of a route, and both before that of the dialect.

Examples:
  portico migration stage visitnote primary --organization pilot
  portico migration stage visitnote primary --route "GET /my-profile"
  portico migration stage visitnote unset --organization pilot`,
  run: inContext(setStage),
});

async function setStage(context: CommandContext, options: StageOptions): Promise<void> {
  const { organization, route: endpoint } = options;
  const migrating = await migratingDialect(context, options.dialect);
  const stage = stageFrom(options.stage);
  if (organization !== undefined) await organizationOf(context, organization);
  if (endpoint !== undefined && !endpointsOf(migrating).includes(endpoint)) {
    throw new CommandRefused(
      `${options.dialect} has no endpoint ${endpoint}. It has:\n  ${endpointsOf(migrating).join('\n  ')}`,
    );
  }
  const place = { organization, endpoint };
  const { name } = migrating.dialect;
  const present = await readStageRecord(context.stores.metadata, name);
  const before = stageAt(present, place) ?? migrating.legacy.stage;
  if (stage === 'primary') await refuseUnready(context, migrating, organization);
  if (stage === 'standalone') await refuseLockOut(context, migrating, options);
  const record = await changeStageRecord(context.stores.metadata, name, (known) =>
    withStage(known, place, stage),
  );
  const now = stageAt(record, place) ?? migrating.legacy.stage;
  await context.note('migration.stage', {
    ...(organization !== undefined && { organization }),
    detail: {
      ...{ dialect: name, from: before, to: now, ...(endpoint !== undefined && { endpoint }) },
      // An operator who lets passwords be learned has decided to.
      ...((now === 'proxy' || now === 'shadow') && { learn: [...migrating.legacy.learn] }),
    },
  });
  say(`${inWords(name, place)}: ${before} -> ${now}. Every node follows within 5 s.`);
  for (const [other, its] of moreSpecific(record, place))
    note(`Stays as it is: ${inWords(name, other)}: ${its}.`);
}

function stageFrom(text: string): Stage | undefined {
  if (text === 'unset') return undefined;
  const stage = STAGES.find((each) => each === text);
  if (stage !== undefined) return stage;
  throw new CommandRefused(`There is no stage ${text}. There are: ${STAGES.join(', ')}, unset.`);
}

/** What a server would not start with. */
async function refuseUnready(
  context: CommandContext,
  migrating: MigratingDialect,
  organization: string | undefined,
): Promise<void> {
  const [{ candidateOf, organizationsOf }, { whyNotPrimary }] = await Promise.all([
    import('../../legacy/serves.ts'),
    import('../../migration/readiness.ts'),
  ]);
  const { config, stores } = context;
  const { identity } = await context.tools();
  const organizations =
    organization === undefined ? await organizationsOf(migrating, identity) : [organization];
  const candidate = candidateOf(migrating, { config, metadata: stores.metadata, organizations });
  const reasons = await whyNotPrimary(candidate);
  if (reasons.length > 0) throw new CommandRefused(`${reasons.join('\n')}\nNothing was changed.`);
}

/** People whom the legacy system alone can sign in. */
async function refuseLockOut(
  context: CommandContext,
  migrating: MigratingDialect,
  { organization, accept = '0' }: StageOptions,
): Promise<void> {
  if (!/^\d{1,9}$/.test(accept)) throw new CommandRefused('--accept must be a number of people.');
  const { roster: count } = await countPeople(context, migrating, organization);
  if (count <= Number(accept)) return;
  throw new CommandRefused(
    `${count} people have no password here yet and could not sign in any more: portico migration status ${migrating.dialect.name}. ` +
      `To do it all the same: --accept ${count}. Nothing was changed.`,
  );
}

/** Places whose own stage keeps this change from them. */
function moreSpecific(
  { stages }: StageRecord,
  { organization, endpoint }: StagePlace,
): [StagePlace, Stage][] {
  return Object.entries(stages).flatMap(([whose, own]) =>
    Object.entries(own).flatMap(([route, stage]): [StagePlace, Stage][] => {
      const place = {
        organization: whose === ALL ? undefined : whose,
        endpoint: route === ALL ? undefined : route,
      };
      const isSame = place.organization === organization && place.endpoint === endpoint;
      const within =
        (organization === undefined || place.organization === organization) &&
        (endpoint === undefined || place.endpoint === endpoint || place.endpoint === undefined);
      return isSame || !within ? [] : [[place, stage]];
    }),
  );
}

export function inWords(dialect: string, { organization, endpoint }: StagePlace): string {
  return [dialect, organization, endpoint].filter((part) => part !== undefined).join(', ');
}

/* ------------------------------------------------------------------ the rehearsal of the end */

const UNITS = { s: 1, m: 60, h: 3600 } as const;

export const rehearseOffCommand = command({
  name: 'rehearse-off',
  about: 'act for a while as if the legacy system were off; ends by itself',
  argument: ['<dialect>'],
  options: [['--for <time>', 'such as 10m, at most 24h; 0s ends it now']],
  help: `
In stage primary alone. Who was refused meanwhile: portico migration status, with --json by account.

Example:
  portico migration rehearse-off visitnote --for 10m`,
  run: inContext(async (context, options: { readonly dialect: string; readonly for?: string }) => {
    const { dialect, legacy } = await migratingDialect(context, options.dialect);
    const { metadata } = context.stores;
    const seconds = secondsFrom(options.for ?? '10m');
    const stage = stageAt(await readStageRecord(metadata, dialect.name), {}) ?? legacy.stage;
    if (stage !== 'primary' && seconds > 0) {
      throw new CommandRefused(
        `${dialect.name} is in stage ${stage}; the end is rehearsed in stage primary.`,
      );
    }
    const awayUntil = new Date(context.clock.now().getTime() + seconds * 1000).toISOString();
    if (seconds > 0) await forgetRefused(metadata, dialect.name);
    await changeStageRecord(metadata, dialect.name, (record) => ({ ...record, awayUntil }));
    await context.note('migration.stage', { detail: { dialect: dialect.name, awayUntil } });
    say(
      seconds === 0
        ? `${dialect.name}: the legacy system is asked again within 5 s.`
        : `${dialect.name}: the legacy system counts as off until ${awayUntil}.`,
    );
  }),
});

function secondsFrom(text: string): number {
  const [, count, unit] = /^(\d{1,5})([smh])$/.exec(text) ?? [];
  const seconds = Number(count) * UNITS[(unit ?? 's') as keyof typeof UNITS];
  if (count !== undefined && seconds <= 24 * 3600) return seconds;
  throw new CommandRefused(`--for must be a time such as 10m, at most 24h; ${text} is none.`);
}

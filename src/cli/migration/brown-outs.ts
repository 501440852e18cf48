/** `portico migration brownouts`: the windows in which new sign-ins are refused, and their emergency stop. */
import type { BrownOut } from '../../config/deprecation-section.ts';
import { changeStageRecord, readStageRecord } from '../../migration/stage-record.ts';
import { command, group } from '../command.ts';
import { type CommandContext, inContext } from '../context.ts';
import { CommandRefused, type JsonOption, say, sayList } from '../output.ts';
import { mountedDialects } from './legacy-dialect.ts';

interface Options extends JsonOption {
  readonly dialect?: string;
}

/** Of this dialect, or of all that have some. CommandRefused where there is none. */
async function announcing(context: CommandContext, { dialect: name }: Options) {
  const all = (await mountedDialects(context)).flatMap(({ dialect, deprecation }) =>
    deprecation !== undefined && deprecation.brownouts.length > 0
      ? [{ dialect: dialect.name, brownouts: deprecation.brownouts }]
      : [],
  );
  const result = all.filter(({ dialect }) => name === undefined || dialect === name);
  if (result.length > 0) return result;
  throw new CommandRefused(
    name === undefined
      ? 'No dialect has brown-outs (dialects.<name>.deprecation.brownouts).'
      : `${name} has no brown-outs (dialects.${name}.deprecation.brownouts), or is not switched on.`,
  );
}

function stateOf({ from, to }: BrownOut, { isStopped, now }: { isStopped: boolean; now: Date }): string {
  if (to <= now) return 'over';
  if (isStopped) return 'stopped';
  return from <= now ? 'on' : 'ahead';
}

async function list(context: CommandContext, options: Options): Promise<void> {
  const lines = [];
  for (const { dialect, brownouts } of await announcing(context, options)) {
    const { brownOutsStopped: isStopped = false } = await readStageRecord(context.stores.metadata, dialect);
    const now = context.clock.now();
    for (const window of brownouts)
      lines.push({ dialect, state: stateOf(window, { isStopped, now }), ...window });
  }
  sayList(options, lines, {
    row: ({ dialect, state, from, to, endpoints, clients, except }) => ({
      ...{ dialect, state, from, to },
      endpoints: endpoints?.join('; '),
      clients: clients?.join(' '),
      except: except.join(' '),
    }),
    nothing: 'There is no brown-out.',
  });
}

function setStopped(isStopped: boolean) {
  return inContext(async (context: CommandContext, options: Options) => {
    for (const { dialect } of await announcing(context, options)) {
      await changeStageRecord(context.stores.metadata, dialect, (record) => ({
        ...record,
        brownOutsStopped: isStopped,
      }));
      await context.note('migration.stage', {
        detail: { dialect, brownouts: isStopped ? 'stopped' : 'resumed' },
      });
      say(
        isStopped
          ? `${dialect}: brown-outs are stopped, within 5 s on every node, until they are resumed.`
          : `${dialect}: brown-outs are as the configuration says again, within 5 s on every node.`,
      );
    }
  });
}

export const brownoutsCommand = group('brownouts', 'windows in which new sign-ins are refused', [
  command({
    name: 'list',
    about: 'print the windows, and which is on',
    argument: ['[dialect]'],
    options: [['--json', 'print them as JSON']],
    help: `
The windows are those of the configuration as it is now: a server takes them when it starts.
Whom they refuse is in \`portico usage\`, column BROWNOUT.

Example:
  portico migration brownouts list`,
    run: inContext(list),
  }),
  command({
    name: 'stop',
    about: 'end all of them now, and let none begin',
    argument: ['[dialect]'],
    help: `
Examples:
  portico migration brownouts stop
  portico migration brownouts stop visitnote`,
    run: setStopped(true),
  }),
  command({
    name: 'resume',
    about: 'let them be as the configuration says again',
    argument: ['[dialect]'],
    help: `
Example:
  portico migration brownouts resume visitnote`,
    run: setStopped(false),
  }),
]);

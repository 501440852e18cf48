/** `portico usage`: which client still calls what, and when it last did. */
import { Option } from 'commander';
import { BY, type By, type UsageLine, usageLines } from '../../usage/report.ts';
import { dayOf } from '../../usage/usage.ts';
import { momentFrom } from '../audit.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext } from '../context.ts';
import { CommandRefused, type JsonOption, sayList } from '../output.ts';

interface Options extends JsonOption {
  readonly dialect?: string;
  readonly by: readonly By[];
  readonly since: Date;
  readonly quietFor?: Date;
}

export const usageCommand = command({
  name: 'usage',
  about: 'print which client still calls which dialect, and when it last did',
  options: [
    ['--dialect <name>', 'of this dialect only'],
    new Option('--by <what>', `${BY.join(', ')}; or several, such as client,endpoint`)
      .argParser(byFrom)
      .default(['client'], 'client'),
    new Option('--since <moment>', 'since that day: 2026-03-01, or how long ago, such as 30d')
      .argParser(momentFrom)
      .default(momentFrom('30d'), '30d'),
    new Option('--quiet-for <time>', 'only what has not called for so long, such as 14d').argParser(
      momentFrom,
    ),
    ['--json', 'print it as JSON'],
  ],
  help: `
A client is the first product of its User-Agent: name and version. Days are of UTC. PEOPLE, by day and
organization, are counted each once; more than a thousand are an estimate, right within some percent.
LEGACY are requests that the legacy system answered, BROWNOUT those that a brown-out refused.
What a node counted in the last ten seconds is not there yet. How long days are kept: usage.retention.

Examples:
  portico usage --dialect visitnote
  portico usage --by client,endpoint --since 7d
  portico usage --by endpoint --since 90d --quiet-for 14d
  portico usage --by day --json`,
  run: inContext(print),
});

function byFrom(text: string): By[] {
  return text.split(',').map((word) => {
    const by = BY.find((each) => each === word);
    if (by === undefined)
      throw new CommandRefused(`--by must be of ${BY.join(', ')}; ${word || 'nothing'} is none.`);
    return by;
  });
}

async function print({ stores, config }: CommandContext, options: Options): Promise<void> {
  const { dialect, by, since, quietFor } = options;
  const names = Object.keys(config.dialects);
  if (dialect !== undefined && !names.includes(dialect))
    throw new CommandRefused(`There is no dialect ${dialect}. There are: ${names.join(', ')}.`);
  if (quietFor !== undefined && quietFor <= since)
    throw new CommandRefused('--since must go further back than --quiet-for.');
  const days = (await stores.usage.since(dayOf(since))).filter(
    (day) => dialect === undefined || day.dialect === dialect,
  );
  const lines = usageLines(days, by).filter(({ lastAt }) => quietFor === undefined || lastAt < quietFor);
  sayList(options, lines.map(flat), {
    row: ({ outcomes, byLegacy, firstAt, lastAt, people, ...line }) => ({
      ...line,
      ...(people !== undefined && { people }),
      ok: outcomes.ok,
      refused: outcomes.refused + outcomes.limited,
      failed: outcomes.unavailable + outcomes.error,
      brownout: outcomes.brownout,
      legacy: byLegacy,
      first: minuteOf(firstAt),
      last: minuteOf(lastAt),
    }),
    nothing:
      quietFor === undefined
        ? 'No calls found. Those of the last ten seconds are not counted yet.'
        : 'Nothing has been quiet for that long.',
  });
}

function flat({ of, ...line }: UsageLine) {
  const { dialect, requests, ...rest } = line;
  return { dialect, ...of, requests, ...rest };
}

const minuteOf = (moment: Date) => `${moment.toISOString().slice(0, 16)}Z`;

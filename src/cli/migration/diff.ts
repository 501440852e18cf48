/** `portico migration diff`: in what Portico would have answered otherwise than the legacy system did. */
import {
  type Comparison,
  forgetComparison,
  type Outcome,
  readComparison,
} from '../../migration/differences.ts';
import { momentFrom } from '../audit.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext } from '../context.ts';
import { CommandRefused, type JsonOption, say, sayJson, sayTable } from '../output.ts';
import { endpointsOf, migratingDialect, migratingDialects } from './legacy-dialect.ts';

interface Options extends JsonOption {
  readonly dialect?: string;
  readonly since?: string;
  readonly endpoint?: string;
  readonly reset?: boolean;
}

/** So that a pipeline does not take it for "no difference". */
const NOTHING_COMPARED = 2;

export const diffCommand = command({
  name: 'diff',
  about: 'print where Portico would have answered otherwise than the legacy system did',
  argument: ['[dialect]'],
  options: [
    ['--since <time>', 'only what was seen since: such as 2026-03-01T08:30Z, or how long ago, such as 24h'],
    ['--endpoint <route>', 'of this endpoint only, such as "GET /my-profile"'],
    ['--json', 'print it as JSON'],
    ['--reset', 'forget what was found so far'],
  ],
  help: `
In stage shadow each reply of the legacy system is compared with what Portico would have said: its status, the headers
of the contract, and its JSON by structure. A difference is a place and two forms; no value of a person is kept.
COUNT and COMPARED count since the last --reset; a node stores what it found every ten seconds. Of the sign-ins,
the share shadow.passwords is compared.

ODD counts replies that cannot be compared (5xx, 429), UNKNOWN those about people, tokens and keys that Portico does
not know yet, CODE those to codes and links, which Portico can judge only by spending them.

Exits with 1 when something differs, and with 2 when nothing was compared.

Examples:
  portico migration diff visitnote --since 24h
  portico migration diff visitnote --endpoint "POST /sign-in" --json
  portico migration diff --reset`,
  run: inContext(async (context, options: Options) => {
    const { dialect, endpoint } = options;
    const all =
      dialect === undefined ? await migratingDialects(context) : [await migratingDialect(context, dialect)];
    const known = all.flatMap(endpointsOf);
    if (endpoint !== undefined && !known.includes(endpoint))
      throw new CommandRefused(`There is no endpoint ${endpoint}. There are: ${known.join(', ')}.`);
    const names = all.map((each) => each.dialect.name);
    if (options.reset) return reset(context, names);
    const from = options.since === undefined ? undefined : momentFrom(options.since).toISOString();
    const found = [];
    for (const name of names)
      found.push({
        dialect: name,
        ...narrowed(await readComparison(context.stores.metadata, name), { from, endpoint }),
      });
    if (options.json) sayJson(found);
    else show(found);
    if (found.some(({ differences, more }) => differences.length + more > 0)) process.exitCode = 1;
    else if (found.every(({ compared }) => compared.every(({ same = 0 }) => same === 0)))
      process.exitCode = NOTHING_COMPARED;
  }),
});

type Narrowed = ReturnType<typeof narrowed>;

function narrowed(
  { compared, differences, more }: Comparison,
  { from = '', endpoint }: { readonly from: string | undefined; readonly endpoint: string | undefined },
) {
  const isMeant = (each: { readonly endpoint: string; readonly last: string }) =>
    each.last >= from && (endpoint === undefined || each.endpoint === endpoint);
  const counts = Object.entries(compared).map(([name, each]) => ({ endpoint: name, ...each }));
  return { compared: counts.filter(isMeant), differences: differences.filter(isMeant), more };
}

async function reset({ stores }: CommandContext, dialects: readonly string[]): Promise<void> {
  for (const dialect of dialects) await forgetComparison(stores.metadata, dialect);
  say(`Forgotten: what was found at ${dialects.join(', ') || 'none'}.`);
}

function show(found: readonly (Narrowed & { readonly dialect: string })[]): void {
  const differences = found.flatMap(({ dialect, differences: own }) =>
    own.map((each) => ({ dialect, ...each })),
  );
  const compared = found.flatMap(({ dialect, compared: own }) =>
    own.map(({ endpoint, last, ...counts }) => ({ dialect, endpoint, ...everyCount(counts), last })),
  );
  sayTable(compared, NOTHING_YET);
  if (compared.length === 0) return;
  say('');
  sayTable(
    differences,
    compared.some(({ same }) => same > 0)
      ? 'No difference.'
      : 'No reply could be compared yet: import a roster, or let people come by first.',
  );
  const more = found.reduce((sum, each) => sum + each.more, 0);
  if (more > 0) say(`\nAnd ${more} more, for which there was no room: settle these and --reset.`);
}

const NOTHING_YET =
  'Nothing was compared yet. Replies are compared in stage shadow (portico migration stage <dialect> shadow), and are here after ten seconds.';

function everyCount(counts: Partial<Record<Outcome, number>>): Record<Outcome, number> {
  const { same = 0, differs = 0, odd = 0, unknown = 0, code = 0 } = counts;
  return { same, differs, odd, unknown, code };
}

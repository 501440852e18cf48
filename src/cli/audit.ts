import { Option } from 'commander';
import type { AuditFilter, AuditPage } from '../store/ports/audit.ts';
import { command, group } from './command.ts';
import { type CommandContext, findAccount, inContext, organizationOf } from './context.ts';
import { countOption, oneOf } from './options.ts';
import { CommandRefused, type JsonOption, note, say, sayList } from './output.ts';

/** Records that are printed at most without --all. */
const MOST = 10_000;
/** Records in memory with --all. */
const PAGE = 500;

interface Options extends JsonOption {
  readonly organization?: string;
  readonly account?: string;
  readonly event?: string;
  readonly client?: string;
  readonly channel?: string;
  readonly outcome?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly limit: number;
  readonly after?: string;
  readonly all?: boolean;
  readonly jsonLines?: boolean;
}

export const auditCommand = group('audit', 'the trail of who did what, from where, with which outcome', [
  command({
    name: 'list',
    about: 'print records, the newest first',
    options: [
      ['--organization <id>', 'of this organization only'],
      ['--account <who>', 'of this account only: id, email address or username'],
      ['--event <event>', 'such as sign-in or token.reused; docs/operations.md lists them'],
      ['--client <id>', 'by this client'],
      ['--channel <channel>', 'hosted, command-line, or a dialect'],
      oneOf('--outcome <success|refused|error>', 'with this outcome'),
      momentOption(
        '--from <moment>',
        'since then: 2026-03-01, 2026-03-01T08:30Z, or how long ago, such as 2h',
      ),
      momentOption('--to <moment>', 'before then'),
      countOption('--limit <count>', 'so many at most', MOST).default(50),
      ['--after <place>', 'go on where the page before ended: what it printed as --after'],
      ['--all', 'all that match, page by page'],
      ['--json', 'print them as JSON'],
      ['--json-lines', 'print each as JSON on a line of its own, as it is read'],
    ],
    help: `
Examples:
  portico audit list --account dr@example.org
  portico audit list --event sign-in --outcome refused --from 24h
  portico audit list --organization default --from 2026-03-01 --to 2026-04-01 --all --json-lines | gzip > march.gz

How long records are kept: audit.retention in the configuration.`,
    run: inContext(list),
  }),
]);

async function list(context: CommandContext, options: Options): Promise<void> {
  const { all, json, jsonLines } = options;
  if (all && json) throw new CommandRefused('--all may be more than a list can hold: use --json-lines.');
  if (options.after !== undefined && !/^\d{1,15}-[0-9a-f]{1,24}$/.test(options.after)) {
    throw new CommandRefused(`--after must be as this command printed it; ${options.after} is not.`);
  }
  // A reader such as `head` closes the pipe when it has enough: that is no error. Node tells of it after the write.
  const filter = await filterOf(context, options);
  const kept: AuditPage['records'] = [];
  let next: string | undefined;
  let begun = false;
  for await (const page of pages(context, options, filter)) {
    if (process.stdout.destroyed) return;
    next = page.next;
    if (jsonLines) for (const record of page.records) say(JSON.stringify(record));
    else kept.push(...page.records);
    if (all && kept.length > 0) {
      print(options, kept.splice(0));
      begun = true;
    }
  }
  if (!jsonLines && !begun) print(options, kept);
  if (next !== undefined) note(`There are more: --after ${next}`);
}

/** All that fit, with one page in memory. */
export async function* auditRecords(
  context: CommandContext,
  filter: AuditFilter,
): AsyncGenerator<AuditPage['records'][number]> {
  for await (const page of pages(context, { all: true, limit: PAGE }, filter)) yield* page.records;
}

async function* pages(
  { stores }: CommandContext,
  { all, limit, after }: Pick<Options, 'all' | 'limit' | 'after'>,
  filter: AuditFilter,
): AsyncGenerator<AuditPage> {
  let left = all ? Number.POSITIVE_INFINITY : limit;
  for (let begin = after; ; ) {
    const page = await stores.audit.page({ ...filter, limit: Math.min(left, PAGE), after: begin });
    yield page;
    left -= page.records.length;
    begin = page.next;
    if (begin === undefined || left <= 0) return;
  }
}

async function filterOf(context: CommandContext, options: Options): Promise<AuditFilter> {
  const { organization, account: who, client: clientId, event, channel, outcome, from, to } = options;
  if (organization !== undefined) await organizationOf(context, organization);
  const subject = who === undefined ? undefined : await subjectOf(context, who, organization);
  return { organization, subject, clientId, event, channel, outcome, from, to };
}

/** Also an account that is gone, and the pseudonym of a name without one. */
async function subjectOf(context: CommandContext, who: string, organization?: string): Promise<string> {
  if (who.startsWith('acc_') || who.startsWith('unknown:')) return who;
  return (await findAccount(context, { who, organization })).id;
}

function print(options: Options, records: AuditPage['records']): void {
  sayList(options, records, {
    row: ({ at, event, outcome, organization, subject, clientId: client, address, detail }) => {
      return { at, event, outcome, organization, subject, client, address, detail };
    },
    nothing: 'There is no record of that.',
  });
}

const AGO = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function momentOption(flags: string, about: string): Option {
  return new Option(flags, about).argParser(momentFrom);
}

export function momentFrom(text: string): Date {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ago = Number(count) * AGO[(unit ?? 's') as keyof typeof AGO] * 1000;
  // A date without a time zone is one of UTC, as the records are printed.
  const dated = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const moment = count === undefined ? new Date(dated ? text : Number.NaN) : new Date(Date.now() - ago);
  if (!Number.isNaN(moment.getTime())) return moment;
  throw new CommandRefused(`${text} is no moment such as 2026-03-01, 2026-03-01T08:30Z or 2h.`);
}

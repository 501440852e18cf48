import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { InvalidArgumentError, Option } from 'commander';
import { collector } from '../../core/collector.ts';
import type { PasswordHasher } from '../../identity/passwords/hasher.ts';
import type { ImportCounts } from '../../transfer/import-people.ts';
import type { RowSource } from '../../transfer/read-rows.ts';
import { PRODUCTS } from '../../transfer/shapes/shapes.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { migratingDialect, mountedDialects } from '../migration/legacy-dialect.ts';
import { required } from '../options.ts';
import { CommandRefused, type JsonOption, note, say, sayJson } from '../output.ts';

interface Options extends JsonOption {
  readonly file: string;
  readonly organization: string;
  readonly dialect?: string;
  readonly roster?: boolean;
  readonly shape?: string;
  readonly map?: string;
  readonly complete?: boolean;
  readonly dryRun?: boolean;
  readonly report?: string;
  readonly resume?: boolean;
  readonly maxRejects: number;
  readonly overwritePasswords?: boolean;
  readonly weak: 'wrap' | 'lazily';
  readonly recipe?: string;
}

const OWN = ['ndjson', 'csv'];

export const importCommand = command({
  name: 'import',
  about: 'load the people of another system from a file, row by row',
  argument: ['<file>', 'NDJSON, CSV, or the export of a product; - reads standard input (docs/import.md)'],
  options: [
    required('--organization <id>', 'where the people belong'),
    ['--dialect <name>', 'whose ids the people have; rows with a vendor_id need it'],
    ['--roster', 'people without passwords: the legacy system of the dialect is asked about those'],
    new Option('--shape <shape>', 'whose export the file is').choices([...OWN, ...Object.keys(PRODUCTS)]),
    ['--map <file>', 'YAML that says which column is which member'],
    ['--complete', 'the roster has every person: one without an account afterwards is a stranger'],
    ['--dry-run', 'judge every row, and change nothing'],
    ['--report <file>', 'write refused rows there, one line of JSON each'],
    ['--resume', 'go on where an import of this file broke off'],
    new Option('--max-rejects <n>', 'stop when more rows are refused').argParser(whole).default(100),
    ['--overwrite-passwords', 'replace passwords of accounts that have one; ends their sign-ins'],
    new Option(
      '--weak <how>',
      'hashes that are guessed too fast: wrap them in ours, or ask the legacy system',
    )
      .choices(['wrap', 'lazily'])
      .default('wrap'),
    [
      '--recipe <recipe>',
      'what hashes do not say of themselves: firebase:<name>, devise:<name>, meteor, a template',
    ],
    ['--json', 'print the figures as JSON'],
  ],
  help: `
The same row leads to the same account, by vendor_id, else identities, else email, else username: importing a
file twice changes nothing. No email is sent. The address of an account here that its person opened is a
conflict, unless both sides have proved it.

Examples:
  portico import people.ndjson --organization default --dialect visitnote --roster --dry-run
  portico import people.csv --organization default --dialect visitnote --roster --complete --report refused.ndjson
  portico import realm.json --organization default --shape keycloak --dry-run`,
  run: inContext(load),
});

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

async function load(context: CommandContext, options: Options): Promise<void> {
  const { file, dialect, organization, dryRun = false, complete = false, json } = options;
  if (file === '-' && options.resume)
    throw new CommandRefused('Standard input cannot be read again. Save it to a file to --resume.');
  await organizationOf(context, organization);
  const world = await worldOf(context, options);
  const source = await sourceOf(options);
  const { importPeople, rejectsOf } = await import('../../transfer/import-people.ts');
  const begun = performance.now();
  const collect = frugal();
  const counts = await importPeople({
    ...world,
    source,
    ...{ organization, dialect, dryRun, complete },
    overwritePasswords: options.overwritePasswords ?? false,
    resume: options.resume ?? false,
    maxRejects: options.maxRejects,
    report: options.report,
    endAccess: (accountId, because) => endAccess(context, accountId, because),
    audit: (detail) =>
      context.note('account.import', { organization, detail: { ...(dialect && { dialect }), ...detail } }),
    progress(all) {
      if (all.rows % 10_000 === 0) note(`${all.rows} rows, ${rejectsOf(all)} refused`);
      if (all.rows % 4000 === 0) collect();
    },
  });
  const seconds = dryRun ? await estimate(world.hasher, counts, performance.now() - begun) : undefined;
  if (json) return sayJson({ ...counts, seconds });
  tell(counts, rejectsOf(counts), dryRun ? 'would be' : 'were');
  if (seconds !== undefined) say(`the import takes about ${timeText(seconds)}`);
  if (complete && !dryRun) say(`The roster of ${dialect} in ${organization} is complete.`);
}

/** By itself V8 keeps rows that are done with until there are very many. The result collects them. */
function frugal(): () => void {
  for (const flag of ['--max-semi-space-size=4', '--semi-space-growth-factor=1']) setFlagsFromString(flag);
  return collector();
}

/** What the import works with, and whose people they are. */
async function worldOf(context: CommandContext, options: Options) {
  const { roster = false, complete, dialect: name, organization } = options;
  const { createPasswordHasher } = await import('../../identity/passwords/hasher.ts');
  const { stores, secrets, clock } = context;
  const keys = context.config.passwords.imported;
  const hasher = createPasswordHasher({ queue: Number.MAX_SAFE_INTEGER, keys });
  const world = { stores, secrets, clock, hasher, keys, roster };
  if (complete && !roster) throw new CommandRefused('--complete is said of a --roster.');
  if (roster && name === undefined)
    throw new CommandRefused('Say whose legacy system knows the people: --dialect <name>');
  const mounted = name === undefined ? undefined : await mountedOf(context, name, roster);
  const legacy = mounted?.legacy;
  if (legacy?.organizations?.includes(organization) === false) {
    const setting = `dialects.${name}.legacy.organizations`;
    throw new CommandRefused(`The legacy system of ${name} does not serve ${organization} (${setting}).`);
  }
  const isLazy = options.weak === 'lazily';
  if (isLazy && legacy === undefined)
    throw new CommandRefused('--weak lazily: say whose legacy system is asked then (--dialect <name>).');
  return {
    ...world,
    isLazy,
    recipe: options.recipe,
    isAsked: legacy !== undefined,
    addressesVerified: legacy?.addresses === 'verified',
  };
}

async function mountedOf(context: CommandContext, name: string, roster: boolean) {
  if (roster) return migratingDialect(context, name);
  const all = await mountedDialects(context);
  const result = all.find(({ dialect }) => dialect.name === name);
  if (result !== undefined) return result;
  const names = all.map(({ dialect }) => dialect.name).join(', ') || 'none';
  throw new CommandRefused(`${name} is no dialect that is switched on. There are: ${names}.`);
}

async function sourceOf({ file, shape: name, map }: Options): Promise<RowSource> {
  const { readColumnMap } = await import('../../transfer/column-map.ts');
  const shape = name === undefined ? undefined : PRODUCTS[name];
  const endings = { '.ndjson': 'ndjson', '.jsonl': 'ndjson', '.csv': 'csv', '.json': 'json' } as const;
  const [, ending] = Object.entries(endings).find(([end]) => path.extname(file).toLowerCase() === end) ?? [];
  const own = name === 'csv' || name === 'ndjson' ? name : ending === 'json' ? undefined : ending;
  // Auth0 gives lines of JSON a name that ends in .json.
  const theirs = ending === undefined || ending === 'json' ? undefined : ending;
  const format =
    shape === undefined ? own : (theirs ?? (ending && shape.format === 'csv' ? ending : shape.format));
  if (format === undefined)
    throw new CommandRefused(`Say what ${file} is: --shape ndjson, --shape csv, or a product`);
  return { file, format, shape, ...(map !== undefined && { map: readColumnMap(map) }) };
}

async function endAccess(context: CommandContext, accountId: string, because: 'blocked' | 'password') {
  const { identity } = await context.tools();
  if (because === 'blocked') {
    const { setStatus } = await import('../../identity/accounts/set-status.ts');
    await setStatus(identity, { accountId, status: 'blocked', context: context.context });
    return;
  }
  const { endEmails } = await import('../../identity/accounts/revoke-access.ts');
  await Promise.all([identity.access.endAll(accountId), endEmails(identity, accountId)]);
}

/** Seconds that the import will take: a look at each row and a write, and a hash of ours where it needs one. */
async function estimate(hasher: PasswordHasher, { costly }: ImportCounts, looked: number): Promise<number> {
  const sample = costly === 0 ? 0 : 2 * availableParallelism();
  const begun = performance.now();
  await Promise.all(Array.from({ length: sample }, () => hasher.hash('harbour lantern')));
  const hashing = sample === 0 ? 0 : (costly * (performance.now() - begun)) / sample;
  return Math.ceil((2 * looked + hashing) / 1000);
}

function timeText(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  const time = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${seconds < 60 ? `${seconds} s` : time} on ${availableParallelism()} cores`;
}

function tell(counts: ImportCounts, refused: number, verb: string): void {
  const { rows, created, updated, kept } = counts;
  say(`${rows} rows: ${created} accounts ${verb} created, ${updated} updated, ${kept} left as they are`);
  if (refused > 0)
    say(
      `${refused} refused (--report FILE lists them): ${counts.row} not valid, ` +
        `${counts.duplicate} twice in the file, ${counts.conflict} in conflict, ${counts.gone} of people who were deleted here`,
    );
  for (const [reason, times] of Object.entries(counts.reasons)) say(`  ${times} x ${reason}`);
  const forms = Object.entries(counts.passwords).map(([form, times]) => `${times} ${form}`);
  if (forms.length > 0) say(`passwords: ${forms.join(', ')}`);
}

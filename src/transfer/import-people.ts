/**
 * People of another system, from a file: with their password hashes, or a roster, which has none. Rows go in by chunks;
 * after each a mark in the store says how far the file has come, so that an import that was killed goes on there. A bad
 * row is a line of the report and stops nothing, until there are so many that the file must be the wrong one.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { readHash } from '../identity/hashes/read-hash.ts';
import { declareComplete } from '../identity/legacy/complete-rosters.ts';
import { hashKinds, MOST_KINDS } from '../identity/sign-in/verify-password.ts';
import {
  type ImportContext,
  type Person,
  type Placed,
  placePeople,
  type RefusedRow,
} from './place-people.ts';
import { digestOf, type FileRow, ImportRefused, type RowSource, readRows } from './read-rows.ts';
import { type PersonRow, parseRow } from './row.ts';
import { type PasswordRules, passwordOf } from './row-password.ts';
import { openTwins, type Twins } from './twins.ts';

const CHUNK = 1000;
/** Reasons and forms that are counted each for itself. */
const KINDS = 100;

export interface PeopleImport extends ImportContext, PasswordRules {
  readonly source: RowSource;
  /** The file has every person whom the legacy system knows. */
  readonly complete: boolean;
  /** Go on where an import of this file broke off. */
  readonly resume: boolean;
  /** So many refused rows are tolerated. */
  readonly maxRejects: number;
  /** Where refused rows are written, one line of JSON each. */
  readonly report?: string | undefined;
  /** After each chunk, and once at the end. */
  audit(detail: Readonly<Record<string, string | number>>): Promise<void>;
  progress(counts: ImportCounts): void;
}

export interface ImportCounts {
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  readonly kept: number;
  /** By kind. */
  readonly row: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly gone: number;
  /** How many rows were refused for what. */
  readonly reasons: Readonly<Record<string, number>>;
  /** How many passwords are of which family. */
  readonly passwords: Readonly<Record<string, number>>;
  /** Passwords that take a hash of ours each. */
  readonly costly: number;
}

const NOTHING: ImportCounts = {
  ...{ rows: 0, created: 0, updated: 0, kept: 0, row: 0, duplicate: 0, conflict: 0, gone: 0 },
  ...{ reasons: {}, passwords: {}, costly: 0 },
};

export const rejectsOf = ({ row, duplicate, conflict, gone }: ImportCounts) =>
  row + duplicate + conflict + gone;

/** Throws ImportRefused; what was written until then stays, and the same file may be imported again. */
export async function importPeople(options: PeopleImport): Promise<ImportCounts> {
  const { source, dryRun, report } = options;
  const file = await digestOf(source.file);
  const kinds = await hashKinds(options.stores, options.organization);
  const seen: Seen = { twins: openTwins(), kinds };
  const begun = await beginning(options, file, seen);
  let { counts } = begun;
  let done = '';
  if (report !== undefined) beginReport(report, { source, kept: rejectsOf(counts) });
  if (!dryRun) refuseTooMany(options, counts);
  for await (const chunk of begun.chunks) {
    const judged = chunk.rows.map((row) => judge(options, row, seen));
    const placed = await place(options, judged);
    counts = added(counts, judged, placed);
    const rejects = placed.flatMap((one, at) => refusedLine(chunk.rows[at], one));
    if (report !== undefined && rejects.length > 0) appendFileSync(report, rejects.join(''));
    done = chunk.digest;
    if (!dryRun) await mark(options, { file, counts, done });
    options.progress(counts);
    if (!dryRun) refuseTooMany(options, counts);
  }
  if (!dryRun) await finish(options, { file: file ?? done, counts });
  return counts;
}

/** What a killed import wrote of rows that are to be done again is taken away. */
function beginReport(report: string, { source, kept }: { source: RowSource; kept: number }): void {
  const [before, input] = [report, source.file].map((file) => statSync(file, { throwIfNoEntry: false }));
  if (before !== undefined && before.ino === input?.ino && before.dev === input.dev)
    throw new ImportRefused('--report would write over the file that is to be imported.');
  try {
    const lines =
      kept === 0 || before === undefined ? [] : readFileSync(report, 'utf8').split('\n').filter(Boolean);
    const text = lines.slice(0, kept).map((line) => `${line}\n`);
    writeFileSync(report, text.join(''), { mode: 0o600 });
  } catch (error) {
    throw new ImportRefused(`${report} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

type Judged = Person | RefusedRow;

interface Seen {
  readonly twins: Twins;
  /** Of password hashes: each costs every refused sign-in. */
  readonly kinds: Set<string>;
}

function judge(options: PeopleImport, { line, value }: FileRow, { twins, kinds }: Seen): Judged {
  const refused = (reason: string): RefusedRow => ({ kind: 'row', reason });
  if (value === undefined) return refused('cannot be read');
  const parsed = parseRow(value, options);
  if ('issue' in parsed) return refused(parsed.issue);
  const { dialect, source } = options;
  const { vendor_id: vendorId, ...others } = parsed.row;
  // A product always has ids; people are known by them only where a dialect has them too.
  const isIdle = dialect === undefined && source.shape !== undefined;
  const row: PersonRow = isIdle ? others : parsed.row;
  if (dialect === undefined && !isIdle && vendorId !== undefined)
    return refused('vendor_id: whose? Say --dialect');
  if (dialect === undefined && row.api_keys !== undefined) return refused('api_keys: whose? Say --dialect');
  const password = passwordOf(options, row);
  if (password !== undefined && 'issue' in password) return refused(password.issue);
  const kind = password?.decoy === undefined ? undefined : readHash(password.decoy)?.kind;
  if (kind !== undefined && !kinds.has(kind) && kinds.size >= MOST_KINDS)
    return refused(`password_hash: the organization has hashes of ${MOST_KINDS} other kinds`);
  if (kind !== undefined) kinds.add(kind);
  const twin = twins.note(row, line);
  if (twin === undefined) return { row, password };
  // The same id, or no id and no name besides, is the same person.
  const isSamePerson = twin.member === 'vendor_id' || (row.vendor_id === undefined && twin.isWhole);
  return {
    kind: isSamePerson ? 'duplicate' : 'conflict',
    reason: `${twin.member}: is in an earlier row`,
    first: twin.first,
  };
}

async function place(options: PeopleImport, judged: readonly Judged[]): Promise<Placed[]> {
  const people = judged.filter((one) => 'row' in one);
  const placed = (await placePeople(options, people)).values();
  return judged.map((one) => ('row' in one ? (placed.next().value ?? 'kept') : one));
}

interface Chunk {
  readonly rows: FileRow[];
  /** Of all rows from the first to the last of these. */
  readonly digest: string;
}

async function* chunksOf({ source }: PeopleImport): AsyncGenerator<Chunk> {
  const hash = createHash('sha256');
  const chunk = (rows: FileRow[]) => ({ rows, digest: hash.copy().digest('base64url') });
  let rows: FileRow[] = [];
  for await (const row of readRows(source)) {
    rows.push(row);
    hash.update(JSON.stringify(row.value ?? null));
    if (rows.length < CHUNK) continue;
    yield chunk(rows);
    rows = [];
  }
  if (rows.length > 0) yield chunk(rows);
}

function added(counts: ImportCounts, judged: readonly Judged[], placed: readonly Placed[]): ImportCounts {
  const reasons = new Map(Object.entries(counts.reasons));
  const passwords = new Map(Object.entries(counts.passwords));
  const sum = { ...counts, rows: counts.rows + placed.length };
  for (const [at, one] of placed.entries()) {
    const isRefused = typeof one === 'object';
    sum[isRefused ? one.kind : one] += 1;
    if (isRefused) count(reasons, one.reason);
    const person = judged[at];
    const password = person !== undefined && 'row' in person ? person.password : undefined;
    if (isRefused || password === undefined) continue;
    count(passwords, password.family);
    if (password.isCostly && one !== 'kept') sum.costly += 1;
  }
  return { ...sum, reasons: Object.fromEntries(reasons), passwords: Object.fromEntries(passwords) };
}

function count(kinds: Map<string, number>, kind: string): void {
  const key = kinds.has(kind) || kinds.size < KINDS ? kind : 'other';
  kinds.set(key, (kinds.get(key) ?? 0) + 1);
}

function refusedLine(row: FileRow | undefined, placed: Placed): string[] {
  return typeof placed === 'object' ? [`${JSON.stringify({ line: row?.line, ...placed })}\n`] : [];
}

function refuseTooMany({ maxRejects }: PeopleImport, counts: ImportCounts): void {
  const rejects = rejectsOf(counts);
  if (rejects <= maxRejects) return;
  throw new ImportRefused(
    `${rejects} of ${counts.rows} rows were refused, more than --max-rejects ${maxRejects}: is this the right file? ` +
      'The rows before are imported; the same command goes on from the beginning and changes nothing twice.',
  );
}

async function finish(options: PeopleImport, { file, counts }: { file: string; counts: ImportCounts }) {
  const { stores, organization, dialect, complete, clock } = options;
  // A person who is in the file twice is in it.
  const missing = rejectsOf(counts) - counts.duplicate;
  await options.audit({ file, ...figuresOf(counts), done: 1 });
  if (!complete || dialect === undefined) return;
  if (missing > 0)
    throw new ImportRefused(
      `${missing} rows were refused: the roster is not complete, and --complete was not noted. ` +
        'Mend them and import the file again.',
    );
  if (counts.rows === 0)
    throw new ImportRefused('There is no row: the roster is not complete, and --complete was not noted.');
  await declareComplete(stores.metadata, { organization, dialect, file, at: clock.now() });
}

/** Without what has words of the file's makers in it. */
function figuresOf({ reasons: _, passwords: __, ...figures }: ImportCounts) {
  return figures;
}

/** How far an import of a file came. */
interface Mark {
  readonly organization: string;
  readonly dialect?: string | undefined;
  readonly counts: ImportCounts;
  /** Of the rows that are done. */
  readonly done: string;
}

const markOf = (file: string) => `import:${file}`;

/** What cannot be read again is imported again from its beginning. */
async function mark(
  options: PeopleImport,
  { file, counts, done }: { file: string | undefined; counts: ImportCounts; done: string },
): Promise<void> {
  const { stores, organization, dialect } = options;
  const value: Mark = { organization, dialect, counts, done };
  if (file !== undefined) await stores.metadata.set(markOf(file), JSON.stringify(value));
  await options.audit({ file: file ?? done, ...figuresOf(counts) });
}

/** The rows that are to be done, and the counts of those that are. */
async function beginning(options: PeopleImport, file: string | undefined, seen: Seen) {
  const chunks = chunksOf(options);
  const { resume, stores } = options;
  const stored = resume && file !== undefined ? await stores.metadata.get(markOf(file)) : undefined;
  if (stored === undefined) return { chunks, counts: NOTHING };
  const { organization, dialect, counts, done }: Mark = JSON.parse(stored);
  if (organization !== options.organization || dialect !== options.dialect)
    throw new ImportRefused(
      `The import that broke off was into ${organization}, of ${dialect ?? 'no dialect'}.`,
    );
  let read = 0;
  let last = '';
  while (read < counts.rows) {
    const { value: chunk } = await chunks.next();
    if (chunk === undefined) break;
    read += chunk.rows.length;
    last = chunk.digest;
    // Their names are taken by them.
    for (const row of chunk.rows) judge(options, row, seen);
  }
  if (last !== done)
    throw new ImportRefused('The import that broke off read other rows: with another --shape or --map?');
  return { chunks, counts };
}

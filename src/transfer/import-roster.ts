/**
 * A roster: the people of a legacy system, without passwords. Rows go in by chunks; after each a mark in the store
 * says how far the file has come, so that an import that was killed goes on there. A bad row is a line of the report
 * and stops nothing, until there are so many that the file must be the wrong one.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { inTurn } from '../core/in-turn.ts';
import { declareComplete } from '../identity/legacy/complete-rosters.ts';
import type { MetadataStore } from '../store/ports/installation.ts';
import { type Place, type Placed, placePerson, type Reject } from './place-person.ts';
import { digestOf, type FileRow, type FileShape, ImportRefused, readRows } from './read-rows.ts';
import { parseRow } from './row.ts';

const CHUNK = 1000;
/** The embedded store writes what comes in one turn as one. */
const AT_ONCE = 256;

export interface RosterImport extends Place {
  readonly file: string;
  readonly shape: FileShape;
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
  readonly conflict: number;
  readonly gone: number;
}

const NOTHING: ImportCounts = { rows: 0, created: 0, updated: 0, kept: 0, row: 0, conflict: 0, gone: 0 };

export const rejectsOf = ({ row, conflict, gone }: ImportCounts) => row + conflict + gone;

/** Throws ImportRefused; what was written until then stays, and the same file may be imported again. */
export async function importRoster(options: RosterImport): Promise<ImportCounts> {
  const { file, stores, dryRun, report, resume, organization, dialect } = options;
  const digest = await digestOf(file);
  const mark = { name: `import:${digest}`, organization, dialect };
  let counts = resume ? await broken(stores.metadata, mark) : NOTHING;
  if (report !== undefined && counts.rows === 0) writeFileSync(report, '', { mode: 0o600 });
  for await (const chunk of chunksOf(options, counts.rows)) {
    const placed = await inTurn(chunk, AT_ONCE, (row) => judged(options, row));
    counts = added(counts, placed);
    const rejects = placed.flatMap((one, place) => rejectLine(chunk[place], one));
    if (report !== undefined && rejects.length > 0) appendFileSync(report, rejects.join(''));
    if (!dryRun) {
      await stores.metadata.set(mark.name, JSON.stringify({ organization, dialect, counts }));
      await options.audit({ file: digest, ...counts });
    }
    options.progress(counts);
    if (!dryRun) refuseTooMany(options, counts);
  }
  if (!dryRun) await finish(options, { digest, counts });
  return counts;
}

async function judged(options: RosterImport, { value }: FileRow): Promise<Placed> {
  const parsed = value === undefined ? { issue: 'cannot be read' } : parseRow(value);
  return 'issue' in parsed ? { kind: 'row', reason: parsed.issue } : placePerson(options, parsed.row);
}

async function* chunksOf({ file, shape }: RosterImport, skip: number): AsyncGenerator<FileRow[]> {
  let chunk: FileRow[] = [];
  let read = 0;
  for await (const row of readRows(file, shape)) {
    read += 1;
    if (read <= skip) continue;
    chunk.push(row);
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function added(counts: ImportCounts, placed: readonly Placed[]): ImportCounts {
  const sum = { ...counts, rows: counts.rows + placed.length };
  for (const one of placed) sum[typeof one === 'string' ? one : one.kind] += 1;
  return sum;
}

function rejectLine(row: FileRow | undefined, placed: Placed): string[] {
  const isReject = (one: Placed): one is Reject => typeof one === 'object';
  return isReject(placed) ? [`${JSON.stringify({ line: row?.line, ...placed })}\n`] : [];
}

function refuseTooMany({ maxRejects }: RosterImport, counts: ImportCounts): void {
  const rejects = rejectsOf(counts);
  if (rejects <= maxRejects) return;
  throw new ImportRefused(
    `${rejects} of ${counts.rows} rows were refused, more than --max-rejects ${maxRejects}: is this the right file? ` +
      'The rows before are imported; the same command goes on from the beginning and changes nothing twice.',
  );
}

async function finish(options: RosterImport, { digest, counts }: { digest: string; counts: ImportCounts }) {
  const { stores, organization, dialect, complete, clock } = options;
  const rejects = rejectsOf(counts);
  await options.audit({ file: digest, ...counts, done: 1 });
  if (!complete) return;
  if (rejects > 0)
    throw new ImportRefused(
      `${rejects} rows were refused: the roster is not complete, and --complete was not noted. ` +
        'Mend them and import the file again.',
    );
  await declareComplete(stores.metadata, { organization, dialect, file: digest, at: clock.now() });
}

/** How far an import of the file into the same place came. */
async function broken(
  metadata: MetadataStore,
  { name, organization, dialect }: { name: string; organization: string; dialect: string },
): Promise<ImportCounts> {
  const stored = await metadata.get(name);
  if (stored === undefined) return NOTHING;
  const kept: { organization?: string; dialect?: string; counts: ImportCounts } = JSON.parse(stored);
  if (kept.organization === organization && kept.dialect === dialect) return kept.counts;
  throw new ImportRefused(`The import that broke off was into ${kept.organization}, of ${kept.dialect}.`);
}

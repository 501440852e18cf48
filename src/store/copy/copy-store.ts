/**
 * Moves everything from one back end to another, and every user stays signed in: every record is read from
 * the source's dump and written through the target's own ports. Where it stands is kept in the target
 * after each batch, so that a copy which broke off goes on there; until it is finished and verified no
 * server starts on the target. record-writers.ts writes each kind of record, verify-copy.ts reads back
 * what was written, copy-state.ts keeps the position.
 *
 * Identifiers and secrets in a store are hashed or encrypted under the server key: both stores must be used
 * with the same one.
 */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { inTurn } from '../../core/in-turn.ts';
import type { AuditRecord } from '../../model/audit-event.ts';
import type { DumpedRecords, DumpSubject, StoreDump } from '../ports/dump.ts';
import type { Stores } from '../ports/stores.ts';
import { batchesOf, type CopyOptions, CopyRefused, type Counts, WIDTH } from './copy-options.ts';
import { type CopyState, readState, writeState } from './copy-state.ts';
import { carry } from './record-writers.ts';
import { verifyCopy } from './verify-copy.ts';

/** What others hang on comes first; what says "this is complete" last. */
export const SUBJECTS: readonly DumpSubject[] = [
  'organizations',
  'clients',
  'apis',
  'accounts',
  'identities',
  'apiKeys',
  'oidcRecords',
  'codes',
  'linkTokens',
  'leases',
  'windows',
  'attempts',
  'remembered',
  'presence',
  'deliveries',
  'audit',
  'usage',
  'metadata',
  'keyring',
];

export interface CopyReport {
  readonly counts: Counts;
  /** Records that were read back from the target and compared. */
  readonly compared: number;
  readonly resumed: boolean;
}

/** What a copy would move. Throws as copyStore does for a target that is not empty; changes nothing. */
export async function planCopy(options: Pick<CopyOptions, 'source' | 'target' | 'secrets' | 'clock'>) {
  const { source, target, secrets, clock } = options;
  await refuseOtherKey(source, secrets, clock);
  const state = await readState(target);
  if (state === undefined) await refuseFull(target);
  else if (state.finishedAt !== undefined) throw finishedBefore(state.finishedAt);
  return { counts: await countAll(source, clock), resumes: state !== undefined };
}

/**
 * Throws CopyRefused when the target holds something else, when the source changed since a copy broke off,
 * or when what is read back differs; StoreUnusable while another process has the source.
 */
export async function copyStore(options: CopyOptions): Promise<CopyReport> {
  const { source, target, secrets, clock } = options;
  await source.hold();
  await refuseOtherKey(source, secrets, clock);
  const digest = await source.digest();
  const before = await readState(target);
  if (before?.finishedAt !== undefined) throw finishedBefore(before.finishedAt);
  if (before === undefined) await refuseFull(target);
  else if (before.digest !== digest) throw changedSince(before);
  const start: CopyState = before ?? { digest, startedAt: clock.now().toISOString(), position: undefined };
  await writeState(target, start);
  const counts = await countAll(source, clock);
  await copyFrom(start, counts, options);
  const compared = await verifyCopy({ ...options, subjects: SUBJECTS, counts });
  await writeState(target, { ...start, finishedAt: clock.now().toISOString() });
  return { counts, compared, resumed: before !== undefined };
}

async function copyFrom(start: CopyState, counts: Counts, options: CopyOptions): Promise<void> {
  const first = start.position === undefined ? 0 : SUBJECTS.indexOf(start.position.subject);
  for (const [index, subject] of SUBJECTS.entries()) {
    if (index < first) continue;
    const position = index === first ? start.position : undefined;
    await copySubject(subject, { start, position, all: counts[subject] }, options);
  }
}

async function copySubject<Subject extends DumpSubject>(
  subject: Subject,
  { start, position, all }: { start: CopyState; position: CopyState['position']; all: number },
  { source, target, clock, progress }: CopyOptions,
): Promise<void> {
  let done = position?.done ?? 0;
  let resumed = position !== undefined;
  for await (const { records, next } of batchesOf({ source, clock }, subject, position?.after)) {
    const missing =
      resumed && subject === 'audit' ? await notYetAppended(records as AuditRecord[], target) : records;
    await inTurn(missing as DumpedRecords[Subject][], WIDTH, (record) =>
      carry[subject].write(target, record, clock.now()),
    );
    resumed = false;
    done += records.length;
    if (records.length > 0) progress({ step: 'copy', subject, done, all: Math.max(done, all) });
    if (next !== undefined) await writeState(target, { ...start, position: { subject, after: next, done } });
  }
  const following = SUBJECTS[SUBJECTS.indexOf(subject) + 1] ?? subject;
  // After the last subject the position stays: writing it once more does no harm.
  await writeState(target, { ...start, position: { subject: following, after: undefined, done: 0 } });
}

/**
 * Writing a record again changes nothing, but for the audit trail, which only grows: of the batch under way
 * when a copy broke off, those that arrived are the newest there.
 */
async function notYetAppended(records: AuditRecord[], target: Stores): Promise<AuditRecord[]> {
  const there = new Map<string, number>();
  for (const record of await target.audit.latest({ limit: records.length })) {
    const text = JSON.stringify(record);
    there.set(text, (there.get(text) ?? 0) + 1);
  }
  return records.filter((record) => {
    const text = JSON.stringify(record);
    const left = there.get(text) ?? 0;
    there.set(text, left - 1);
    return left <= 0;
  });
}

async function countAll(source: StoreDump, clock: Clock): Promise<Counts> {
  const counts: [DumpSubject, number][] = [];
  for (const subject of SUBJECTS) counts.push([subject, await source.count(subject, clock.now())]);
  return Object.fromEntries(counts) as Counts;
}

/** Throws DecryptionFailed, before anything unreadable is copied. */
async function refuseOtherKey(source: StoreDump, secrets: Secrets, clock: Clock): Promise<void> {
  const { records } = await source.read('keyring', { limit: 1, now: clock.now() });
  // The context under which oidc/signing-keys.ts encrypts it.
  for (const { encrypted } of records) secrets.decrypt(encrypted, 'keyring');
}

async function refuseFull(target: Stores): Promise<void> {
  const [organizations, clients, keyring, audit] = await Promise.all([
    target.organizations.list(),
    target.clients.list(),
    target.keyring.read(),
    target.audit.latest({ limit: 1 }),
  ]);
  if (organizations.length + clients.length + audit.length === 0 && keyring === undefined) return;
  throw new CopyRefused(
    `The target is not empty: it holds ${organizations.length} organizations and ${clients.length} clients. ` +
      'Copy into an empty database (store.mongo.database).',
  );
}

function finishedBefore(at: string): CopyRefused {
  return new CopyRefused(`The target holds a copy already, finished at ${at}. Nothing was changed.`);
}

function changedSince({ startedAt }: CopyState): CopyRefused {
  return new CopyRefused(
    `The source has changed since the copy that began at ${startedAt} and broke off (or it is another source). ` +
      'What was copied may be out of date: empty both servers of the target, and copy again.',
  );
}

/**
 * Reads back what was copied: of every subject the records, all or one in so many, and of the audit trail
 * its end. A record that the target answers otherwise is named, without its content.
 */
import { isDeepStrictEqual } from 'node:util';
import { inTurn } from '../../core/in-turn.ts';
import type { AuditRecord } from '../../model/audit-event.ts';
import type { DumpedRecords, DumpSubject } from '../ports/dump.ts';
import { batchesOf, type CopyOptions, CopyRefused, type Counts, WIDTH } from './copy-options.ts';
import { type Carrier, carry } from './record-writers.ts';

/** Records at the end of the audit trail that are compared: a port gives the newest only. */
const AUDIT_END = 1000;
/** Differences that are named before the rest is only counted. */
const NAMED = 5;

interface VerifyOptions extends CopyOptions {
  readonly subjects: readonly DumpSubject[];
  readonly counts: Counts;
}

/** Resolves with how many records were compared. Throws CopyRefused when one differs. */
export async function verifyCopy(options: VerifyOptions): Promise<number> {
  const differing: string[] = [];
  let compared = 0;
  for (const subject of options.subjects) {
    const result = subject === 'audit' ? await verifyAudit(options) : await verifySubject(subject, options);
    compared += result.compared;
    differing.push(...result.differing);
  }
  if (differing.length > 0) {
    throw new CopyRefused(
      `${differing.length} records differ in the target: ${differing.slice(0, NAMED).join(', ')}` +
        `${differing.length > NAMED ? ', ...' : ''}. Empty both servers of the target, and copy again.`,
    );
  }
  return compared;
}

interface Verified {
  readonly compared: number;
  readonly differing: readonly string[];
}

async function verifySubject<Subject extends DumpSubject>(
  subject: Subject,
  options: VerifyOptions,
): Promise<Verified> {
  const { target, sample, progress, counts } = options;
  const { compare }: Carrier<DumpedRecords[Subject]> = carry[subject];
  if (compare === undefined) return { compared: 0, differing: [] };
  const differing: string[] = [];
  let [compared, seen] = [0, 0];
  // One moment for both sides: what ends in between is asked of neither.
  for await (const { records, now } of batchesOf(options, subject)) {
    const offset = seen;
    const chosen = records.filter((_, index) => (offset + index) % sample === 0);
    await inTurn(chosen, WIDTH, async (record) => {
      const [match, input] = await compare(target, record, now);
      if (!isDeepStrictEqual(match, input)) differing.push(nameOf(subject, record));
    });
    compared += chosen.length;
    seen += records.length;
    if (records.length > 0)
      progress({ step: 'verify', subject, done: seen, all: Math.max(seen, counts[subject]) });
  }
  return { compared, differing };
}

async function verifyAudit(options: VerifyOptions): Promise<Verified> {
  let end: AuditRecord[] = [];
  for await (const { records } of batchesOf(options, 'audit')) end = [...end, ...records].slice(-AUDIT_END);
  const match = await options.target.audit.latest({ limit: AUDIT_END });
  const input = sorted(end);
  const same = isDeepStrictEqual(sorted(match), input);
  return { compared: input.length, differing: same ? [] : ['the end of the audit trail'] };
}

/** As texts in an order of their own: records of one moment may come in any. */
function sorted(records: readonly AuditRecord[]): string[] {
  const [oldest] = [...records].sort((one, two) => one.at.getTime() - two.at.getTime());
  // Of the oldest moment only some may have fitted in.
  const whole =
    records.length < AUDIT_END ? records : records.filter(({ at }) => at.getTime() !== oldest?.at.getTime());
  return whole.map((record) => JSON.stringify(record)).sort();
}

/** Ids of people and applications are no secret; hashes and keys of other records reveal nothing. */
function nameOf<Subject extends DumpSubject>(subject: Subject, record: DumpedRecords[Subject]): string {
  const names = ['id', 'clientId', 'accountId', 'name'].map((member): unknown => Reflect.get(record, member));
  const name = names.find((value) => typeof value === 'string');
  return name === undefined ? subject : `${subject} ${name}`;
}

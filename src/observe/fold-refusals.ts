/**
 * Refused attempts in the audit trail. An attacker decides how many there are, so they are folded: the first
 * one of a client address, channel and reason is a record of its own, and the ones that follow become one
 * record a minute that says how many they were. Each process folds what it refused itself.
 */
import type { AuditRecord } from '../model/audit-event.ts';
import type { Json } from '../model/json.ts';

const MINUTE = 60_000;

/** Addresses that are told apart. Past it the rest is counted by channel and reason alone, so that memory ends too. */
const MOST = 10_000;

/** A reused token names its owner and cannot be forged: each reuse is worth a record. */
const NEVER_FOLDED = new Set(['token.reused']);

interface Open {
  since: Date;
  /** Those that have no record yet. */
  count: number;
  /** The latest of them; its subject only while it is the subject of all. */
  record: AuditRecord;
}

export interface RefusalFold {
  /** True: the record is counted, and the caller need not keep it. */
  takes(record: AuditRecord): boolean;
  /** Writes the counts of the minutes that have passed; all of them when no moment is given. */
  close(now?: Date): void;
}

export function foldRefusals(write: (record: AuditRecord) => void): RefusalFold {
  const open = new Map<string, Open>();

  function close(now?: Date): void {
    for (const [key, fold] of open) {
      if (now !== undefined && isRunning(fold, now)) continue;
      if (fold.count > 0) write(summaryOf(fold));
      open.delete(key);
      // What goes on stays at one record a minute.
      if (fold.count > 0 && now !== undefined) open.set(key, { ...fold, since: now, count: 0 });
    }
  }

  return {
    close,
    takes(record) {
      if (record.outcome !== 'refused' || record.address === undefined || NEVER_FOLDED.has(record.event))
        return false;
      const known = keyOf(record, record.address);
      const [key, seen] =
        open.has(known) || open.size < MOST ? [known, record] : [keyOf(record), withoutAddress(record)];
      const fold = open.get(key);
      if (fold !== undefined && isRunning(fold, record.at)) {
        fold.record = fold.count === 0 ? seen : merged(fold.record, seen);
        fold.count += 1;
        return true;
      }
      if (fold !== undefined && fold.count > 0) write(summaryOf(fold));
      open.set(key, { since: record.at, count: 0, record: seen });
      return false;
    },
  };
}

/** A clock that was set back must not keep a minute open. */
function isRunning({ since }: Open, now: Date): boolean {
  return Math.abs(now.getTime() - since.getTime()) < MINUTE;
}

function keyOf({ event, clientId, detail = {} }: AuditRecord, address?: string): string {
  const channel = detail.channel ?? clientId;
  const reason = detail.why ?? detail.reason ?? detail.error;
  return JSON.stringify([address, event, channel, reason]);
}

function withoutAddress({ address: _one, ...record }: AuditRecord): AuditRecord {
  return record;
}

function merged(before: AuditRecord, record: AuditRecord): AuditRecord {
  if (before.subject === record.subject) return record;
  const { subject: _one, ...ofSeveral } = record;
  return ofSeveral;
}

function summaryOf({ since, count, record }: Open): AuditRecord {
  const detail: Record<string, Json> = { ...record.detail, count, since: since.toISOString() };
  return { ...record, detail };
}

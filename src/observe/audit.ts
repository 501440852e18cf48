/**
 * The audit trail: who did what, from where, with which result. One record per event, kept in the store
 * and (as configured) written to the log; refused attempts are folded. Writing never fails and never delays the
 * request that it is about: a store that is down costs a log line.
 */
import type { Clock } from '../core/clock.ts';
import type { AuditEntry, AuditRecord } from '../model/audit-event.ts';
import type { AuditStore } from '../store/ports/audit.ts';
import { foldRefusals } from './fold-refusals.ts';
import type { Log } from './log.ts';
import { redact } from './redact.ts';

export interface Audit {
  write(entry: AuditEntry): void;
}

/** An Audit whose last records can be waited for before the store is closed. */
export interface FlushableAudit extends Audit {
  /** Writes the counts of refused attempts whose minute is over. */
  closeMinutes(): void;
  flush(): Promise<void>;
}

export interface AuditOptions {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly log: Log;
  /** Also to the log; default true. */
  readonly toLog?: boolean;
}

export function createAudit({ store, clock, log, toLog = true }: AuditOptions): FlushableAudit {
  const pending = new Set<Promise<void>>();
  const keep = (record: AuditRecord) => {
    if (toLog) log.info({ audit: record }, `audit: ${record.event} ${record.outcome}`);
    const written = append(store, record).catch((error) => {
      log.error({ err: error, audit: record }, 'the audit record was not stored');
    });
    pending.add(written);
    void written.finally(() => pending.delete(written));
  };
  const refusals = foldRefusals(keep);
  return {
    write(input) {
      const detail = input.detail && (redact(input.detail) as NonNullable<AuditRecord['detail']>);
      const record: AuditRecord = { ...input, ...(detail ? { detail } : {}), at: clock.now() };
      if (!refusals.takes(record)) keep(record);
    },
    closeMinutes: () => refusals.close(clock.now()),
    async flush() {
      refusals.close();
      await Promise.all(pending);
    },
  };
}

/** A store that throws at once is no different from one that rejects. */
async function append(store: AuditStore, record: AuditRecord): Promise<void> {
  await store.append(record);
}

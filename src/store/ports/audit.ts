import type { AuditRecord } from '../../model/audit-event.ts';

export interface AuditStore {
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  latest(options: { limit: number; organization?: string; subject?: string }): Promise<AuditRecord[]>;
  /** Removes what was written before `moment`, some at a time; resolves with how many. */
  removeBefore(moment: Date): Promise<number>;
}

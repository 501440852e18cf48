import type { AuditRecord } from '../../model/audit-event.ts';

/** What records are asked for; members that are absent ask nothing. */
export interface AuditFilter {
  readonly organization?: string | undefined;
  readonly subject?: string | undefined;
  readonly event?: string | undefined;
  readonly clientId?: string | undefined;
  readonly channel?: string | undefined;
  readonly outcome?: string | undefined;
  /** Written then or later. */
  readonly from?: Date | undefined;
  /** Written before. */
  readonly to?: Date | undefined;
}

export interface AuditPage {
  readonly records: AuditRecord[];
  /** Where the next page begins; absent: there is none. */
  readonly next?: string;
}

export interface AuditStore {
  append(record: AuditRecord): Promise<void>;
  /** Newest first. */
  latest(options: AuditFilter & { limit: number }): Promise<AuditRecord[]>;
  /** The same page by page. `after`: what the page before gave as `next`; a RangeError when it is none. */
  page(options: AuditFilter & { limit: number; after?: string | undefined }): Promise<AuditPage>;
  /** Removes what was written before `moment`, some at a time; resolves with how many. */
  removeBefore(moment: Date): Promise<number>;
}

/** Members of a record's detail that name its channel: today's word, and those of older records. */
export const CHANNEL_NAMES = ['channel', 'door', 'dialect'] as const;

export function channelOf({ detail = {} }: Pick<AuditRecord, 'detail'>): string | undefined {
  return CHANNEL_NAMES.map((name) => detail[name]).find((value) => typeof value === 'string');
}

/** A place in the trail, as text: a moment, and the record's own id among those of the moment. */
export function positionText({ at, id }: { at: Date; id: string }): string {
  return `${at.getTime()}-${id}`;
}

export function positionFrom(text: string): { at: Date; id: string } {
  const [, at, id = ''] = /^(\d{1,15})-([0-9a-f]{1,24})$/.exec(text) ?? [];
  if (at === undefined) throw new RangeError('This is no place in the audit trail.');
  return { at: new Date(Number(at)), id };
}

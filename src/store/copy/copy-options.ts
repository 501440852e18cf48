/** What the two halves of a copy, writing and reading back, share. */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { OperatorError } from '../../core/errors.ts';
import type { DumpSubject, StoreDump } from '../ports/dump.ts';
import type { Stores } from '../ports/stores.ts';

export type Counts = Readonly<Record<DumpSubject, number>>;

export interface Progress {
  readonly step: 'copy' | 'verify';
  readonly subject: DumpSubject;
  readonly done: number;
  readonly all: number;
}

export interface CopyOptions {
  readonly source: StoreDump;
  /** Migrated. */
  readonly target: Stores;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Of so many records one is read back; 1: all. */
  readonly sample: number;
  readonly progress: (progress: Progress) => void;
}

/** A copy that must not begin or go on; the message says what to do. */
export class CopyRefused extends OperatorError {
  override readonly name = 'CopyRefused';
}

/** Records of one batch. The copy notes its position after each. */
const BATCH = 500;

/** Calls under way at once: enough to hide the way to the server, few enough for its time-outs. */
export const WIDTH = 32;

/** The records of a subject that live at the moment of their batch, from `after` on. */
export async function* batchesOf<Subject extends DumpSubject>(
  { source, clock }: Pick<CopyOptions, 'source' | 'clock'>,
  subject: Subject,
  after?: string,
) {
  for (let from = after, more = true; more; ) {
    const now = clock.now();
    const { records, next } = await source.read(subject, { after: from, limit: BATCH, now });
    yield { records, next, now };
    from = next;
    more = next !== undefined;
  }
}

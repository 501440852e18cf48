/** What a copy is given, and what it counts; its two halves, writing and reading back, share both. */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
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

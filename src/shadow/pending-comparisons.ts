/** What the comparisons found on this node since it was last stored. */
import type { Clock } from '../core/clock.ts';
import {
  addComparison,
  type Comparison,
  comparisonOf,
  type Outcome,
  together,
} from '../migration/differences.ts';
import type { MetadataStore } from '../store/ports/installation.ts';
import type { Found } from './compare.ts';

export interface PendingComparisons {
  add(
    dialect: string,
    outcome: Outcome,
    at: { readonly endpoint: string; readonly request: string },
    found: readonly Found[],
  ): void;
  /** Stores it; what cannot be stored now waits for the next time. */
  flush(): Promise<void>;
}

export function createPendingComparisons({
  metadata,
  clock,
}: {
  metadata: MetadataStore;
  clock: Clock;
}): PendingComparisons {
  const pending = new Map<string, Comparison>();
  const keep = (dialect: string, added: Comparison) => {
    const known = pending.get(dialect);
    pending.set(dialect, known === undefined ? added : together(known, added));
  };
  return {
    add: (dialect, outcome, at, found) =>
      keep(dialect, comparisonOf(outcome, { ...at, now: clock.now() }, found)),
    async flush() {
      for (const [dialect, added] of [...pending]) {
        pending.delete(dialect);
        try {
          await addComparison(metadata, dialect, added);
        } catch (error) {
          keep(dialect, added);
          throw error;
        }
      }
    },
  };
}

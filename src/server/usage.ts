/** Who calls what is counted and kept: added to the store as it comes, removed when it is old. */
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Stores } from '../store/ports/stores.ts';
import { createUsage, dayOf, type Usage } from '../usage/usage.ts';
import { type Lifecycle, repeat } from './lifecycle.ts';

/** Milliseconds. A node that is killed loses what it counted since the last flush. */
const FLUSH_EVERY = 10_000;
const REMOVE_EVERY = 3_600_000;

export function openUsage(options: {
  readonly stores: Pick<Stores, 'usage'>;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly metrics: Pick<Metrics, 'dialectRequest'>;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
  /** Seconds. */
  readonly retention: number;
}): Usage {
  const { stores, clock, secrets, metrics, lifecycle, log, retention } = options;
  const usage = createUsage({ store: stores.usage, clock, secrets, metric: metrics.dialectRequest });
  repeat(lifecycle, 'usage', FLUSH_EVERY, log, usage.flush);
  repeat(lifecycle, 'usage retention', REMOVE_EVERY, log, () =>
    stores.usage.removeBefore(dayOf(new Date(clock.now().getTime() - retention * 1000))),
  );
  // Behind all work: what is learned from the last replies is counted too.
  lifecycle.onClose('audit', 'usage', usage.flush);
  return usage;
}

/** Who calls what is counted and kept: added to the store as it comes, removed when it is old. And whom a brown-out refuses. */
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import type { Dialect } from '../dialects/contract/dialect.ts';
import { parseSettings } from '../dialects/runtime/mounted.ts';
import { openBrownOutStops } from '../migration/brown-out-stops.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Stores } from '../store/ports/stores.ts';
import { createUsage, dayOf, type Usage } from '../usage/usage.ts';
import { type Lifecycle, repeat } from './lifecycle.ts';

/** Milliseconds. A node that is killed loses what it counted since the last flush. */
const FLUSH_EVERY = 10_000;
const REMOVE_EVERY = 3_600_000;
/** A stop acts on every node within five seconds. */
const STOPS_EVERY = 2000;

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

/** Undefined: no dialect has brown-outs. */
export async function openBrownOuts(options: {
  readonly config: Pick<Config, 'dialects'>;
  readonly dialects: readonly Dialect[];
  readonly stores: Pick<Stores, 'metadata'>;
  readonly lifecycle: Lifecycle;
  readonly log: Log;
}) {
  const { config, dialects, stores, lifecycle, log } = options;
  const mounted = parseSettings(dialects, config.dialects);
  const names = mounted.flatMap(({ dialect, deprecation }) =>
    deprecation !== undefined && deprecation.brownouts.length > 0 ? [dialect.name] : [],
  );
  if (names.length === 0) return undefined;
  const stops = await openBrownOutStops(stores.metadata, names);
  repeat(lifecycle, 'stops of brown-outs', STOPS_EVERY, log, stops.refresh);
  return stops;
}

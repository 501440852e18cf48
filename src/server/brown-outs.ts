/** Whether an operator has stopped the brown-outs of the configuration. */
import type { Config } from '../config/schema.ts';
import type { Dialect } from '../dialects/contract/dialect.ts';
import { parseSettings } from '../dialects/runtime/mounted.ts';
import { openBrownOutStops } from '../migration/brown-out-stops.ts';
import type { Log } from '../observe/log.ts';
import type { Stores } from '../store/ports/stores.ts';
import { type Lifecycle, repeat } from './lifecycle.ts';

/** Milliseconds. A stop acts on every node within five seconds. */
const STOPS_EVERY = 2000;

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

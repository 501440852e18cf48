import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import type { Upstreams } from './upstream.ts';

export function createUpstreams(_: { config: Config; fetch?: typeof fetch; log: Log }): Upstreams {
  throw new Error('unwritten');
}

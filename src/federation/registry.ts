/** The upstreams that exist, as an explicit list; those that are switched on are made. */
import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import { createApple } from './apple/apple.ts';
import { createGoogle } from './google/google.ts';
import { createCappedFetch } from './protocol/fetch.ts';
import type { Upstream, Upstreams } from './protocol/upstream.ts';

/** Nothing is fetched before the first use: an upstream that is down does not stop the start. */
export function createUpstreams(options: {
  config: Pick<Config, 'federation'>;
  fetch?: typeof fetch;
  log: Log;
}): Upstreams {
  const { google, apple } = options.config.federation;
  const shared = { fetch: createCappedFetch(options.fetch), log: options.log };
  const upstreams: Upstream[] = [];
  if (google.enabled) upstreams.push(createGoogle({ settings: google, ...shared }));
  if (apple.enabled) upstreams.push(createApple({ settings: apple, ...shared }));
  return new Map(upstreams.map((upstream) => [upstream.name, upstream]));
}

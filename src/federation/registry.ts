/** The kinds of upstream that there are, one line each. Adding one adds its folder and its line here, nothing else. */
import type { z } from 'zod';
import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import { createUpstream, type UpstreamSpec } from './protocol/create-upstream.ts';
import { createCappedFetch } from './protocol/fetch.ts';
import type { UpstreamPlugIn } from './protocol/plug-in.ts';
import type { Upstreams } from './protocol/upstream.ts';

const registry: Readonly<Record<string, () => Promise<UpstreamPlugIn>>> = {
  google: async () => (await import('./google/google.ts')).google,
  apple: async () => (await import('./apple/apple.ts')).apple,
  openid: async () => (await import('./openid/openid.ts')).openid,
};

/** The names that the configuration knows, switched on or not: kinds, and for `openid` its entries. */
export function upstreamNames({ federation }: Pick<Config, 'federation'>): string[] {
  const kinds = Object.keys(registry).filter((name) => name !== 'openid');
  return [...kinds, ...Object.keys(federation.openid ?? {})];
}

function loadUpstreams(): Promise<UpstreamPlugIn[]> {
  return Promise.all(Object.values(registry).map((load) => load()));
}

/** The zod shapes of `federation.<name>`, for the configuration. */
export async function upstreamSettings(): Promise<Record<string, z.ZodType>> {
  return Object.fromEntries((await loadUpstreams()).map(({ name, settings }) => [name, settings]));
}

/** What is said of those that are switched on. */
export async function upstreamSpecs({ federation }: Pick<Config, 'federation'>): Promise<UpstreamSpec[]> {
  return (await loadUpstreams()).flatMap((plugIn) => plugIn.specs(federation[plugIn.name] ?? {}));
}

/**
 * Those that are switched on. Nothing is fetched before the first use: an upstream that is down does not
 * stop the start.
 */
export async function createUpstreams(options: {
  config: Pick<Config, 'federation'>;
  fetch?: typeof fetch;
  log: Log;
}): Promise<Upstreams> {
  const { config, log } = options;
  const shared = { fetch: createCappedFetch(options.fetch), log };
  const specs = await upstreamSpecs(config);
  return new Map(specs.map((spec) => [spec.name, createUpstream(spec, shared)]));
}

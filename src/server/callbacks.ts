/** Every address of this server at which an upstream answers: it is registered there. */
import type { Config } from '../config/schema.ts';
import { dialectSettings, loadEnabledDialects } from '../dialects/registry.ts';
import { callbackOf } from '../federation/protocol/upstream.ts';
import { upstreamSpecs } from '../federation/registry.ts';

export interface Callback {
  readonly upstream: string;
  readonly callback: string;
}

export async function callbacksOf(config: Config): Promise<Callback[]> {
  const { issuer, dialects } = config;
  const specs = (await upstreamSpecs(config)).filter(({ client }) => client !== undefined);
  const hosted = specs.map(({ name }) => ({ upstream: name, callback: callbackOf(issuer, name) }));
  const shapes = await dialectSettings();
  const ofDialects = (await loadEnabledDialects(dialects)).flatMap(({ name, upstreamCallback }) => {
    const at = upstreamCallback?.(Object(shapes[name]?.parse(dialects[name])));
    const isOn = specs.some((spec) => spec.name === at?.provider);
    return at && isOn ? [{ upstream: at.provider, callback: issuer + at.path }] : [];
  });
  return [...hosted, ...ofDialects];
}

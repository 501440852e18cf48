/** One upstream of the configuration, against the test upstream. */
import { configSchema } from '../../src/config/schema.ts';
import type { Upstream } from '../../src/federation/protocol/upstream.ts';
import { createUpstreams } from '../../src/federation/registry.ts';
import { createLog } from '../../src/observe/log.ts';
import type { TestUpstream } from '../support/upstream.ts';

export const log = createLog({ level: 'silent' });

type Name = keyof TestUpstream['federation'] | keyof TestUpstream['openid'];

/** `changes` to `federation.<name>`; `fetcher` instead of the network. */
export async function get(
  upstream: TestUpstream,
  name: Name,
  changes: Record<string, unknown> = {},
  fetcher?: typeof fetch,
): Promise<Upstream> {
  const given =
    name === 'google' || name === 'apple'
      ? { [name]: { ...upstream.federation[name], ...changes } }
      : { openid: { [name]: { ...upstream.openid[name], ...changes } } };
  const { federation } = configSchema.parse({ federation: given });
  const upstreams = await createUpstreams({
    config: { federation },
    log,
    ...(fetcher === undefined ? {} : { fetch: fetcher }),
  });
  const result = upstreams.get(name);
  if (result === undefined) throw new Error(`${name} was not made.`);
  return result;
}

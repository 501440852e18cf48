/** Every route of every registered dialect, by name, so that a table of tests can be held against them. */

import type { Endpoint } from '../../../src/dialects/contract/endpoint.ts';
import { checkDialects } from '../../../src/dialects/pipeline/validate.ts';
import { loadAllDialects } from '../../../src/dialects/registry.ts';

/** `visitnote POST /api/therapist/v1/sign-in`. One endpoint under several bases counts once, under the shortest. */
export async function routeNames(): Promise<string[]> {
  const dialects = await loadAllDialects();
  const settings = Object.fromEntries(dialects.map(({ name }) => [name, { enabled: true }]));
  const { mounts } = checkDialects({ dialects, settings, reserved: () => false });
  const shortest = new Map<Endpoint, string>();
  for (const { owner, mount, routes } of mounts) {
    for (const { endpoint } of routes) {
      const name = `${owner.dialect.name} ${endpoint.method} ${mount.base}${endpoint.path}`;
      const known = shortest.get(endpoint);
      if (known === undefined || name.length < known.length) shortest.set(endpoint, name);
    }
  }
  return [...shortest.values()].sort();
}

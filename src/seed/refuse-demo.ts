/** What this project publishes stays out of production: files marked `demo`, and copies of the demo seed's secrets. */
import { join } from 'node:path';
import type { Issue } from '../config/issues.ts';
import { readSeed, SeedError, type SeedFile } from './read-seed.ts';
import type { Seed } from './schema.ts';

const DEMO = join(import.meta.dirname, '../../config/seed/demo.yaml');

/** Throws SeedError. */
export function refuseDemo(file: SeedFile, production: boolean): void {
  if (!production) return;
  if (file.seed.demo) {
    const message = 'is refused in production: its passwords are published';
    throw new SeedError(file.file, [{ path: 'demo', message }]);
  }
  const published = new Set(Array.from(secretsOf(readSeed(DEMO).seed), ([, secret]) => secret));
  const issues: Issue[] = [];
  for (const [path, secret] of secretsOf(file.seed)) {
    const message = 'is refused in production: it is published with the demo seed';
    if (published.has(secret)) issues.push({ path, message });
  }
  if (issues.length > 0) throw new SeedError(file.file, file.located(issues));
}

const SECRETS = {
  accounts: ['password'],
  api_keys: ['key', 'secret'],
  apis: ['secret'],
  clients: ['client_secret'],
} as const;

function* secretsOf(seed: Seed): Iterable<[path: string, secret: string]> {
  for (const list of ['accounts', 'api_keys', 'apis', 'clients'] as const) {
    for (const [index, entry] of (seed[list] ?? []).entries()) {
      for (const member of SECRETS[list]) {
        const secret: unknown = Reflect.get(entry, member);
        if (typeof secret === 'string') yield [`${list}.${index}.${member}`, secret];
      }
    }
  }
}

/** Loads the seed files that the configuration names, each content once for the life of the store. */
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from '../core/crypto.ts';
import type { Identity } from '../identity/context.ts';
import { applySeed, type SeedOptions } from './apply-seed.ts';
import { readSeed, type SeedFile } from './read-seed.ts';
import { refuseDemo } from './refuse-demo.ts';

/** Milliseconds that a process which died while loading keeps the others waiting. Loading twice does no harm. */
const LEASE = 15_000;

export interface SeedAtStartOptions
  extends Pick<Identity, 'stores' | 'secrets' | 'hasher' | 'clock' | 'access' | 'log' | 'issuer'>,
    Pick<SeedOptions, 'judgeClient' | 'resources' | 'upstreams' | 'stopped'> {
  /** `config.seed`: absolute paths. */
  readonly files: readonly string[];
  /** Demo files are refused in production: their passwords are published. */
  readonly production: boolean;
}

/** Resolves when every file is loaded, by this process or by another. Throws SeedError. */
export async function seedAtStart(options: SeedAtStartOptions): Promise<void> {
  for (const name of options.files) {
    const file = readSeed(name);
    refuseDemo(file, options.production);
    await loadOnce(options, file);
  }
}

type Loaded = Pick<Identity, 'stores' | 'clock' | 'issuer'>;

/** URIs with {issuer} are other ones under another issuer, and the last one counts. */
async function isLoaded({ stores, issuer }: Loaded, { hash, namesIssuer }: SeedFile): Promise<boolean> {
  const { metadata } = stores;
  if (!namesIssuer) return (await metadata.get(`seed:${hash}`)) !== undefined;
  const last = await metadata.get(`seed:${hash}:issuer`);
  // An older store has a record for each issuer and does not know the last.
  return last === undefined ? (await metadata.get(`seed:${hash}:${issuer}`)) !== undefined : last === issuer;
}

export async function noteLoaded({ stores, clock, issuer }: Loaded, { hash, namesIssuer }: SeedFile) {
  const [name, value] = namesIssuer
    ? [`seed:${hash}:issuer`, issuer]
    : [`seed:${hash}`, clock.now().toISOString()];
  await stores.metadata.set(name, value);
}

async function loadOnce(options: SeedAtStartOptions, file: SeedFile): Promise<void> {
  const { stores, clock, log } = options;
  const key = `seed:${file.hash}`;
  const owner = randomUUID();
  while (!(await isLoaded(options, file))) {
    const now = clock.now();
    if (!(await stores.leases.acquire(key, owner, now, new Date(now.getTime() + LEASE)))) {
      await pause(100, undefined, { signal: options.stopped });
      continue;
    }
    try {
      // Another process may have loaded it since the look above.
      if (await isLoaded(options, file)) return;
      const report = await applySeed({ ...options, overwritePasswords: false }, file);
      await noteLoaded(options, file);
      log.info({ file: file.file, accounts: report.accounts.create }, 'seed file loaded');
    } finally {
      await stores.leases.release(key, owner);
    }
  }
}

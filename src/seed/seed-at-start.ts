/** Loads the seed files that the configuration names, each content once for the life of the store. */
import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from '../core/crypto.ts';
import type { Identity } from '../identity/context.ts';
import { applySeed, type SeedOptions } from './apply-seed.ts';
import { readSeed, type SeedFile } from './read-seed.ts';
import { refuseDemo } from './refuse-demo.ts';

/** Milliseconds that a process which died while loading keeps the others waiting. Loading twice does no harm. */
const CLAIM = 15_000;

export interface SeedAtStartOptions
  extends Pick<Identity, 'stores' | 'secrets' | 'hasher' | 'clock' | 'access' | 'log' | 'issuer'>,
    Pick<SeedOptions, 'judgeClient' | 'resources'> {
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

/** The key of the record that this content was loaded. URIs with {issuer} are other ones under another issuer. */
export function loadedKey(file: SeedFile, issuer: string): string {
  return file.namesIssuer ? `seed:${file.hash}:${issuer}` : `seed:${file.hash}`;
}

async function loadOnce(options: SeedAtStartOptions, file: SeedFile): Promise<void> {
  const { stores, clock, log } = options;
  const key = loadedKey(file, options.issuer);
  const owner = randomUUID();
  while ((await stores.metadata.get(key)) === undefined) {
    const now = clock.now();
    if (!(await stores.leases.acquire(key, owner, now, new Date(now.getTime() + CLAIM)))) {
      await pause(100);
      continue;
    }
    try {
      const report = await applySeed({ ...options, overwritePasswords: false }, file);
      await stores.metadata.set(key, clock.now().toISOString());
      log.info({ file: file.file, accounts: report.accounts.create }, 'seed file loaded');
    } finally {
      await stores.leases.release(key, owner);
    }
  }
}

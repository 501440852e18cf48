/** Loads the seed files that the configuration names, each content once for the life of the store. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Identity } from '../identity/identity.ts';
import type { Log } from '../observe/log.ts';
import { randomUUID } from '../secrets.ts';
import { applySeed } from './apply-seed.ts';
import { readSeed, SeedError, type SeedFile } from './read-seed.ts';

/** Milliseconds that a process which died while loading keeps the others waiting. Loading twice does no harm. */
const CLAIM = 15_000;

export interface LoadSeedsOptions {
  /** `config.seed`: absolute paths. */
  readonly files: readonly string[];
  /** With its real port; stands for {issuer}. */
  readonly issuer: string;
  readonly identity: Pick<Identity, 'stores' | 'secrets' | 'hasher' | 'clock' | 'access'>;
  readonly log: Log;
  /** Demo files are refused in production: their passwords are published. Default: false. */
  readonly production?: boolean;
}

/** Resolves when every file is loaded, by this process or by another. Throws SeedError. */
export async function loadSeeds(options: LoadSeedsOptions): Promise<void> {
  for (const name of options.files) {
    const file = readSeed(name);
    refuseDemo(file, options.production ?? false);
    await loadOnce(options, file);
  }
}

export function refuseDemo(file: SeedFile, production: boolean): void {
  if (!file.seed.demo || !production) return;
  const message = 'is refused in production: its passwords are published';
  throw new SeedError(file.file, [{ path: 'demo', message }]);
}

/** The fact that tells that this content was loaded. URIs with {issuer} are other ones under another issuer. */
export function loadedFact(file: SeedFile, issuer: string): string {
  return file.namesIssuer ? `seed:${file.hash}:${issuer}` : `seed:${file.hash}`;
}

async function loadOnce({ identity, issuer, log }: LoadSeedsOptions, file: SeedFile): Promise<void> {
  const { stores, secrets, hasher, clock, access } = identity;
  const fact = loadedFact(file, issuer);
  const owner = randomUUID();
  while ((await stores.facts.get(fact)) === undefined) {
    const now = clock.now();
    if (!(await stores.claims.claim(fact, owner, now, new Date(now.getTime() + CLAIM)))) {
      await pause(100);
      continue;
    }
    try {
      const options = { stores, secrets, hasher, clock, access, issuer, overwritePasswords: false };
      const report = await applySeed(options, file);
      await stores.facts.set(fact, clock.now().toISOString());
      log.info({ file: file.file, accounts: report.accounts.create }, 'seed file loaded');
    } finally {
      await stores.claims.release(fact, owner);
    }
  }
}

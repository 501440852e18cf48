/** A store of its own in a temporary folder, and the seed files that a test writes beside it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { configSchema } from '../../src/config/schema.ts';
import { secretsFrom } from '../../src/core/crypto.ts';
import { createPasswordHasher } from '../../src/identity/passwords/hasher.ts';
import { createLog } from '../../src/observe/log.ts';
import {
  applySeed,
  planFile,
  reportOf,
  type SeedOptions,
  type SeedReport,
} from '../../src/seed/apply-seed.ts';
import { readSeed } from '../../src/seed/read-seed.ts';
import { type OperatorTools, openForOperator } from '../../src/server/server.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';

export const ISSUER = 'https://id.example';
export const log = createLog({ level: 'silent' });

export interface TestWorld {
  readonly folder: string;
  readonly stores: Stores;
  readonly options: SeedOptions;
  /** Accounts whose access was ended. */
  readonly ended: string[];
  /** Moves the clock. */
  now: Date;
  write(content: string, name?: string): string;
  seed(file: string, more?: Partial<SeedOptions>): Promise<SeedReport>;
  plan(file: string, more?: Partial<SeedOptions>): Promise<SeedReport>;
  /** Everything that seeds write. */
  dump(): Promise<unknown>;
  close(): Promise<void>;
}

export async function openWorld(): Promise<TestWorld> {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-seed-'));
  const config = configSchema.parse({
    store: { embedded: { file: path.join(folder, 'portico.db') } },
    keys: { encryption: Buffer.alloc(32, 7).toString('base64') },
  });
  const stores = await openStores(config.store, { log });
  await stores.migrate();
  const ended: string[] = [];
  let tools: Promise<OperatorTools> | undefined;
  const open = () => {
    tools ??= openForOperator(config, { log });
    return tools;
  };
  const world: TestWorld = {
    folder,
    stores,
    ended,
    now: new Date('2030-05-01T08:00:00.000Z'),
    options: {
      stores,
      secrets: secretsFrom(Buffer.alloc(32, 7)),
      hasher: createPasswordHasher({ queue: 256 }),
      clock: { now: () => world.now },
      issuer: ISSUER,
      judgeClient: async (client) => (await open()).oidc.judgeClient(client),
      resources: [],
      upstreams: ['google', 'apple'],
      overwritePasswords: false,
      access: { endAll: async (id) => void ended.push(id) },
    },
    write(content, name = 'seed.yaml') {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      return file;
    },
    seed: (file, more) => applySeed({ ...world.options, ...more }, readSeed(file)),
    plan: async (file, more) => reportOf(await planFile({ ...world.options, ...more }, readSeed(file))),
    dump: () => dump(stores),
    async close() {
      await (await tools)?.close();
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

async function dump(stores: Stores): Promise<unknown> {
  const organizations = await stores.organizations.list();
  const deps = await Promise.all(
    organizations.map(async ({ id }) => {
      const accounts = await stores.accounts.page(id, { limit: 1000 });
      const links = await Promise.all(accounts.map((account) => stores.identities.listByAccount(account.id)));
      return { id, accounts, links, keys: await stores.apiKeys.listByOrganization(id) };
    }),
  );
  return { organizations, parts: deps, apis: await stores.apis.list(), clients: await stores.clients.list() };
}

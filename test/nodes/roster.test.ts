/** One roster, loaded by two processes' worth of stores at once, on MongoDB and Redis. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { systemClock } from '../../src/core/clock.ts';
import { secretsFrom } from '../../src/core/crypto.ts';
import { markGone } from '../../src/identity/accounts/gone-people.ts';
import { hasCompleteRoster } from '../../src/identity/legacy/complete-rosters.ts';
import { NO_LEGACY_SYSTEMS } from '../../src/identity/legacy-systems.ts';
import { createPasswordHasher } from '../../src/identity/passwords/hasher.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { importPeople, type PeopleImport } from '../../src/transfer/import-people.ts';
import { sharedServers } from '../support/servers.ts';

const PEOPLE = 200;

describe('a roster at several nodes', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-roster-'));
  const file = path.join(folder, 'people.ndjson');
  const secrets = secretsFrom(Buffer.alloc(32, 7));
  let nodes: Stores[] = [];

  before(async function () {
    const servers = await sharedServers();
    if (!servers) return this.skip();
    const rows = Array.from({ length: PEOPLE }, (_, place) =>
      JSON.stringify({ vendor_id: `v-${place}`, email: `p${place}@x.test`, email_verified: true }),
    );
    // Twice the same person, and the second one's address once more.
    writeFileSync(file, [...rows, rows[0], JSON.stringify({ email: 'p1@x.test' })].join('\n'));
    const config = {
      kind: 'distributed' as const,
      ...{ startupTimeout: 30, embedded: { file: 'unused' } },
      mongo: { url: servers.mongo.url, database: `portico-${randomUUID()}` },
      redis: { url: servers.redis.url },
    };
    nodes = await Promise.all([0, 1].map(() => openStores(config, { log: pino({ level: 'silent' }) })));
    for (const stores of nodes) await stores.migrate();
  });
  after(async () => {
    await Promise.all(nodes.map((stores) => stores.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  const load = (stores: Stores, more: Partial<PeopleImport> = {}) =>
    importPeople({
      ...{ stores, secrets, clock: systemClock, hasher: createPasswordHasher({ queue: 1 }), isLazy: false },
      ...{ source: { file, format: 'ndjson' }, organization: 'default', dialect: 'visitnote', isAsked: true },
      ...{
        roster: true,
        overwritePasswords: false,
        addressesVerified: false,
        dryRun: false,
        complete: false,
      },
      ...{
        resume: false,
        maxRejects: 2,
        endAccess: async () => {},
        audit: async () => {},
        progress: () => {},
      },
      ...more,
    });

  it('makes one account of each person, and the roster is complete for every node', async () => {
    const [one, two] = nodes;
    if (one === undefined || two === undefined) throw new Error('There are two nodes.');
    const counts = await Promise.all([load(one), load(two)]);
    const sum = (name: 'created' | 'updated' | 'kept') => counts.reduce((all, each) => all + each[name], 0);
    expect(sum('created')).to.equal(PEOPLE);
    expect(sum('updated')).to.equal(0);
    expect(sum('kept')).to.equal(PEOPLE);
    const again = await load(two, { complete: true });
    expect(again).to.include({ created: 0, updated: 0, kept: PEOPLE, duplicate: 2 });
    const where = { organization: 'default', dialect: 'visitnote' };
    expect(await hasCompleteRoster(one.metadata, where)).to.equal(true);
    expect(await hasCompleteRoster(one.metadata, { ...where, dialect: 'vsee' })).to.equal(false);
  });

  it('M8 makes no account again of a person whom another node deleted', async () => {
    const [one, two] = nodes;
    const account = await one?.accounts.byAlias('visitnote', 'v-7');
    if (one === undefined || two === undefined || account === undefined) throw new Error('There is no v-7.');
    await markGone({ stores: one, secrets, clock: systemClock, legacy: NO_LEGACY_SYSTEMS }, account);
    await one.accounts.remove(account.id);
    expect(await load(two, { maxRejects: 3 })).to.include({ created: 0, gone: 1 });
  });
});

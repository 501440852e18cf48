/**
 * Issue, use, refresh and revoke, over and over, and count what is left: after the sweep every store and the
 * process itself must be as small as after the first round. Half of the sign-ins are revoked, half are left
 * to expire. Fails when something grew by more than two per cent.
 *
 *   npm run bench:soak -- --store embedded --cycles 1000000
 *   npm run bench:soak -- --store redis --cycles 1000000
 *   npm run bench:soak -- --store distributed --cycles 100000
 *
 * `redis` has all tokens and grants in Redis and only the rest in a file, so that Redis is what works.
 * `distributed` is what runs in production. Both take MONGODB_URL and REDIS_URL, or start servers of their own
 * (test/support/servers.ts).
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { configSchema } from '../../src/config/schema.ts';
import { randomText } from '../../src/core/crypto.ts';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { createLog } from '../../src/observe/log.ts';
import type { AccessInput, GrantIssuer } from '../../src/oidc/grant-contract.ts';
import { startServer } from '../../src/server/server.ts';
import { GROUND, openSoakStore, type SoakStore } from './stores.ts';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'embedded' },
    /** Sign-ins in all, each refreshed once. */
    cycles: { type: 'string', default: '100000' },
    /** Counts are taken after each. */
    rounds: { type: 'string', default: '5' },
  },
});

const CLIENT = 'soak';
/** Cycles at a time. */
const WIDTH = 32;
/** Seconds: longer than a cycle takes, and soon over. */
const SHORT = 30;
/** Seconds: such access tokens lie beside their grants. */
const LONG = 86_400;
const RESIDENT = 'MB resident';
/** Growth that is allowed from the first round to the last. */
const ALLOWED = 0.02;

const HEX = { alphabet: '0123456789abcdef', length: 32 };

function access(lifetime: number): AccessInput {
  return { value: randomText(HEX), lifetime, audience: 'soak', claims: { cycle: true } };
}

async function cycle(grants: GrantIssuer, number: number): Promise<void> {
  const revoked = number % 2 === 0;
  const lifetime = revoked && number % 4 === 0 ? LONG : SHORT;
  const first = await patiently(() =>
    grants.issue({
      ...{ clientId: CLIENT, accountId: `account-${number % 1000}`, organization: 'default' },
      ...{ scope: 'openid', amr: ['pwd'] },
      access: access(lifetime),
      refresh: { value: randomText(HEX), lifetime: revoked ? LONG : SHORT },
    }),
  );
  if (!(await grants.findAccess(first.access.value, CLIENT)) || !first.refresh)
    throw new Error('It is dead.');
  const used = first.refresh.value;
  const second = await patiently(() =>
    grants.rotate({
      ...{ token: used, clientId: CLIENT, arrivedAt: new Date(), reuse: 'replay', leeway: 1 },
      prepare: async () => ({
        access: access(lifetime),
        refresh: { value: randomText(HEX), lifetime: revoked ? LONG : SHORT },
      }),
    }),
  );
  if (!second) throw new Error('The refresh was refused.');
  if (!revoked) return;
  await patiently(() => grants.endGrant(first.grantId));
  if (await grants.findAccess(second.access.value, CLIENT)) throw new Error('It lives after its end.');
}

/** Comes again when it is told to, as a client does. */
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || tries === 10) throw error;
      await sleep(500);
    }
  }
}

async function run(grants: GrantIssuer, from: number, to: number): Promise<void> {
  let next = from;
  const worker = async () => {
    while (next < to) {
      const number = next;
      next += 1;
      await cycle(grants, number);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}

interface Figures {
  readonly [what: string]: number;
}

async function figures(store: SoakStore): Promise<Figures> {
  for (let i = 0; i < 3; i += 1) {
    global.gc?.();
    await sleep(50);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  const [memory, resident] = [heapUsed + external, rss].map((bytes) => bytes / 2 ** 20);
  return { ...(await store.counts()), 'MB in use': memory ?? 0, [RESIDENT]: resident ?? 0 };
}

/**
 * What grew by more than is allowed since the first round. Resident memory is what the busiest moment so far
 * took of the system, and most of it is kept: it must stop growing, so the last two rounds are compared.
 */
function grown(taken: readonly Figures[]): string[] {
  const [first = {}, last = {}] = [taken[0], taken.at(-1)];
  const since = (what: string) => (what === RESIDENT ? (taken.at(-2) ?? first) : first)[what] ?? 0;
  return Object.entries(last)
    .filter(([what, size]) => size > since(what) * (1 + ALLOWED) + slack(what))
    .map(([what, size]) => `${what}: ${round(since(what))} -> ${round(size)}`);
}

/** Small counts may move by a few, and a collector may keep some megabytes more or less. */
function slack(what: string): number {
  if (what === 'MB in Redis') return 1;
  return what === 'MB in use' ? 4 : 10;
}

const round = (size: number) => Math.round(size * 10) / 10;

async function main(): Promise<void> {
  const cycles = Number(values.cycles);
  const rounds = Number(values.rounds);
  const store = await openSoakStore(values.store);
  const config = configSchema.parse({ ...GROUND, store: store.config });
  const { stores } = store;
  const server = await startServer(config, { log: createLog({ level: 'error' }), ...(stores && { stores }) });
  const taken: Figures[] = [];
  try {
    for (let done = 0; done < rounds; done += 1) {
      const begun = performance.now();
      await run(server.oidc.grants, (cycles / rounds) * done, (cycles / rounds) * (done + 1));
      const perSecond = cycles / rounds / ((performance.now() - begun) / 1000);
      // As two days later: by then all that was not revoked has expired.
      await server.stores.sweep(new Date(Date.now() + 2 * LONG * 1000));
      await store.forgotten();
      const now = await figures(store);
      taken.push(now);
      const said = Object.entries(now).map(([what, size]) => `${what} ${round(size)}`);
      console.log(
        `${(cycles / rounds) * (done + 1)} cycles (${Math.round(perSecond)}/s): ${said.join(', ')}`,
      );
    }
  } finally {
    await server.close();
    await store.close();
    if (store.folder) rmSync(store.folder, { recursive: true, force: true });
  }
  const issues = grown(taken);
  console.log(issues.length === 0 ? 'Nothing grew.' : `Grew: ${issues.join('; ')}`);
  process.exit(issues.length === 0 ? 0 : 1);
}

await main();

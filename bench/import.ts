/**
 * How fast `portico import` is beside the store alone: people with bcrypt hashes into an embedded store, in a process
 * of its own whose memory is watched. `node bench/import.ts 1000000` prints both rates and the most memory; it exits
 * with 1 where the import is slower than half the store, takes more than 250 MB, or changes something when it is
 * repeated.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { inTurn } from '../src/core/in-turn.ts';
import { newAccount } from '../src/seed/records.ts';
import { openStores } from '../src/store/open-stores.ts';
import { openTerminal } from '../test/cli/run-portico.ts';
import { embeddedConfig } from '../test/store/embedded-config.ts';

const PEOPLE = Number(process.argv[2] ?? 200_000);
/** Accounts a round of the store alone. */
const ALONE = 20_000;
const AT_ONCE = 256;

const rowOf = (place: number) => ({
  vendor_id: `v-${place}`,
  email: `person${place}@clinic.example`,
  email_verified: true,
  ...{ given_name: 'Ada', family_name: `Lindgren ${place}`, roles: ['therapist'] },
  password_hash: `$2b$10$${randomBytes(40).toString('base64').replaceAll(/[+=]/g, '.').slice(0, 53)}`,
  vendor: { visitnote: { discipline: 'PT' } },
});

async function writePeople(file: string): Promise<void> {
  const to = createWriteStream(file);
  for (let place = 0; place < PEOPLE; place += 1)
    if (!to.write(`${JSON.stringify(rowOf(place))}\n`)) await once(to, 'drain');
  to.end();
  await once(to, 'close');
}

/** Accounts a second of the store alone. */
async function aloneRate(folder: string): Promise<number> {
  const stores = await openStores(embeddedConfig(path.join(folder, 'alone.db')), {
    log: pino({ level: 'silent' }),
  });
  await stores.migrate();
  const accounts = Array.from({ length: ALONE }, () => {
    const { vendor_id: id, password_hash: passwordHash, ...row } = rowOf(Math.floor(Math.random() * 1e12));
    const seed = { ...row, organization: 'default', aliases: { visitnote: id } };
    return { ...newAccount(seed, new Date()), passwordHash };
  });
  const begun = performance.now();
  await inTurn(accounts, AT_ONCE, (account) => stores.accounts.insert(account));
  const rate = (1000 * ALONE) / (performance.now() - begun);
  await stores.close();
  return rate;
}

/** The most memory that a process had, in MB. */
function mostMemory(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  } catch {
    return 0;
  }
}

const terminal = openTerminal({ dialects: { visitnote: { enabled: true } } });
const folder = mkdtempSync(path.join(tmpdir(), 'portico-bench-import-'));
const file = path.join(folder, 'people.ndjson');
try {
  await writePeople(file);
  await terminal.run(['organization', 'create', 'default']);
  const before = await aloneRate(folder);
  const [first, second] = [await load(), await load()];
  const after = await aloneRate(folder);
  const alone = (before + after) / 2;
  const ratio = first.rate / alone;
  console.log(`the store alone, ${AT_ONCE} at once: ${before.toFixed()} and ${after.toFixed()} accounts/s`);
  console.log(`import of ${PEOPLE}: ${first.rate.toFixed()} rows/s, ${ratio.toFixed(2)} of the store alone`);
  console.log(`again: ${second.rate.toFixed()} rows/s, ${second.said}`);
  console.log(`memory at most: ${Math.max(first.memory, second.memory).toFixed()} MB`);
  const isSame = second.said.includes(`0 updated, ${PEOPLE} left as they are`);
  if (ratio < 0.5 || Math.max(first.memory, second.memory) > 250 || !isSame) process.exitCode = 1;
} finally {
  terminal.close();
  rmSync(folder, { recursive: true });
}

async function load() {
  const begun = performance.now();
  const to = ['--organization', 'default', '--dialect', 'visitnote'];
  const { child, output } = terminal.spawn(['import', file, ...to]);
  let memory = 0;
  const watch = setInterval(() => {
    memory = Math.max(memory, mostMemory(child.pid ?? 0));
  }, 50);
  await once(child, 'close');
  clearInterval(watch);
  const said =
    output()
      .split('\n')
      .find((line) => line.includes(' left as they are')) ?? output();
  return { rate: (1000 * PEOPLE) / (performance.now() - begun), memory, said };
}

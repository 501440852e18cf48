/**
 * How fast `portico import` is beside the store alone: people with bcrypt hashes into an embedded store, in a process
 * of its own whose memory is watched. `node bench/import.ts 1000000` prints both rates and the most memory; it exits
 * with 1 where the import is slower than half the store, takes more than 250 MB, or changes something when it is
 * repeated.
 */

import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import path from 'node:path';
import { pino } from 'pino';
import { inTurn } from '../src/core/in-turn.ts';
import { newAccount } from '../src/seed/records.ts';
import { openStores } from '../src/store/open-stores.ts';
import { openTerminal, type Terminal } from '../test/cli/run-portico.ts';
import { embeddedConfig } from '../test/store/embedded-config.ts';

const PEOPLE = Number(process.argv[2] ?? 200_000);
const ROUND = 20_000;
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

/** The store alone, in a process of its own: as many accounts, from the same rows. */
async function fillAlone(file: string): Promise<void> {
  const stores = await openStores(embeddedConfig(file), { log: pino({ level: 'silent' }) });
  await stores.migrate();
  for (let done = 0; done < PEOPLE; done += ROUND) {
    const accounts = Array.from({ length: Math.min(ROUND, PEOPLE - done) }, (_, at) => {
      const { vendor_id: id, password_hash: passwordHash, ...row } = rowOf(done + at);
      const seed = { ...row, organization: 'default', aliases: { visitnote: id } };
      return { ...newAccount(seed, new Date()), passwordHash };
    });
    await inTurn(accounts, AT_ONCE, (account) => stores.accounts.insert(account));
  }
  await stores.close();
}

interface Run {
  readonly seconds: number;
  /** Of the process, on all cores. */
  readonly cpu: number;
  /** The most memory that it had, in MB. */
  readonly memory: number;
  readonly said: string;
}

/** Watches a process until it ends. */
async function watched({ child, output }: ReturnType<Terminal['spawn']>): Promise<Run> {
  const begun = performance.now();
  let [memory, cpu] = [0, 0];
  const watch = setInterval(() => {
    [memory, cpu] = figuresOf(child.pid ?? 0) ?? [memory, cpu];
  }, 50);
  const [code] = await once(child, 'close');
  clearInterval(watch);
  if (code !== 0) throw new Error(output());
  return { seconds: (performance.now() - begun) / 1000, cpu, memory, said: output() };
}

/** Memory at most, in MB, and seconds of CPU until now. */
function figuresOf(pid: number): [number, number] | undefined {
  try {
    const most = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    const [user, system] =
      readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
    return most === undefined ? undefined : [Number(most) / 1024, (Number(user) + Number(system)) / 100];
  } catch {
    return undefined;
  }
}

const tell = (what: string, { seconds, cpu, memory }: Run) =>
  console.log(
    `${what}: ${(PEOPLE / seconds).toFixed()} rows/s, ${(PEOPLE / cpu).toFixed()} a CPU-second, ${memory.toFixed()} MB at most`,
  );

async function compare(): Promise<void> {
  const terminal = openTerminal({ dialects: { visitnote: { enabled: true } } });
  const file = path.join(terminal.folder, 'people.ndjson');
  try {
    await writePeople(file);
    await terminal.run(['organization', 'create', 'default']);
    const begin = () => {
      const child = fork(import.meta.filename, [String(PEOPLE), path.join(terminal.folder, 'alone.db')], {
        silent: true,
      });
      return watched({ child, output: () => '' });
    };
    const load = () =>
      watched(terminal.spawn(['import', file, '--organization', 'default', '--dialect', 'visitnote']));
    const alone = await begin();
    tell(`the store alone, ${AT_ONCE} at once`, alone);
    const first = await load();
    tell(`import of ${PEOPLE}`, first);
    const again = await load();
    tell('again', again);
    const ratio = alone.seconds / first.seconds;
    const isSame = again.said.includes(`0 updated, ${PEOPLE} left as they are`);
    console.log(
      `import / store alone: ${ratio.toFixed(2)}; the second import changes ${isSame ? 'nothing' : 'something'}`,
    );
    if (ratio < 0.5 || Math.max(first.memory, again.memory) > 250 || !isSame) process.exitCode = 1;
  } finally {
    terminal.close();
  }
}

const [, , , store] = process.argv;
await (store === undefined ? compare() : fillAlone(store));

/**
 * The server key is changed under load, on two nodes with one SQLite file and a million records; the node that
 * encrypts everything anew is killed in the middle.
 * `node bench/server-key.ts [records] [folder]`; on a disk that other work keeps busy, a folder in memory.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { parse, stringify } from 'yaml';
import { secretsFrom } from '../src/core/crypto.ts';
import { isFull, type KeyRecord, readKeyRecord } from '../src/keys/key-record.ts';
import { countByKey } from '../src/keys/re-encryption.ts';
import { openStores } from '../src/store/open-stores.ts';
import { startLoad } from '../test/faults/load.ts';
import { fill } from '../test/keys/filled.ts';
import { bytesOf, newKey } from '../test/keys/rotating-server.ts';
import { startNodes } from '../test/support/nodes.ts';

const RECORDS = Number(process.argv[2] ?? 1_000_000);
const CLIENTS = 6;
const folder = mkdtempSync(path.join(process.argv[3] ?? tmpdir(), 'portico-bench-'));
const store = { kind: 'embedded', embedded: { file: path.join(folder, 'portico.db') } } as const;
const begun = performance.now();
const say = (text: string) =>
  process.stdout.write(`${Math.round((performance.now() - begun) / 1000)} s: ${text}\n`);

const nodes = await startNodes({ stores: { mongo: '', redis: '' }, config: { store } });
const stores = await openStores(
  { ...parse('{mongo: {}, redis: {}}'), startupTimeout: 30, ...store },
  {
    log: pino({ level: 'silent' }),
  },
);
const [first, second] = [nodes.key, newKey()];
await fill(stores, { key: first, count: RECORDS });
say(`${RECORDS} records are there`);

const record = async (): Promise<KeyRecord> => {
  const present = await readKeyRecord(stores.metadata);
  if (present === undefined) throw new Error('There is no record of the keys.');
  return present;
};
const until = async (wanted: (record: KeyRecord) => boolean) => {
  for (let said = 0; ; await sleep(200)) {
    const present = await record();
    if (wanted(present)) return present;
    if (performance.now() - said < 15_000) continue;
    said = performance.now();
    const { tally } = load;
    say(
      `${present.pass?.read ?? 0} read; ${tally.requests} requests, failed: ${JSON.stringify(tally.failures)}`,
    );
  }
};
const rollTo = async (keys: Record<string, unknown>) => {
  writeFileSync(nodes.file, stringify({ ...parse(readFileSync(nodes.file, 'utf8')), keys }));
  for (const node of nodes.nodes) {
    await node.end('SIGTERM');
    await node.start();
  }
};
const figures = () => {
  const { requests, failures, wrong, slowest, refreshes } = load.tally;
  return `${requests} requests, ${failures.length} failed, ${wrong.length} wrong, ${refreshes} refreshes, slowest ${Math.round(slowest)} ms`;
};

const load = await startLoad(nodes.url, { clients: CLIENTS });
await rollTo({ encryption: first, decryption: [second] });
await rollTo({ encryption: second, decryption: [first] });
say('both nodes encrypt with the new key');
const broken = await until(({ pass }) => pass !== undefined && pass.read > RECORDS / 3);
const before = figures();
const worker = nodes.nodes.find((node) =>
  node.output().includes('re-encryption under the new server key begins'),
);
await worker?.end('SIGKILL');
say(`killed the node at ${broken.pass?.read} records; before it ${before}`);
await worker?.start();
const after = await until(({ server }) => server.filter(isFull).length === 1);
say(
  `finished: ${after.pass?.read} read, ${after.pass?.renewed} encrypted anew, begun ${after.pass?.startedAt}`,
);
await rollTo({ encryption: second });
say(`the old key is gone; ${figures()}`);
say(`failed: ${JSON.stringify(load.tally.failures)}`);
await load.stop();
const { lost, doubled, undead } = await load.audit();
say(`tokens lost ${lost.length}, doubled ${doubled.length}, undead ${undead.length}`);
const secrets = secretsFrom(bytesOf(first), { others: [bytesOf(second)] });
say(`by key: ${JSON.stringify(await countByKey({ stores, secrets }, () => {}))} (${secrets.ids.join(', ')})`);
await stores.close();
await nodes.close();
rmSync(folder, { recursive: true, force: true });
process.exit();

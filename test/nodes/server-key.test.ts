import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { parse, stringify } from 'yaml';
import { secretsFrom } from '../../src/core/crypto.ts';
import { isFull, readKeyRecord } from '../../src/keys/key-record.ts';
import { countByKey } from '../../src/keys/re-encryption.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { report, startLoad } from '../faults/load.ts';
import { fill } from '../keys/filled.ts';
import { bytesOf, newKey } from '../keys/rotating-server.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { sharedServers, startRedis, type TestServer } from '../support/servers.ts';
import { oidcAgain, oidcSignIn } from './calls.ts';

/** The long form: KEY_RECORDS=1000000. */
const RECORDS = Number(process.env.KEY_RECORDS ?? 3000);
const LONG = process.env.KEY_RECORDS !== undefined;
const CLIENTS = 4;

describe('two nodes under load, when the server key is changed', function () {
  this.timeout(120_000 + RECORDS);
  let nodes: Nodes;
  let stores: Stores;
  let redis: TestServer | undefined;
  before(async function () {
    this.timeout(300_000 + RECORDS);
    const servers = await sharedServers();
    if (!servers) return this.skip();
    // What other tests have left in theirs opens under none of these keys.
    redis = await startRedis({ own: true });
    nodes = await startNodes({ stores: { mongo: servers.mongo.url, redis: redis.url } });
    const { store } = parse(readFileSync(nodes.file, 'utf8'));
    stores = await openStores(
      { startupTimeout: 30, embedded: { file: '' }, ...store },
      { log: pino({ level: 'silent' }) },
    );
    // MongoDB's stand-in takes ten milliseconds for each change.
    await fill(stores, { key: nodes.key, count: RECORDS, lasting: 20 });
  });
  after(async () => {
    await stores?.close();
    await nodes?.close();
    await redis?.stop();
  });

  const configure = (keys: Record<string, unknown>) =>
    writeFileSync(nodes.file, stringify({ ...parse(readFileSync(nodes.file, 'utf8')), keys }));

  /** A node after the other. */
  const rollTo = async (keys: Record<string, unknown>) => {
    configure(keys);
    for (const node of nodes.nodes) {
      await node.end('SIGTERM');
      await node.start();
    }
  };

  it('KEY6 no request fails, no browser is signed out, and both stores are free of the old key', async () => {
    const [first, second] = [nodes.key, newKey()];
    const line = await oidcSignIn(nodes.issuer);
    const load = await startLoad(nodes.url, { clients: CLIENTS });
    const begun = performance.now();

    await rollTo({ encryption: first, decryption: [second] });
    await rollTo({ encryption: second, decryption: [first] });
    const rolled = performance.now();
    while ((await readKeyRecord(stores.metadata))?.server.filter(isFull).length !== 1) {
      if (performance.now() - rolled > 60_000 + RECORDS)
        expect.fail(JSON.stringify(await readKeyRecord(stores.metadata)));
      await sleep(100);
    }
    const emptied = performance.now();
    const secrets = secretsFrom(bytesOf(first), { others: [bytesOf(second)] });
    const [old = '', fresh = ''] = secrets.ids;
    const counted = await countByKey({ stores, secrets }, () => {});
    await oidcAgain(line);
    // One node without it is enough: the next request lands there.
    configure({ encryption: second });
    await nodes.nodes[0]?.end('SIGTERM');
    await nodes.nodes[0]?.start();
    await oidcAgain(line);
    await load.stop();
    const { tally } = load;
    report('KEY6', {
      records: RECORDS,
      requests: tally.requests,
      failed: tally.failedAt.length,
      'seconds of the re-encryption': Math.round((emptied - rolled) / 1000),
      'seconds in all': Math.round((performance.now() - begun) / 1000),
    });
    expect(counted.byKey[old]).to.equal(0);
    expect(counted.byKey[fresh]).to.be.at.least(RECORDS);
    expect(counted.unreadable).to.equal(0);
    expect(tally.wrong).to.deep.equal([]);
    expect(tally.failures, 'failed requests').to.deep.equal([]);
    expect(tally.refreshes).to.be.greaterThan(CLIENTS);
    expect(await load.audit()).to.deep.include({ lost: [], doubled: [], undead: [] });
    if (LONG) expect(counted.byKey[fresh]).to.be.at.least(1_000_000);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { systemClock } from '../../src/core/clock.ts';
import { secretsFrom } from '../../src/core/crypto.ts';
import { type Pass, readKeyRecord } from '../../src/keys/key-record.ts';
import { countByKey, type ReEncryption, reEncrypt } from '../../src/keys/re-encryption.ts';
import { openKeys } from '../../src/keys/server-keys.ts';
import { copyStore } from '../../src/store/copy/copy-store.ts';
import { openStoreDump, openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { send } from '../nodes/calls.ts';
import { embeddedConfig } from '../store/embedded-config.ts';
import { testConfig } from '../support/server.ts';
import { fill } from './filled.ts';
import { bytesOf, FIRST, newKey, openRotating, vacuum } from './rotating-server.ts';

describe('the re-encryption', function () {
  this.timeout(60_000);
  const log = pino({ level: 'silent' });
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-keys-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const COUNT = 600;
  const second = newKey();
  const [old = '', fresh = ''] = secretsFrom(bytesOf(FIRST), { others: [bytesOf(second)] }).ids;
  let made = 0;

  const openFilled = async (): Promise<Stores> => {
    made += 1;
    const stores = await openStores(embeddedConfig(path.join(folder, `${made}.db`)), { log });
    await stores.migrate();
    await open(stores, FIRST);
    await fill(stores, { key: FIRST, count: COUNT });
    return stores;
  };
  const open = (stores: Stores, encryption: string, ...decryption: string[]) =>
    openKeys({ config: testConfig({ keys: { encryption, decryption } }), stores, clock: systemClock });
  const work = async (stores: Stores, over: Partial<ReEncryption> = {}) => {
    const { secrets } = await open(stores, second, FIRST);
    const stopped = new AbortController().signal;
    const rest = { clock: systemClock, log, store: 'embedded', rest: 0, progress: () => {}, stopped };
    return reEncrypt({ ...rest, stores, secrets, ...over });
  };
  const count = async (stores: Stores) => {
    const secrets = secretsFrom(bytesOf(second), { others: [bytesOf(FIRST)] });
    return countByKey({ stores, secrets }, () => {});
  };
  const isEmpty = async (stores: Stores) =>
    (await readKeyRecord(stores.metadata))?.server.find(({ id }) => id === old)?.emptySince !== undefined;

  it('KEY11 counts only when no process encrypted with the old key from its start to its end', async () => {
    const stores = await openFilled();
    let came: Promise<unknown> | undefined;
    const progress = ({ read }: Pass) => {
      if (read < COUNT) came ??= open(stores, FIRST, second);
    };
    expect(await work(stores, { progress })).to.equal('mixed');
    await came;
    expect(await isEmpty(stores)).to.equal(false);
    // What it wrote: behind the place that had been read.
    await fill(stores, { key: FIRST, count: 1 });
    expect((await count(stores)).byKey[old]).to.be.at.least(1);
    expect(await work(stores)).to.equal('finished');
    expect(await isEmpty(stores)).to.equal(true);
    expect(await count(stores)).to.deep.equal({ byKey: { [fresh]: COUNT + 1, [old]: 0 }, unreadable: 0 });
    expect(await work(stores)).to.equal('nothing');
    await stores.close();
  });

  it('KEY11 waits while a node that serves encrypts with another key', async () => {
    const stores = await openFilled();
    const node = await open(stores, FIRST, second);
    await node.serve();
    expect(await work(stores)).to.equal('mixed');
    expect((await count(stores)).byKey[fresh]).to.equal(0);
    await node.leave();
    expect(await work(stores)).to.equal('finished');
    await stores.close();
  });

  it('KEY11 is done by one process at a time, and stops where it is told to', async () => {
    const stores = await openFilled();
    const stop = new AbortController();
    let other: Promise<unknown> | undefined;
    const outcome = await work(stores, {
      stopped: stop.signal,
      progress: () => {
        other ??= work(stores).finally(() => stop.abort());
      },
      rest: 5,
    });
    expect(await other).to.equal('elsewhere');
    expect(['stopped', 'finished']).to.include(outcome);
    if (outcome === 'stopped') expect(await work(stores)).to.equal('finished');
    expect((await count(stores)).byKey[old]).to.equal(0);
    await stores.close();
  });

  it('KEY11 leaves what no key opens as it is, and says how much that is', async () => {
    const stores = await openFilled();
    await fill(stores, { key: newKey(), count: 1 });
    let unreadable = 0;
    const progress = (pass: Pass) => {
      unreadable = pass.unreadable;
    };
    expect(await work(stores, { progress })).to.equal('finished');
    expect(unreadable).to.equal(1);
    expect(await count(stores)).to.deep.equal({ byKey: { [fresh]: COUNT + 1, [old]: 0 }, unreadable: 1 });
    await stores.close();
  });

  it('KEY12 goes over with a copy of the store, where it begins anew', async () => {
    const source = await openFilled();
    const stop = new AbortController();
    const progress = () => stop.abort();
    expect(await work(source, { stopped: stop.signal, progress })).to.equal('stopped');
    const noted = (await readKeyRecord(source.metadata))?.pass;
    expect(noted?.read).to.be.within(1, COUNT - 1);
    await source.close();
    const dump = await openStoreDump(embeddedConfig(path.join(folder, `${made}.db`)), { log });
    const target = await openStores(embeddedConfig(path.join(folder, `${made}-copy.db`)), { log });
    await target.migrate();
    const secrets = secretsFrom(bytesOf(second), { others: [bytesOf(FIRST)] });
    await copyStore({ source: dump, target, secrets, clock: systemClock, sample: 1, progress: () => {} });
    await dump.close();
    // The copy may lie in another back end, where a place in this one means nothing.
    expect(await work(target, { store: 'distributed' })).to.equal('finished');
    const { pass } = (await readKeyRecord(target.metadata)) ?? {};
    expect(pass?.startedAt).to.not.equal(noted?.startedAt);
    expect(await count(target)).to.deep.equal({ byKey: { [fresh]: COUNT + 1, [old]: 0 }, unreadable: 0 });
    // What is looked up is found under the names of before.
    const first = secretsFrom(bytesOf(FIRST)).hmac('artifact:RefreshToken', 'filled 0');
    expect(await target.oidcRecords.byId('RefreshToken', first, new Date())).to.include({ id: first });
    expect((await open(target, second)).secrets.hmac('artifact:RefreshToken', 'filled 0')).to.equal(first);
    await target.close();
  });

  it('KEY12 walks from the first record again when the file was vacuumed in between, which may move them', async () => {
    const stores = await openFilled();
    const first = await stores.oidcRecords.payloads({ limit: 200 });
    const second = await stores.oidcRecords.payloads({ after: first.next, limit: 200 });
    expect(second.payloads.map(({ id }) => id)).to.not.include(first.payloads[0]?.id);
    // Reads of one callback see one state of the file.
    await setImmediate();
    vacuum(path.join(folder, `${made}.db`));
    const again = await stores.oidcRecords.payloads({ after: second.next, limit: 200 });
    expect(again.payloads).to.deep.equal(first.payloads);
    await stores.close();
  });

  it('KEY11 a link of before the exchange is refused as an old one when the old key has left', async () => {
    const rotating = await openRotating();
    await rotating.restart({ encryption: FIRST });
    const headers = { organization: 'north_clinic' };
    await send(`${rotating.issuer}/patient/auth/forgot`, { headers, json: { email: 'lea@x.test' } });
    const { text } = await rotating.server.mail.take('lea@x.test');
    const token = /token=(rst_[A-Za-z0-9_-]{43})/.exec(text)?.[1];
    await rotating.restart({ encryption: FIRST, decryption: [second] });
    await rotating.restart({ encryption: second, decryption: [FIRST] });
    await rotating.emptied();
    await rotating.restart({ encryption: second });
    const password = 'Thistle-Quarry-Beacon-52';
    const reply = await send(`${rotating.issuer}/patient/auth/reset`, {
      headers,
      json: { token, password, newPassword: password },
    });
    expect(reply.status, reply.text).to.be.within(400, 499);
    await rotating.close();
  });
});

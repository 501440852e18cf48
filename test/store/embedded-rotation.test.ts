/** What the embedded store alone does at once: a refresh token used, its successors, and the reply under its lease. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { countOf, fresh, later, oidcRecordRecord, times } from '../conformance/stores/back-end.ts';
import { embeddedConfig } from './embedded-config.ts';

const kind = 'RefreshToken';

describe('a rotation in the embedded store', () => {
  let folder: string;
  let stores: Stores;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portico-rotation-'));
    stores = await openStores(embeddedConfig(join(folder, 'portico.db')), { log: pino({ level: 'silent' }) });
    await stores.migrate();
  });
  after(async () => {
    await stores.close();
    await rm(folder, { recursive: true });
  });

  async function prepare() {
    const now = new Date();
    const [key, owner, encrypted] = [fresh('key'), fresh('owner'), fresh('reply')];
    const record = () => oidcRecordRecord({ durable: true, expiresAt: later(now, 3_600_000) });
    const used = { kind, id: fresh('used') };
    await stores.oidcRecords.put(kind, used.id, record());
    const rotate = () => {
      const successor = { kind, id: fresh('next'), record: record() };
      const lease = { key, owner, encrypted, at: now, until: later(now, 15_000) };
      const rotated = stores.oidcRecords.rotate?.({ used, successors: [successor], lease });
      return { successor, rotated };
    };
    const find = (id: string) => stores.oidcRecords.byId(kind, id, now);
    return { now, key, encrypted, used, rotate, find };
  }

  it('T8 stores everything for one of many', async () => {
    const { now, key, encrypted, used, rotate, find } = await prepare();
    const tries = times(20, rotate);
    const outcomes = await Promise.all(tries.map(({ rotated }) => rotated));
    expect(countOf(outcomes, true)).to.equal(1);
    for (const [at, { successor }] of tries.entries()) {
      expect((await find(successor.id)) !== undefined).to.equal(outcomes[at]);
    }
    expect((await find(used.id))?.consumedAt).to.deep.equal(now);
    expect(await stores.leases.read(key, now)).to.deep.equal({ encrypted, at: now });
  });

  it('T8 changes nothing while another request has the lease', async () => {
    const { now, key, used, rotate, find } = await prepare();
    await stores.leases.acquire(key, 'another', now, later(now, 1000));
    const { successor, rotated } = rotate();
    expect(await rotated).to.equal(false);
    expect(await find(successor.id)).to.equal(undefined);
    expect(await find(used.id)).to.not.include.keys('consumedAt');
    expect(await stores.leases.read(key, now)).to.equal('claimed');
  });

  it('T8 takes the place of a lease that ran out', async () => {
    const { now, key, encrypted, rotate } = await prepare();
    await stores.leases.acquire(key, 'another', later(now, -2000), later(now, -1000));
    expect(await rotate().rotated).to.equal(true);
    expect(await stores.leases.read(key, now)).to.deep.equal({ encrypted, at: now });
  });

  for (const [what, end] of [
    ['was used before', (id: string) => stores.oidcRecords.consume(kind, id, new Date())],
    ['is gone', (id: string) => stores.oidcRecords.remove(kind, id)],
  ] as const) {
    it(`T8 changes nothing, and holds no lease, where the token ${what}`, async () => {
      const { now, key, used, rotate, find } = await prepare();
      expect(await end(used.id)).to.equal(true);
      const { successor, rotated } = rotate();
      expect(await rotated).to.equal(false);
      expect(await find(successor.id)).to.equal(undefined);
      expect(await stores.leases.read(key, now)).to.equal('free');
    });
  }
});

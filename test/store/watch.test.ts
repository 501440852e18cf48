/** Whether what was read from the embedded store is still so, as the store tells it without reading again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { pino } from 'pino';
import type { ReadSet } from '../../src/core/kept-answers.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { accountRecord, later, oidcRecordRecord } from '../conformance/stores/back-end.ts';
import { embeddedConfig } from './embedded-config.ts';

type Read = (stores: Stores) => Promise<unknown>;
type Write = (stores: Stores) => Promise<unknown>;

const now = new Date();
const kind = 'AccessToken';
const IDS = ['a', 'b', 'c'];

describe('what was read from the embedded store', () => {
  let folder: string;
  /** This process, and another one on the same file. */
  let [own, other]: Stores[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portico-watch-'));
    const open = () =>
      openStores(embeddedConfig(join(folder, 'portico.db')), { log: pino({ level: 'silent' }) });
    [own, other] = [await open(), await open()];
    await own.migrate();
  });
  afterEach(async () => {
    await Promise.all([own?.close(), other?.close()]);
    await rm(folder, { recursive: true });
  });

  async function look(...reads: readonly Read[]): Promise<{ seen: unknown; readSet: ReadSet }> {
    if (own?.watch === undefined) throw new Error('The embedded store watches.');
    const { result, readSet } = await own.watch.during(async () => {
      const seen = [];
      for (const read of reads) if (own) seen.push(await read(own));
      return seen;
    });
    if (readSet === undefined) throw new Error('It only read.');
    return { seen: result, readSet };
  }

  const token = (over = {}) => oidcRecordRecord({ expiresAt: later(now, 60_000), ...over });

  const READS: readonly Read[] = [
    ...IDS.flatMap((id): Read[] => [
      ({ accounts }) => accounts.byId(id),
      ({ accounts }) => accounts.byEmail('clinic', `${id}@x.test`),
      ({ accounts }) => accounts.byAlias('vsee', `alias-${id}`),
      ({ oidcRecords }) => oidcRecords.byId(kind, id, now),
      ({ oidcRecords }) => oidcRecords.listByGrant(kind, `grant-${id}`, now),
      ({ organizations }) => organizations.byId(id),
      ({ organizations }) => organizations.byHost(`${id}.test`),
    ]),
    ({ organizations }) => organizations.list(),
  ];

  function writes(random: <Item>(items: readonly Item[]) => Item, turn: number): readonly Write[] {
    const id = random(IDS);
    const record = (over = {}) => token({ grantId: `grant-${random(IDS)}`, payload: `p-${turn}`, ...over });
    const changed = async (stores: Stores, over: object) => {
      const account = await stores.accounts.byId(id);
      return account && stores.accounts.update({ ...account, ...over });
    };
    return [
      ({ oidcRecords }) => oidcRecords.put(kind, id, record()),
      ({ oidcRecords }) => oidcRecords.putAll(IDS.map((one) => ({ kind, id: one, record: record() }))),
      ({ oidcRecords }) => oidcRecords.consume(kind, id, now),
      ({ oidcRecords }) => oidcRecords.remove(kind, id),
      ({ oidcRecords }) => oidcRecords.removeByGrant(kind, `grant-${id}`),
      ({ oidcRecords }) => oidcRecords.removeByGrant(undefined, `grant-${id}`),
      async ({ oidcRecords }) => {
        const before = (await oidcRecords.byId(kind, id, now))?.payload;
        const change = before && { kind, id, payload: `again-${turn}`, before };
        return change && oidcRecords.replacePayloads([change]);
      },
      async ({ oidcRecords }) => {
        const lease = { key: `k-${turn}`, owner: 'o', encrypted: '', at: now, until: later(now, 1) };
        const successors = [{ kind, id: random(IDS), record: record() }];
        return oidcRecords.rotate?.({ used: { kind, id }, successors, lease });
      },
      ({ oidcRecords }) =>
        oidcRecords.redeem?.({
          used: { kind, id },
          successors: [{ kind, id: random(IDS), record: record() }],
          now,
        }) ?? Promise.resolve(),
      ({ accounts }) =>
        accounts.insert(accountRecord({ id, organization: 'clinic', email: `${id}@x.test`, aliases: {} })),
      (stores) => changed(stores, { claims: { name: `n-${turn}` } }),
      (stores) => changed(stores, { aliases: { vsee: `alias-${random(IDS)}` } }),
      (stores) => changed(stores, { email: `${random(IDS)}@x.test` }),
      ({ accounts }) => accounts.touch(id, later(now, turn)),
      ({ accounts }) => accounts.remove(id),
      ({ organizations }) => organizations.put({ ...ORGANIZATION, id, hosts: [`${random(IDS)}.test`] }),
      ({ organizations }) => organizations.put({ ...ORGANIZATION, id, hosts: [], name: `n-${turn}` }),
      (stores) => stores.sweep(now),
    ];
  }

  it('KA1 is never called current when it is not, whatever any process wrote', async function () {
    this.timeout(30_000);
    if (own === undefined || other === undefined) throw new Error('Both are open.');
    let seed = 7;
    const random = <Item>(items: readonly Item[]): Item => {
      seed = (seed * 48_271) % 2_147_483_647;
      return items[seed % items.length] as Item;
    };
    const outcomes = { changed: 0, current: 0 };
    for (let turn = 1; turn <= 1500; turn += 1) {
      const reads = [random(READS), random(READS)];
      const { seen, readSet } = await look(...reads);
      expect(readSet.isCurrent(now)).to.equal(true);
      await random(writes(random, turn))(random([own, own, other]));
      const isCurrent = readSet.isCurrent(now);
      const again = (await look(...reads)).seen;
      if (isDeepStrictEqual(again, seen)) outcomes.current += Number(isCurrent);
      else {
        outcomes.changed += 1;
        expect(isCurrent, `turn ${turn}, of which nothing may be kept`).to.equal(false);
      }
    }
    expect(outcomes.changed).to.be.greaterThan(150);
    expect(outcomes.current).to.be.greaterThan(150);
  });

  it('KA2 outlives what others write to other rows of the same table, in this process', async () => {
    if (own === undefined || other === undefined) throw new Error('Both are open.');
    for (const id of IDS) {
      await own.accounts.insert(accountRecord({ id, organization: 'clinic', email: `${id}@x.test` }));
      await own.oidcRecords.put(kind, id, token());
    }
    const { readSet } = await look(
      ({ accounts }) => accounts.byId('a'),
      ({ oidcRecords }) => oidcRecords.byId(kind, 'a', now),
    );
    await own.accounts.touch('b', now);
    await own.oidcRecords.put(kind, 'd', token());
    await own.oidcRecords.consume(kind, 'b', now);
    await own.oidcRecords.remove(kind, 'c');
    await own.rateLimits.takeInWindow('a', { limit: 5, window: 60_000 }, now);
    expect(readSet.isCurrent(now)).to.equal(true);
    await own.accounts.touch('a', now);
    expect(readSet.isCurrent(now)).to.equal(false);
  });

  it('KA3 ends with the first of its rows', async () => {
    await own?.oidcRecords.put(kind, 'a', token({ expiresAt: later(now, 1000) }));
    await own?.oidcRecords.put(kind, 'b', token({ expiresAt: later(now, 9000) }));
    const { readSet } = await look(
      ({ oidcRecords }) => oidcRecords.byId(kind, 'a', now),
      ({ oidcRecords }) => oidcRecords.byId(kind, 'b', now),
    );
    expect(readSet.isCurrent(later(now, 999))).to.equal(true);
    expect(readSet.isCurrent(later(now, 1000))).to.equal(false);
  });

  it('KA4 is nothing to rest on where the work wrote, or the store is closed', async () => {
    const wrote = await own?.watch?.during(async () => own?.oidcRecords.put(kind, 'a', token()));
    expect(wrote?.readSet).to.equal(undefined);
    const apart = await own?.watch?.during(async () =>
      own?.watch?.apart(() => own?.oidcRecords.put(kind, 'a', token())),
    );
    expect(apart?.readSet?.isCurrent(now)).to.equal(true);
    await own?.close();
    expect(apart?.readSet?.isCurrent(now)).to.equal(false);
  });
});

const ORGANIZATION = { id: '', name: 'Clinic', hosts: [], vendor: {} };

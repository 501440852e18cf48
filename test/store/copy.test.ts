import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { secretsFrom } from '../../src/core/crypto.ts';
import { StoreUnavailable, StoreUnusable } from '../../src/core/errors.ts';
import type { Progress } from '../../src/store/copy/copy-options.ts';
import { refuseUnfinishedCopy } from '../../src/store/copy/copy-state.ts';
import { copyStore, planCopy } from '../../src/store/copy/copy-store.ts';
import { openStoreDump, openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { accountRecord, times } from '../conformance/stores/back-end.ts';
import { fillStore } from '../conformance/stores/filled-store.ts';
import { embeddedConfig } from './embedded-config.ts';

const log = pino({ level: 'silent' });
const clock = { now: () => new Date() };
/** More than two batches. */
const PEOPLE = 1100;

describe('Copying a store', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-copy-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const secrets = secretsFrom(randomBytes(32));
  let names = 0;

  async function openFresh(): Promise<Stores & { readonly config: ReturnType<typeof embeddedConfig> }> {
    names += 1;
    const config = embeddedConfig(path.join(folder, `${names}.db`));
    const stores = await openStores(config, { log });
    await stores.migrate();
    return { ...stores, config };
  }

  /** A closed store with a record of every kind, and many people and audit records. */
  async function filledSource() {
    const stores = await openFresh();
    const filled = await fillStore(stores, new Date());
    const organization = filled.organizations?.[0]?.id ?? '';
    await Promise.all(times(PEOPLE, () => stores.accounts.insert(accountRecord({ organization }))));
    const from = Date.now();
    for (const number of times(PEOPLE, (index) => index)) {
      void stores.audit.append({ at: new Date(from + number), event: 'sign-in', outcome: 'success' });
    }
    await stores.keyring.write(secrets.encrypt('[]', 'keyring'), 0);
    await stores.close();
    return { config: stores.config, organization };
  }

  interface Between {
    readonly config: ReturnType<typeof embeddedConfig>;
    readonly target: Stores;
    readonly progress?: (progress: Progress) => void;
    readonly sample?: number;
    readonly key?: Buffer;
  }

  async function copy({ config, target, progress = () => {}, sample = 1, key }: Between) {
    const source = await openStoreDump(config, { log });
    try {
      return await copyStore({
        ...{ source, target, clock, sample, progress },
        secrets: key === undefined ? secrets : secretsFrom(key),
      });
    } finally {
      await source.close();
    }
  }

  async function failing(work: Promise<unknown>): Promise<Error> {
    return work.then(
      () => expect.fail('It should have been refused.'),
      (error: Error) => error,
    );
  }

  /** The target, but the store breaks after so many calls of one method. */
  function breaking(target: Stores, port: 'accounts' | 'audit', method: string, after: number): Stores {
    let calls = 0;
    const real = target[port] as unknown as Record<string, (...values: unknown[]) => unknown>;
    const broken = (...values: unknown[]) => {
      calls += 1;
      if (calls > after) throw new StoreUnavailable('test');
      return real[method]?.(...values);
    };
    return { ...target, [port]: { ...real, [method]: broken } };
  }

  async function peopleOf(stores: Stores, organization: string): Promise<number> {
    return (await stores.accounts.page(organization, { limit: 10_000 })).length;
  }

  async function auditNumbers(stores: Stores): Promise<number> {
    const records = await stores.audit.latest({ limit: 10_000 });
    return new Set(records.map((record) => JSON.stringify(record))).size === records.length
      ? records.length
      : -1;
  }

  it('moves every record, reads them back, and says how many', async () => {
    const { config, organization } = await filledSource();
    const target = await openFresh();
    const steps: Progress[] = [];
    const report = await copy({ config, target, progress: (step) => steps.push(step) });
    expect(report.resumed).to.equal(false);
    expect(report.counts).to.include({ accounts: PEOPLE + 2, organizations: 1, oidcRecords: 8, keyring: 1 });
    expect(report.compared).to.be.greaterThan(PEOPLE + 1000);
    expect(await peopleOf(target, organization)).to.equal(PEOPLE + 2);
    expect(await auditNumbers(target)).to.equal(PEOPLE + 3);
    const accounts = steps.filter(({ subject, step }) => subject === 'accounts' && step === 'copy');
    expect(accounts.map(({ done }) => done)).to.deep.equal([500, 1000, PEOPLE + 2]);
    expect(accounts.every(({ all }) => all === PEOPLE + 2)).to.equal(true);
    await refuseUnfinishedCopy(target);
    await target.close();
  });

  it('reads back a sample where it is asked to', async () => {
    const { config } = await filledSource();
    const target = await openFresh();
    const report = await copy({ config, target, sample: 100 });
    expect(report.compared).to.be.within(1000, 1100);
    await target.close();
  });

  for (const [what, port, method] of [
    ['accounts', 'accounts', 'insert'],
    ['the audit trail', 'audit', 'append'],
  ] as const) {
    it(`goes on where it broke off in ${what}, and doubles nothing`, async () => {
      const { config, organization } = await filledSource();
      const target = await openFresh();
      const broken = await failing(copy({ config, target: breaking(target, port, method, 700) }));
      expect(broken).to.be.instanceOf(StoreUnavailable);
      const unserved = await failing(refuseUnfinishedCopy(target));
      expect(unserved).to.be.instanceOf(StoreUnusable);
      expect(unserved.message).to.contain('portico store copy');
      const steps: Progress[] = [];
      const report = await copy({ config, target, progress: (step) => steps.push(step) });
      expect(report.resumed).to.equal(true);
      const first = steps.find(({ step }) => step === 'copy');
      expect(first, 'the batches before are not copied again').to.include({ subject: port, done: 1000 });
      expect(await peopleOf(target, organization)).to.equal(PEOPLE + 2);
      expect(await auditNumbers(target)).to.equal(PEOPLE + 3);
      await target.close();
    });
  }

  it('does not go on from a source that changed meanwhile', async () => {
    const { config } = await filledSource();
    const target = await openFresh();
    await failing(copy({ config, target: breaking(target, 'accounts', 'insert', 700) }));
    const source = await openStores(config, { log });
    await source.presence.put('somebody', { lastSeenAt: new Date(), until: new Date(Date.now() + 60_000) });
    await source.close();
    expect((await failing(copy({ config, target }))).message).to.contain('has changed since');
    await target.close();
  });

  it('refuses a target that holds something, and one that has its copy already', async () => {
    const { config } = await filledSource();
    const target = await openFresh();
    await target.organizations.put({ id: 'old', name: 'Old', hosts: [], vendor: {} });
    expect((await failing(copy({ config, target }))).message)
      .to.contain('not empty')
      .and.contain('1 organizations');
    await target.close();
    const next = await openFresh();
    await copy({ config, target: next });
    expect((await failing(copy({ config, target: next }))).message).to.contain('holds a copy already');
    await next.close();
  });

  it('refuses a source that a server has open, and keeps servers out while it reads', async () => {
    const { config } = await filledSource();
    const target = await openFresh();
    const server = await openStores(config, { log });
    const refused = await failing(copy({ config, target }));
    expect(refused).to.be.instanceOf(StoreUnusable);
    expect(refused.message).to.contain('is in use');
    await server.close();
    const source = await openStoreDump(config, { log });
    await source.hold();
    // Another connection, as another process has one.
    const { DatabaseSync } = await import('node:sqlite');
    const other = new DatabaseSync(config.embedded.file);
    expect(() => other.exec("INSERT INTO metadata VALUES ('late', '')")).to.throw(/locked/);
    other.close();
    await source.close();
    await target.close();
  });

  it('refuses a source that was made under another server key, before anything is copied', async () => {
    const { config } = await filledSource();
    const target = await openFresh();
    expect((await failing(copy({ config, target, key: randomBytes(32) }))).name).to.equal('DecryptionFailed');
    expect(await target.organizations.list()).to.deep.equal([]);
    await target.close();
  });

  it('names records that the target answers otherwise, and leaves the copy unfinished', async () => {
    const { config } = await filledSource();
    const target = await openFresh();
    const clients = { ...target.clients, byId: async () => undefined };
    const differing = await failing(copy({ config, target: { ...target, clients } }));
    expect(differing.message).to.match(/^1 records differ in the target: clients client-/);
    expect(await failing(refuseUnfinishedCopy(target))).to.be.instanceOf(StoreUnusable);
    await target.close();
  });

  it('plans without changing anything, also while the source is in use', async () => {
    const { config } = await filledSource();
    const [server, target] = [await openStores(config, { log }), await openFresh()];
    const source = await openStoreDump(config, { log });
    const plan = await planCopy({ source, target, secrets, clock });
    expect(plan.counts).to.include({ accounts: PEOPLE + 2, audit: PEOPLE + 3 });
    expect(plan.resumes).to.equal(false);
    expect(await target.metadata.get('store-copy')).to.equal(undefined);
    await Promise.all([source.close(), server.close(), target.close()]);
  });

  it('says that there is no database to read', async () => {
    const missing = embeddedConfig(path.join(folder, 'nowhere.db'));
    expect((await failing(openStoreDump(missing, { log }))).message).to.contain('There is no database at');
  });
});

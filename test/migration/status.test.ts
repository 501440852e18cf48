/** What `portico migration status` and `check` say of a legacy system while nodes serve. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { createSightings, readSightings } from '../../src/migration/sightings.ts';
import { openTerminal, type Terminal } from '../cli/run-portico.ts';
import { accountRecord } from '../conformance/stores/back-end.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

const PASSWORD = 'Old-Password-Of-Ada-17';

describe('portico migration status', function () {
  this.timeout(60_000);
  let system: LegacySystem;
  let server: TestServer;
  let terminal: Terminal;
  before(async () => {
    system = await startLegacySystem();
    const legacy = { url: system.url, stage: 'proxy', timeout: '2s', floor: '50ms', roles: ['therapist'] };
    const dialects = { visitnote: { legacy } };
    server = await startTestServer({ config: { dialects } });
    terminal = openTerminal({
      issuer: server.issuer,
      store: { embedded: { file: server.config.store.embedded.file } },
      keys: { encryption: TEST_KEY },
      dialects: { visitnote: { enabled: true, legacy } },
    });
  });
  after(async () => {
    terminal.close();
    await server.close();
    await system.close();
  });

  const signIn = (email: string, host = 'api.vendor.test', password = PASSWORD) =>
    fetch(`${server.url}/api/therapist/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-host': host },
      body: JSON.stringify({ email, password }),
    });
  const run = async (...args: string[]) => {
    const ran = await terminal.session(['migration', ...args]);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  };
  const status = async () => (await run('status', 'visitnote', '--json')).json()[0] ?? {};
  /** Nodes say what they have seen every two seconds. */
  const until = async (what: string, holds: (status: Record<string, unknown>) => boolean) => {
    for (let tries = 0; tries < 100; tries += 1) {
      const present = await status();
      if (holds(present)) return present;
      await sleep(100);
    }
    throw new Error(`The status never said ${what}: ${JSON.stringify(await status())}`);
  };
  const rehearsal = async (what: 'begins' | 'ends') => {
    for (let tries = 0; tries < 100; tries += 1) {
      const [asked] = await server.running.identity.legacy.asked('default', 'visitnote');
      if (asked !== undefined && (asked.outage() !== undefined) === (what === 'begins')) return;
      await sleep(100);
    }
    throw new Error(`The rehearsal never ${what}.`);
  };
  const health = (present: Record<string, unknown>) => present.health as Record<string, unknown>;

  it('says how the nodes see the system, what was learned and adopted, and which host names arrive', async () => {
    expect(await status()).to.deep.include({ learned: 0, adopted: 0, hosts: [], refused: [], warnings: [] });
    const unheard = await terminal.session(['migration', 'check', 'visitnote', '--json']);
    expect(unheard.stdout).to.contain('no request has passed by in stage proxy yet');
    for (const name of ['ada', 'bob'])
      system.add('visitnote', { email: `${name}@old.test`, password: PASSWORD });
    expect((await signIn('ada@old.test')).status).to.equal(200);
    expect((await signIn('bob@old.test', 'clinic.vendor.test')).status).to.equal(200);
    await signIn('ada@old.test');
    const present = await until('what was learned', ({ learned }) => learned === 3);
    expect(present).to.deep.include({ adopted: 3, hosts: ['api.vendor.test', 'clinic.vendor.test'] });
    expect(health(present)).to.deep.include({ nodes: 1, away: 0 });
    expect(health(present).last).to.include({ outcome: 'good' });
    const checked = await terminal.session(['migration', 'check', 'visitnote', '--json']);
    expect(checked.stdout).to.contain('api.vendor.test (2 requests), clinic.vendor.test (1 requests)');
  });

  it('names everyone whom a rehearsal of the end refuses, also from one client address', async () => {
    const rosters = ['carl', 'dora', 'emil'].map((name) =>
      accountRecord({
        ...{ organization: 'default', email: `${name}@old.test` },
        legacy: { visitnote: { password: 'legacy' as const } },
      }),
    );
    for (const account of rosters) await server.running.stores.accounts.insert(account);
    await run('stage', 'visitnote', 'primary');
    await run('rehearse-off', 'visitnote');
    await rehearsal('begins');
    for (const name of ['carl', 'dora', 'emil', 'emil'])
      expect((await signIn(`${name}@old.test`)).status, name).to.equal(503);
    const present = await until('who was refused', (one) => (one.refused as string[]).length === 3);
    expect(present.refused).to.have.members(rosters.map(({ id }) => id));
    const { stderr } = await run('status', 'visitnote');
    expect(stderr).to.contain('The rehearsal of its end refused 3 people.');
    expect(stderr).to.contain('3 people have no password here yet: stage standalone would lock them out.');
    await run('rehearse-off', 'visitnote');
    expect((await status()).refused).to.deep.equal([]);
    await run('rehearse-off', 'visitnote', '--for', '0s');
  });

  it('warns of calls that outlast the floor, and of nodes that get no answer', async () => {
    system.suffer({ kind: 'delay', milliseconds: 80 });
    await rehearsal('ends');
    expect((await signIn('carl@old.test', undefined, 'wrong')).status).to.equal(401);
    const slow = await until('that calls are slow', (one) => Number(health(one).slow) > 0);
    expect(String(slow.warnings)).to.match(
      /visitnote: \d+ of the last \d+ calls took longer than the floor \(50 ms\)/,
    );
    system.suffer({ kind: 'reset' });
    for (let tries = 0; tries < 5; tries += 1) await signIn(`stranger-${tries}@old.test`);
    const away = await until('that it is away', (one) => health(one).away === 1);
    expect(health(away).last).to.include({ outcome: 'odd' });
    expect(String(away.warnings)).to.contain('1 of 1 nodes get no answer');
  });
});

describe('what nodes have seen of a legacy system', () => {
  it('is counted together, kept through a failure of the store, and ends with the node', async () => {
    const server = await startTestServer();
    const { metadata } = server.running.stores;
    let now = new Date('2026-06-01T00:00:00Z');
    const clock = { now: () => now };
    let isDown = false;
    const shaky = {
      ...metadata,
      get: (name: string) => (isDown ? Promise.reject(new Error('down')) : metadata.get(name)),
    };
    const [one, two] = ['one', 'two'].map((node) => createSightings({ metadata: shaky, clock, node }));
    if (one === undefined || two === undefined) throw new Error('There are two.');
    for (const node of [one, two]) {
      node.learned('vendor');
      node.answered('vendor', { outcome: 'good', slow: false, open: node === two });
      // An attacker who makes names up does not push out those of clients.
      for (let count = 0; count < 50; count += 1) node.arrived('vendor', `made-up-${count}.test`);
      for (let count = 0; count < 3; count += 1) node.arrived('vendor', 'api.vendor.test');
    }
    isDown = true;
    expect(await one.flush().catch(() => 'failed')).to.equal('failed');
    one.adopted('vendor');
    isDown = false;
    await Promise.all([one.flush(), two.flush()]);
    const both = await readSightings(metadata, 'vendor', now);
    expect(both).to.deep.include({ learned: 2, adopted: 1, refused: [] });
    expect(both.hosts[0]).to.deep.equal(['api.vendor.test', 6]);
    expect(both.hosts.length).to.equal(20);
    expect(Object.keys(both.nodes)).to.have.members(['one', 'two']);
    expect(both.nodes.two).to.include({ open: true, calls: 1, slow: 0 });
    await one.leave();
    expect(Object.keys((await readSightings(metadata, 'vendor', now)).nodes)).to.deep.equal(['two']);
    // The other was killed.
    now = new Date(now.getTime() + 180_000);
    const left = await readSightings(metadata, 'vendor', now);
    expect(left).to.deep.include({ learned: 2, nodes: {} });
    await server.close();
  });
});

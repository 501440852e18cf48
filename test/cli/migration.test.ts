import path from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { addComparison, comparisonOf, NOTHING_COMPARED, together } from '../../src/migration/differences.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { embeddedConfig } from '../store/embedded-config.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const ADA = `
organizations:
  - { id: default, name: Default }
  - { id: pilot, name: Pilot }
accounts:
  - { id: acc_ada, organization: pilot, email: ada@example.org, password: correct horse battery staple }
`;

const BEA = `
accounts:
  - { id: acc_bea, organization: pilot, email: bea@example.org, password: copper lantern meadow }
`;

const storesOf = ({ folder }: Terminal) =>
  openStores(embeddedConfig(path.join(folder, 'portico.db')), { log: pino({ level: 'silent' }) });

describe('portico migration', function () {
  this.timeout(60_000);
  let terminal: Terminal;
  before(async () => {
    terminal = openTerminal({
      dialects: {
        visitnote: { enabled: true, legacy: { url: 'http://127.0.0.1:9', stage: 'proxy' } },
        medisync: { enabled: true },
      },
    });
    const loaded = await terminal.session(['seed', terminal.write('people.yaml', ADA)]);
    expect(loaded.code, loaded.stderr).to.equal(0);
  });
  after(() => terminal.close());

  const run = async (...args: string[]) => {
    const ran = await terminal.session(['migration', ...args]);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  };
  const refused = async (...args: string[]) => {
    const ran = await terminal.session(['migration', ...args]);
    expect(ran.code, ran.stdout).to.equal(1);
    return ran.stderr;
  };
  const withStores = async (work: (stores: Stores) => Promise<void>) => {
    const stores = await storesOf(terminal);
    await work(stores);
    await stores.close();
  };
  const status = async (...args: string[]) => (await run('status', ...args, '--json')).json()[0];

  it('M1 says and changes where a stage stands, by organization and route, and writes it to the audit trail', async () => {
    expect(await status('visitnote')).to.include({
      dialect: 'visitnote',
      stage: 'proxy',
      configured: 'proxy',
    });
    const changed = await run('stage', 'visitnote', 'primary', '--organization', 'pilot');
    expect(changed.stdout).to.contain('visitnote, pilot: proxy -> primary');
    await run('stage', 'visitnote', 'primary', '--route', 'GET /my-profile');
    const shadow = await run('stage', 'visitnote', 'shadow');
    expect(shadow.stderr).to.contain('visitnote, pilot: primary').and.contain('GET /my-profile: primary');
    const all = await status();
    expect(all?.stage).to.equal('shadow');
    expect(all?.more).to.have.deep.members([
      { organization: 'pilot', route: '*', stage: 'primary' },
      { organization: '*', route: 'GET /my-profile', stage: 'primary' },
    ]);
    expect((await status('visitnote', '--organization', 'pilot'))?.stage).to.equal('primary');
    await run('stage', 'visitnote', 'unset', '--organization', 'pilot');
    expect((await status('visitnote', '--organization', 'pilot'))?.stage).to.equal('shadow');
    const trail = await terminal.session(['audit', 'list', '--event', 'migration.stage', '--json']);
    expect(trail.json().map(({ detail }) => detail)).to.deep.include({
      channel: 'command-line',
      ...{ dialect: 'visitnote', from: 'proxy', to: 'primary' },
    });
    const learn = ['accounts', 'passwords', 'tokens'];
    expect(trail.json().map(({ detail }) => detail)).to.deep.include({
      channel: 'command-line',
      ...{ dialect: 'visitnote', from: 'proxy', to: 'shadow', learn },
    });
  });

  it('refuses what there is not: a dialect without a legacy system, a stage, an organization, a route', async () => {
    expect(await refused('stage', 'medisync', 'primary')).to.contain('dialects.medisync.legacy');
    expect(await refused('stage', 'visitnote', 'later')).to.contain('proxy, shadow, primary, standalone');
    expect(await refused('stage', 'visitnote', 'proxy', '--organization', 'nowhere')).to.contain('nowhere');
    const route = await refused('stage', 'visitnote', 'proxy', '--route', 'GET /nothing');
    expect(route).to.contain('GET /my-profile');
  });

  it('M1 goes to standalone only when no one is locked out, or the operator accepts how many', async () => {
    expect((await status('visitnote'))?.people).to.include({ own: 1, roster: 0 });
    await withStores(async ({ accounts }) => {
      const ada = await accounts.byId('acc_ada');
      if (ada === undefined) throw new Error('Ada was seeded');
      const { passwordHash: _, ...known } = ada;
      const roster = { ...known, legacy: { visitnote: { password: 'legacy' as const } } };
      expect(await accounts.update(roster)).to.equal('updated');
    });
    expect((await status('visitnote'))?.people).to.include({ own: 0, roster: 1 });
    const why = await refused('stage', 'visitnote', 'standalone');
    expect(why).to.contain('1 people have no password here').and.contain('--accept 1');
    expect((await status('visitnote'))?.stage).to.equal('shadow');
    await run('stage', 'visitnote', 'standalone', '--organization', 'pilot', '--accept', '1');
    await run('stage', 'visitnote', 'unset', '--organization', 'pilot');
  });

  it('rehearses the end in stage primary alone, for a while', async () => {
    expect(await refused('rehearse-off', 'visitnote')).to.contain('stage shadow');
    await run('stage', 'visitnote', 'primary');
    expect(await refused('rehearse-off', 'visitnote', '--for', '2 days')).to.contain('10m');
    await run('rehearse-off', 'visitnote', '--for', '10m');
    const { awayUntil } = (await status('visitnote')) ?? {};
    expect(Date.parse(String(awayUntil)) - Date.now()).to.be.within(580_000, 600_000);
    await run('rehearse-off', 'visitnote', '--for', '0s');
    expect((await status('visitnote'))?.awayUntil).to.equal(undefined);
  });

  it('prints what was made here since a moment', async () => {
    const { stdout } = await run('since', '1h', '--json');
    expect(JSON.parse(stdout)).to.include({ accountsMade: 0, passwordsSet: 0, tokensMinted: 0 });
    const made = await terminal.session(['account', 'block', 'ada@example.org']);
    expect(made.code, made.stderr).to.equal(0);
    expect((await run('since', '1h', '--json')).json()).to.include({ statusesChanged: 1 });
    const row = JSON.parse((await run('since', '1h', '--rows')).stdout);
    expect(row).to.deep.include({ id: 'acc_ada', email: 'ada@example.org', status: 'blocked' });
    expect(JSON.stringify(row)).not.to.contain('argon2');
    expect(await refused('since', 'yesterday')).to.contain('2026-03-01');
  });

  it('lists whose address is in conflict, and settles it', async () => {
    const loaded = await terminal.session(['seed', terminal.write('bea.yaml', BEA)]);
    expect(loaded.code, loaded.stderr).to.equal(0);
    const conflict = async (vendorId: string) => {
      const stores = await storesOf(terminal);
      await stores.audit.append({
        ...{ at: new Date(), event: 'migration.conflict', outcome: 'refused', organization: 'pilot' },
        ...{ subject: 'acc_bea', detail: { dialect: 'visitnote', why: 'address', vendorId } },
      });
      await stores.close();
    };
    await conflict('v-1');
    await conflict('v-1');
    await conflict('v-2');
    const list = async () => (await run('conflicts', '--organization', 'pilot', '--json')).json();
    const open = await list();
    expect(open).to.have.length(2);
    const idOf = (id: string) => String(open.find((one) => one.vendorId === id)?.id);
    expect(open.find((one) => one.vendorId === 'v-1')).to.include({
      count: 2,
      account: 'acc_bea',
    });
    await run('conflicts', 'ignore', idOf('v-2'));
    await run('conflicts', 'join', idOf('v-1'));
    expect(await list()).to.deep.equal([]);
    const stores = await storesOf(terminal);
    const bea = await stores.accounts.byId('acc_bea');
    await stores.close();
    expect(bea?.aliases).to.deep.equal({ visitnote: 'v-1' });
    expect(bea?.legacy).to.deep.equal({ visitnote: { password: 'portico' } });
    expect(await refused('conflicts', 'join', idOf('v-1'))).to.include('no open conflict');
    await conflict('v-3');
    const [third] = await list();
    expect(await refused('conflicts', 'rename', String(third?.id))).to.include('--email');
    await run('conflicts', 'rename', String(third?.id), '--email', 'bea.two@example.org');
    expect(await list()).to.deep.equal([]);
    // Her tokens name an address that is another person's now.
    await withStores(async ({ accounts }) => {
      const renamed = await accounts.byId('acc_bea');
      expect(renamed).to.deep.include({ email: 'bea.two@example.org', emailVerified: false });
      expect(renamed?.tokensFrom).to.be.a('string');
    });
  });

  it('M23 tells what differs, by an exit code too, and forgets it on demand', async () => {
    const diff = (...args: string[]) => terminal.session(['migration', 'diff', ...args]);
    const nothing = await diff();
    expect({ code: nothing.code, stdout: nothing.stdout }).to.deep.equal({
      code: 2,
      stdout:
        'Nothing was compared yet. Replies are compared in stage shadow (portico migration stage <dialect> shadow), and are here after ten seconds.\n',
    });
    const at = (endpoint: string, now: string) => ({ endpoint, now: new Date(now), request: 'req-1' });
    const text = {
      place: '/message',
      kind: 'text',
      there: 'Invalid …',
      here: 'Invalid credentials',
    } as const;
    const old = comparisonOf('same', at('GET /my-profile', '2026-01-02T03:04:05Z'), []);
    await withStores((stores) => addComparison(stores.metadata, 'visitnote', old));
    const same = await diff('visitnote');
    expect(same.code, same.stdout).to.equal(0);
    expect(same.stdout).to.match(/No difference\./);
    const recent = comparisonOf('differs', at('POST /sign-in', new Date().toISOString()), [text]);
    await withStores(async (stores) => {
      for (let times = 0; times < 2; times += 1) await addComparison(stores.metadata, 'visitnote', recent);
    });
    const found = await diff('--since', '24h', '--json');
    expect(found.code).to.equal(1);
    const [{ compared, differences }] = JSON.parse(found.stdout);
    expect(compared).to.have.lengthOf(1);
    expect(differences).to.have.lengthOf(1);
    expect(differences[0]).to.include({ ...text, endpoint: 'POST /sign-in', count: 2, request: 'req-1' });
    expect((await diff('visitnote', '--endpoint', 'GET /my-profile')).code).to.equal(0);
    expect((await diff('visitnote', '--endpoint', 'GET /nothing')).stderr).to.include('GET /my-profile');
    expect((await diff('--reset')).code).to.equal(0);
    expect((await diff()).code).to.equal(2);
  });

  it('M23 keeps two hundred differences of a dialect, and counts the others', async () => {
    const at = { endpoint: 'POST /sign-in', now: new Date(), request: 'req-1' };
    const places = Array.from({ length: 300 }, (_, number) => ({
      place: `/${number}`,
      kind: 'form' as const,
    }));
    const many = comparisonOf(
      'differs',
      at,
      places.map((each) => ({ ...each, there: 'uuid', here: 'text' })),
    );
    const kept = together(NOTHING_COMPARED, many);
    expect([kept.differences.length, kept.more]).to.deep.equal([200, 100]);
  });
});

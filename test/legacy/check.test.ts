/** What `portico migration check` finds, at systems that have each fault. */
import { expect } from 'chai';
import { avycenna } from '../../src/dialects/avycenna/avycenna.ts';
import type { Dialect } from '../../src/dialects/contract/dialect.ts';
import type { MigratingDialect } from '../../src/dialects/runtime/mounted.ts';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';
import { vsee } from '../../src/dialects/vsee/vsee.ts';
import { checkNeighbours, checkReachability, type Finding } from '../../src/legacy/check.ts';
import { viaOf } from '../../src/legacy/loop.ts';
import { openTerminal } from '../cli/run-portico.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer } from '../support/server.ts';
import { CONTEXT } from './world.ts';

function mounted(dialect: Dialect, legacy: Record<string, unknown>): MigratingDialect {
  const issues: string[] = [];
  const settings = { enabled: true, legacy: { stage: 'primary', timeout: '2s', ...legacy } };
  const [at] = parseSettings([dialect], { [dialect.name]: settings }, issues);
  if (at?.legacy === undefined) throw new Error(issues.join());
  return { ...at, legacy: at.legacy };
}

const clock = { now: () => new Date() };
const organization = { id: 'default', name: 'Default', vendor: undefined };

const look = (at: MigratingDialect, via = 'portico-1') =>
  checkReachability({ mounted: at, organization, via, ownPorts: [], clock, context: CONTEXT });
const states = (findings: readonly Finding[]) => findings.map(({ check, state }) => `${check} ${state}`);

describe('portico migration check', () => {
  it('says whether the system is there and speaks the vendor’s API', async () => {
    const system = await startLegacySystem();
    const at = mounted(visitnote, { url: system.url });
    expect(states(await look(at))).to.deep.equal(['reachable ok', 'clock ok']);
    expect(system.calls.map(({ method, url }) => `${method} ${url}`)).to.deep.equal([
      'GET /api/therapist/v1/my-profile',
    ]);
    system.suffer({ kind: 'garbage' });
    expect((await look(at))[0]).to.deep.include({ check: 'reachable', state: 'failed' });
    system.suffer({ kind: 'hang' });
    expect((await look(at))[0]?.says).to.equal('no reply in time');
    await system.close();
    expect((await look(at))[0]?.says).to.equal('the connection is refused');
  });

  it('says when its clock is off, and when its certificate ends', async () => {
    const { authority, issued } = makeCertificates();
    const tls = { key: issued.key, cert: issued.certificate };
    const system = await startLegacySystem({ tls, clockOff: 600 });
    const at = mounted(visitnote, {
      ...{ url: 'https://app.bank.example', ca: authority.certificate },
      address: `127.0.0.1:${system.port}`,
    });
    const findings = await look(at);
    expect(states(findings)).to.deep.equal(['reachable ok', 'certificate warning', 'clock failed']);
    expect(findings[1]?.says).to.match(/^it ends in [12] days$/);
    await system.close();
  });

  it('M11 says when its name leads back to this server', async () => {
    const port = await freePort();
    const relay = await startFaultProxy({ host: '127.0.0.1', port });
    const legacy = { url: `http://127.0.0.1:${relay.port}`, stage: 'primary' };
    const server = await startTestServer({ config: { http: { port }, dialects: { visitnote: { legacy } } } });
    const { secrets, issuer } = server.running.identity;
    expect(states(await look(mounted(visitnote, legacy), viaOf(secrets, issuer)))).to.include('loop failed');
    await server.close();
    await relay.close();
  });

  it('says when two systems without proven addresses share an organization', () => {
    const at = mounted(visitnote, { url: 'https://a.example' });
    const others = [{ name: 'vsee', organizations: ['default', 'pilot'] }];
    expect(checkNeighbours(at, { own: ['default'], others })[0]).to.deep.include({ state: 'warning' });
    expect(checkNeighbours(at, { own: ['north'], others })[0]).to.deep.include({ state: 'ok' });
    const proven = mounted(visitnote, { url: 'https://a.example', addresses: 'verified' });
    expect(checkNeighbours(proven, { own: ['default'], others })).to.deep.equal([]);
  });

  describe('with a sign-in', function () {
    this.timeout(60_000);
    let system: LegacySystem;
    before(async () => {
      system = await startLegacySystem();
    });
    after(() => system.close());

    const checked = async (dialect: Dialect, seed: string, members: Record<string, unknown> = {}) => {
      const legacy = { url: system.url, stage: 'proxy', roles: ['doctor'] };
      const terminal = openTerminal({ dialects: { [dialect.name]: { enabled: true, legacy } } });
      const loaded = await terminal.session(['seed', terminal.write('seed.yaml', seed)]);
      expect(loaded.code, loaded.stderr).to.equal(0);
      const person = { email: 'ada@example.org', password: 'Canary-Password-7', members };
      const added = system.add(dialect.name as 'vsee', person);
      const run = (password: string) =>
        terminal.session(
          ['migration', 'check', dialect.name, '--login', person.email, '--password-stdin', '--json'],
          { input: password },
        );
      const [right, wrong] = [await run(person.password), await run('wrong')];
      system.world.remove(added);
      const all = [right, wrong].map(({ stdout, stderr }) => stdout + stderr).join();
      for (const { raw, headers } of system.calls) {
        const token = /Bearer (.+)/.exec(String(headers.authorization))?.[1];
        expect(raw === '' || token === undefined || !all.includes(token)).to.equal(true);
      }
      expect(all).not.to.include('Canary');
      terminal.close();
      expect(wrong.code).to.equal(1);
      expect(states(wrong.json() as unknown as Finding[])).to.include('sign-in failed');
      expect(right.code, right.stdout).to.equal(0);
      return right.json() as unknown as Finding[];
    };

    it('says how a JWT of its differs from Portico’s, claim by claim, and shows neither', async () => {
      const findings = await checked(avycenna, 'organizations: [{ id: default, name: Default }]');
      const said = Object.fromEntries(findings.map(({ check, state, says }) => [check, `${state}: ${says}`]));
      expect(said['sign-in']).to.match(/^ok: the person would be taken over; it shows the id usr_/);
      expect(said).to.deep.include({
        'twin: alg': 'warning: HS256 there, ES256 here: services need the other key',
        'twin: aud': 'ok: here, and not there',
        'twin: iss': 'warning: another value: https://legacy.test there, http://localhost:4999 here',
        'twin: lifetime': 'warning: 86400 s there, 900 s here',
      });
      expect(Object.keys(said)).not.to.include.members(['twin: role', 'twin: user_id']);
      // It is signed out again.
      expect([...system.world.tokens.values()].filter(({ kind }) => kind === 'refresh')).to.deep.equal([]);
    });

    it('says that both tokens are opaque', async () => {
      const seed = 'organizations: [{ id: default, name: Default }]';
      const findings = await checked(vsee, seed, { account_code: 'default' });
      expect(findings.find(({ check }) => check === 'twin')?.says).to.equal('both are opaque');
    });
  });
});

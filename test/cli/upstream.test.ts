/** What an operator sees of upstreams: which addresses to register, and what would keep people out. */
import { expect } from 'chai';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

describe('portico upstream', function () {
  this.timeout(30_000);
  let upstream: TestUpstream;
  let terminal: Terminal;
  before(async () => {
    upstream = await startUpstream();
    const { keycloak, okta, entra } = upstream.openid;
    const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    terminal = openTerminal({
      dialects: { avycenna: { enabled: true, googleProvider: 'clinic' } },
      federation: {
        google: upstream.federation.google,
        openid: {
          clinic: { ...keycloak, title: 'Clinic' },
          wrong: { ...keycloak, clientSecret: 'Kept-Away' },
          elsewhere: { ...keycloak, issuer: `${upstream.issuers.keycloak}/realms/none` },
          soon: { ...okta, clientSecretExpires: day(12) },
          ended: { ...okta, clientSecretExpires: day(-2) },
          tenants: { ...entra, clientSecretExpires: day(300) },
          'only-tokens': { ...okta, clientId: undefined, audiences: ['app'] },
          off: { ...okta, enabled: false },
        },
      },
    });
  });
  after(async () => {
    terminal.close();
    await upstream.close();
  });

  const check = async (name: string) => {
    const { code, json } = await terminal.session(['upstream', 'check', name, '--json']);
    const found = (of: string) => {
      const { state, says } = json().find(({ check }) => check === of) ?? {};
      return { state, says: String(says) };
    };
    const all = json().map(({ state }) => state);
    return { code, all, discovery: found('discovery'), clock: found('clock'), secret: found('secret') };
  };

  it('N16 config check prints every callback address, also those of dialects; list shows them by upstream', async () => {
    const { stdout, code } = await terminal.session(['config', 'check']);
    expect(code).to.equal(0);
    const printed = [...stdout.matchAll(/^(\S+) +http:\/\/localhost:4999(\S+)$/gm)].map(
      ([, upstream, at]) => `${upstream} ${at}`,
    );
    expect(printed).to.deep.equal([
      'google /federation/google/callback',
      'clinic /federation/clinic/callback',
      'wrong /federation/wrong/callback',
      'elsewhere /federation/elsewhere/callback',
      'soon /federation/soon/callback',
      'ended /federation/ended/callback',
      'tenants /federation/tenants/callback',
      'clinic /api/v1/auth/oauth/google/callback',
    ]);
    const list = (await terminal.session(['upstream', 'list', '--json'])).json();
    expect(list.map(({ name }) => name))
      .to.include('only-tokens')
      .and.not.include('off');
    expect(list.find(({ name }) => name === 'clinic')?.callbacks).to.deep.equal([
      'http://localhost:4999/federation/clinic/callback',
      'http://localhost:4999/api/v1/auth/oauth/google/callback',
    ]);
  });

  it('N16 check asks for discovery, keys, clock and the secret, and says what cannot be known', async () => {
    const clinic = await check('clinic');
    expect(clinic.code).to.equal(0);
    expect(clinic.all).to.deep.equal(['ok', 'ok', 'ok', 'ok']);
    expect(clinic.secret.says).to.contain('invalid_grant').and.to.contain('cannot be asked');
    expect((await check('soon')).secret).to.deep.include({ state: 'warning' });
    expect((await check('tenants')).secret.says).to.match(/in (299|300) days/);
    expect((await check('only-tokens')).secret.state).to.equal('warning');
    expect((await check('google')).discovery.state).to.equal('ok');
  });

  it('N16 check fails on a secret that is refused or has ended, and on an issuer that is another', async () => {
    const wrong = await check('wrong');
    expect(wrong).to.deep.include({ code: 1 });
    expect(wrong.secret).to.deep.include({ state: 'failed' });
    expect(wrong.secret.says).to.contain('invalid_client').and.not.to.contain('Kept-Away');
    expect((await check('ended')).secret).to.deep.include({ state: 'failed' });
    const elsewhere = await check('elsewhere');
    expect(elsewhere.code).to.equal(1);
    expect(elsewhere.discovery.state).to.equal('failed');
    const plain = await terminal.session(['upstream', 'check', 'wrong']);
    expect(plain.stdout)
      .to.match(/^CHECK +STATE +SAYS\n/)
      .and.to.match(/^secret +failed /m);
    expect(await terminal.session(['upstream', 'check', 'off'])).to.deep.include({ code: 1 });
  });

  it('N16 check says by how much the clocks differ, and fails past what ID tokens may', async () => {
    for (const [seconds, state] of [
      [0, 'ok'],
      [30, 'warning'],
      [90, 'failed'],
    ] as const) {
      upstream.setClock(-seconds);
      expect((await check('clinic')).clock.state, String(seconds)).to.equal(state);
    }
    upstream.setClock(0);
  });

  it('N16 check says that an upstream is down', async () => {
    upstream.setDown(true);
    const down = await check('clinic');
    upstream.setDown(false);
    expect(down).to.deep.include({ code: 1 });
    expect(down.discovery.says).to.contain('503');
  });
});

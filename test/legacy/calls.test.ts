/** Where calls to a legacy system go, and where never (M11); what they cost the people who are known here (M7). */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';
import { forbiddenAddress } from '../../src/legacy/call.ts';
import { createTokenJudge } from '../../src/legacy/token-keys.ts';
import { createLog } from '../../src/observe/log.ts';
import { makeCertificates } from '../support/certificates.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer } from '../support/server.ts';
import { CONTEXT, kindOf, startWithLegacy } from './world.ts';

const BASE = '/api/therapist/v1';
const SIGN_IN = { login: 'new@clinic.test', password: 'Harbour-41' };

/** The certificate of makeCertificates() is this name's. */
const NAME = 'https://app.bank.example';

async function post(url: string, path: string, json: object) {
  const reply = await fetch(`${url}${BASE}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(json),
  });
  return {
    status: reply.status,
    retryAfter: reply.headers.get('retry-after'),
    json: JSON.parse(await reply.text()),
  };
}

describe('A call to a legacy system', () => {
  it('M11 carries what it needs: no query, no encoding asked for, who asks, and through whom', async () => {
    const world = await startWithLegacy({ legacy: { headers: 'x-gateway: key-of-the-gateway' } });
    await (await world.ask()).signIn?.(SIGN_IN, CONTEXT);
    const [call] = world.system.calls;
    expect(call).to.deep.include({ url: `${BASE}/sign-in`, method: 'POST' });
    expect(call?.body).to.deep.equal({ email: SIGN_IN.login, password: SIGN_IN.password });
    expect(call?.headers).to.deep.include({
      ...{ host: new URL(world.system.url).host, 'accept-encoding': 'identity' },
      ...{ 'x-forwarded-for': '203.0.113.7', 'x-gateway': 'key-of-the-gateway' },
    });
    expect(call?.headers.via).to.match(/^1\.1 portico-[\w-]{16}$/);
    await world.close();
  });

  describe('M11 with an address and an authority', () => {
    const { authority, issued, stranger } = makeCertificates();
    let system: LegacySystem;
    before(async () => {
      system = await startLegacySystem({ tls: { key: issued.key, cert: issued.certificate } });
      system.add('visitnote', { email: SIGN_IN.login, password: SIGN_IN.password });
    });
    after(() => system.close());

    /** What a sign-in is answered, with this configuration. */
    async function asked(legacy: Record<string, unknown>) {
      const world = await startWithLegacy({ system, legacy: { timeout: '5s', ...legacy } });
      system.forget();
      const answer = await (await world.ask()).signIn?.(SIGN_IN, CONTEXT);
      await world.close();
      return kindOf(answer);
    }
    const pinned = () => ({ address: `127.0.0.1:${system.port}` });

    it('goes there under the old name, in Host and in TLS', async () => {
      expect(await asked({ url: NAME, ca: authority.certificate, ...pinned() })).to.equal('yes');
      expect(system.calls[0]?.headers.host).to.equal('app.bank.example');
      expect(system.calls[0]?.servername).to.equal('app.bank.example');
    });

    it('is not made where the certificate is another name’s, or another authority’s', async () => {
      for (const legacy of [
        { url: 'https://other.example', ca: authority.certificate, ...pinned() },
        { url: NAME, ca: stranger.certificate, ...pinned() },
        { url: NAME, ...pinned() },
        { url: system.url, ca: authority.certificate },
      ]) {
        expect(await asked(legacy), legacy.url).to.equal('away: its certificate is not good');
      }
      expect(system.calls).to.have.length(0);
    });

    it('M10 M21 goes for its keys as for all else: to the address, and with what a gateway wants; elsewhere without', async () => {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] });
      const seen: IncomingMessage[] = [];
      const server = createServer({ key: issued.key, cert: issued.certificate }, (request, response) => {
        seen.push(request);
        response.end(keys);
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const token = await new SignJWT({ sub: 'old-17' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setExpirationTime('1h')
        .sign(privateKey);
      const judged = async (jwksUrl: string, ownPorts: number[] = []) => {
        const tokens = { ask: 'never', jwksUrl, algorithms: ['ES256'] };
        const legacy = {
          ...{ url: NAME, address: `127.0.0.1:${port}`, ca: authority.certificate, stage: 'primary', tokens },
          headers: 'x-gateway: key-of-the-gateway',
        };
        const issues: string[] = [];
        const [at] = parseSettings([visitnote], { visitnote: { enabled: true, legacy } }, issues);
        if (at?.legacy === undefined) throw new Error(issues.join());
        const judge = createTokenJudge({
          ...{ legacy: at.legacy, via: 'portico-1', ownPorts },
          ...{ clock: { now: () => new Date() }, log: createLog({ level: 'silent' }) },
        });
        const verdict = await judge?.judge(token);
        await judge?.close();
        return verdict;
      };
      expect(await judged(`${NAME}/keys?of=all`)).to.have.nested.property('claims.sub', 'old-17');
      expect(seen[0]).to.deep.include({ url: '/keys?of=all' });
      expect(seen[0]?.headers).to.deep.include({
        ...{ host: 'app.bank.example', 'x-gateway': 'key-of-the-gateway', via: '1.1 portico-1' },
      });
      const away = { away: 'its keys cannot be fetched' };
      // No name of this certificate leads there: another origin is reached by its own.
      expect(await judged(`https://127.0.0.1:${port}/keys`)).to.deep.equal(away);
      expect(await judged('https://169.254.169.254/keys')).to.deep.equal(away);
      expect(await judged(`${NAME}/keys`, [port])).to.deep.equal(away);
      expect(seen).to.have.length(1);
      server.close();
    });

    it('is not made in the clear to a server that speaks TLS', async () => {
      expect(await asked({ url: `http://127.0.0.1:${system.port}` })).to.match(/^away: /);
    });
  });

  it('M11 never goes to where clouds answer a machine about itself, nor to this server', async () => {
    const port = await freePort();
    const server = await startTestServer({
      config: {
        http: { port },
        dialects: { visitnote: { legacy: { url: `http://localhost:${port}`, stage: 'primary' } } },
      },
    });
    const [system] = await server.running.identity.legacy.asked('default', 'visitnote');
    expect(kindOf(await system?.signIn?.(SIGN_IN, CONTEXT))).to.equal('away: this server itself');
    await server.close();

    for (const ip of ['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1']) {
      expect(forbiddenAddress(ip, 443, []), ip).to.equal('a link-local address');
    }
    for (const ip of ['127.0.0.1', '::1', '0.0.0.0', '::ffff:127.0.0.1']) {
      expect(forbiddenAddress(ip, 3000, [3000]), ip).to.equal('this server itself');
      expect(forbiddenAddress(ip, 3001, [3000]), ip).to.equal(undefined);
    }
    expect(forbiddenAddress('10.0.0.8', 443, [443])).to.equal(undefined);
  });

  it('M11 that comes back by another way is refused where it arrives: 508, and no server is asked further', async () => {
    const port = await freePort();
    const relay = await startFaultProxy({ host: '127.0.0.1', port });
    const url = `http://127.0.0.1:${relay.port}`;
    const server = await startTestServer({
      config: { http: { port }, dialects: { visitnote: { legacy: { url, stage: 'primary' } } } },
    });
    const [system] = await server.running.identity.legacy.asked('default', 'visitnote');
    expect(kindOf(await system?.signIn?.(SIGN_IN, CONTEXT))).to.equal('away: status 508');
    // Another Portico's request is no loop.
    const other = await fetch(`${server.url}/readyz`, {
      headers: { via: '1.1 portico-AAAAAAAAAAAAAAAA, 1.1 x' },
    });
    expect(other.status).to.equal(200);
    await server.close();
    await relay.close();
  });

  it('M11 that is redirected goes nowhere', async () => {
    const [world, elsewhere] = await Promise.all([startWithLegacy(), startLegacySystem()]);
    world.system.suffer({ kind: 'redirect', to: `${elsewhere.url}${BASE}/sign-in` });
    expect(kindOf(await (await world.ask()).signIn?.(SIGN_IN, CONTEXT))).to.equal('away: a redirect');
    expect(elsewhere.calls).to.have.length(0);
    await world.close();
    await elsewhere.close();
  });
});

describe('People whom Portico knows', () => {
  it('M7 never wait for a legacy system that hangs, which gets no more connections than are allowed', async () => {
    const world = await startWithLegacy({ legacy: { timeout: '4s', concurrency: 3 } });
    const { server, system } = world;
    system.suffer({ kind: 'hang' });
    const asking = await world.ask();
    const hanging = Array.from({ length: 40 }, () => asking.signIn?.(SIGN_IN, CONTEXT));
    const first = await Promise.race(hanging);
    expect(kindOf(first)).to.equal('away: as many calls as are allowed at once');
    const begun = performance.now();
    const mara = { email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
    const { status, json } = await post(server.url, '/sign-in', mara);
    const { token } = json.data;
    const me = await fetch(`${server.url}${BASE}/my-profile`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([status, me.status]).to.deep.equal([200, 200]);
    expect(performance.now() - begun).to.be.lessThan(3000);
    const kinds = (await Promise.all(hanging)).map(kindOf);
    expect(kinds.filter((kind) => kind === 'away: no reply in time')).to.have.length(3);
    expect(system.calls).to.have.length(3);
    expect(system.sockets.most).to.be.at.most(3);
    await world.close();
  });

  it('are taken over when they come for the first time, and told to come again while it is away', async () => {
    const world = await startWithLegacy();
    const { server, system } = world;
    const { id } = system.add('visitnote', { email: SIGN_IN.login, password: SIGN_IN.password });
    const credentials = { email: SIGN_IN.login, password: SIGN_IN.password };
    system.suffer({ kind: 'reset' }, /sign-in/);
    const away = await post(server.url, '/sign-in', credentials);
    expect(away).to.deep.include({ status: 503, retryAfter: '5' });
    system.suffer(undefined);
    const first = await post(server.url, '/sign-in', credentials);
    expect(first).to.deep.include({ status: 200 });
    expect(first.json.data.loginData.uuid).to.equal(id);
    system.forget();
    expect(await post(server.url, '/sign-in', credentials)).to.deep.include({ status: 200 });
    expect(system.calls.filter(({ url }) => !url.endsWith('/logout'))).to.deep.equal([]);
    await world.close();
  });

  it('M7 find the server ready whatever the legacy system does', async () => {
    const world = await startWithLegacy({ legacy: { url: 'http://127.0.0.1:9' } });
    expect((await fetch(`${world.server.url}/readyz`)).status).to.equal(200);
    await world.close();
  });
});

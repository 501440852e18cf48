/** Clients of the profile FAPI 2 with TLS certificates, through Debian's nginx as it is shipped. */
import { X509Certificate } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as rp from 'openid-client';
import { stringify } from 'yaml';
import { type Certificate, makeCertificates } from '../support/certificates.ts';
import { INES } from '../support/client-app.ts';
import { freePort } from '../support/ports.ts';
import { walk } from '../support/relying-party.ts';
import { CLIENTS, PEOPLE, startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';
import { type Nginx, nginxProgram, startNginx } from './nginx-server.ts';

const REDIRECT = 'https://bank.test/callback';
const certificates = makeCertificates();

describe('client certificates behind nginx as shipped', function () {
  this.timeout(60_000);
  let nginx: Nginx;
  let server: TestServer;
  let issuer: string;
  let mtls: string;
  const known = getCACertificates('default');
  const seed = path.join(tmpdir(), `portico-mtls-${process.pid}.yaml`);

  before(async function () {
    const program = nginxProgram();
    if (!program) return this.skip();
    const [port, mtlsPort] = [await freePort(), await freePort()];
    [issuer, mtls] = [`https://localhost:${port}`, `https://localhost:${mtlsPort}`];
    const { publicKey, raw } = new X509Certificate(certificates.selfSigned.certificate);
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }] };
    const shared = {
      ...{ organization: 'default', profile: 'fapi2', first_party: true, redirect_uris: [REDIRECT] },
      ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
      ...{ scope: 'openid profile', tls_client_certificate_bound_access_tokens: true },
    };
    const clients = [
      { client_id: 'by-authority', ...shared, tls_client_auth_san_dns: 'app.bank.example' },
      { client_id: 'by-itself', ...shared, token_endpoint_auth_method: 'self_signed_tls_client_auth', jwks },
    ];
    writeFileSync(seed, stringify({ clients }));
    server = await startTestServer({
      config: {
        issuer,
        seed: [PEOPLE, CLIENTS, seed],
        http: {
          clientCertificate: { header: 'X-Client-Cert', verifiedHeader: 'X-Client-Verify', origin: mtls },
        },
      },
    });
    const authorities = certificates.authority.certificate;
    const nodes = [server.running.port, server.running.port] as const;
    nginx = await startNginx(program, nodes, port, [], { port: mtlsPort, authorities });
    setDefaultCACertificates([...known, nginx.certificate]);
  });
  after(async () => {
    setDefaultCACertificates(known);
    rmSync(seed, { force: true });
    await nginx?.close();
    await server?.close();
  });

  /** fetch, with a certificate where the server asks for one. */
  const fetchWith = (certificate?: Certificate) => async (url: string, init: object) => {
    const { method, body, headers }: { method?: string; body?: unknown; headers?: RequestInit['headers'] } =
      init;
    const tls = certificate && { cert: certificate.certificate, key: certificate.key };
    return send(
      https,
      url,
      { ...tls, ca: nginx.certificate, method: method ?? 'GET', agent: false },
      { headers, body },
    );
  };

  async function signIn(config: rp.Configuration) {
    const [verifier, state] = [rp.randomPKCECodeVerifier(), rp.randomState()];
    const address = await rp.buildAuthorizationUrlWithPAR(config, {
      ...{ redirect_uri: REDIRECT, scope: 'openid profile', state, code_challenge_method: 'S256' },
      code_challenge: await rp.calculatePKCECodeChallenge(verifier),
    });
    expect(address.href.startsWith(`${issuer}/authorize?`)).to.equal(true);
    const callback = await walk(openWebSession(), address.href, REDIRECT, INES);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
    return rp.authorizationCodeGrant(config, new URL(callback), checks);
  }

  async function discover(clientId: string, certificate: Certificate) {
    const metadata = { use_mtls_endpoint_aliases: true, id_token_signed_response_alg: 'ES256' };
    const config = await rp.discovery(new URL(issuer), clientId, metadata, rp.TlsClientAuth(), {
      [rp.customFetch]: fetchWith(certificate),
    });
    config[rp.customFetch] = fetchWith(certificate);
    return config;
  }

  for (const [clientId, name] of [
    ['by-authority', 'issued'],
    ['by-itself', 'selfSigned'],
  ] as const) {
    it(`MTLS1 openid-client signs in as ${clientId}, and only its certificate uses the tokens`, async () => {
      const config = await discover(clientId, certificates[name]);
      const tokens = await signIn(config);
      const sub = tokens.claims()?.sub ?? '';
      expect((await rp.fetchUserInfo(config, tokens.access_token, sub)).name).to.equal(INES.name);
      const again = await rp.refreshTokenGrant(config, String(tokens.refresh_token));
      expect(again.refresh_token).to.equal(tokens.refresh_token);
      const told = await rp.tokenIntrospection(config, again.access_token);
      const digest = new X509Certificate(certificates[name].certificate).fingerprint256.replaceAll(':', '');
      expect(told.cnf).to.deep.equal({ 'x5t#S256': Buffer.from(digest, 'hex').toString('base64url') });
      const headers = { authorization: `Bearer ${again.access_token}` };
      for (const other of [certificates.stranger, certificates.sibling, undefined]) {
        const reply = await fetchWith(other)(`${mtls}/userinfo`, { headers });
        expect([reply.status, Object(await reply.json()).error]).to.deep.equal([401, 'invalid_token']);
      }
      const without = await fetch(`${issuer}/userinfo`, { headers });
      expect(without.status, 'where no certificate is asked for').to.equal(401);
    });
  }

  it('MTLS1 oauth4webapi gets and uses bound tokens, and openid-client with another certificate gets none', async () => {
    const as = await oauth.processDiscoveryResponse(
      new URL(issuer),
      await oauth.discoveryRequest(new URL(issuer)),
    );
    const client: oauth.Client = { client_id: 'by-authority', use_mtls_endpoint_aliases: true };
    const options = { [oauth.customFetch]: fetchWith(certificates.issued) };
    const verifier = oauth.generateRandomCodeVerifier();
    const parameters = new URLSearchParams({
      ...{ redirect_uri: REDIRECT, response_type: 'code', scope: 'openid', code_challenge_method: 'S256' },
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    });
    const proves = oauth.TlsClientAuth();
    const pushed = await oauth.pushedAuthorizationRequest(as, client, proves, parameters, options);
    const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, pushed);
    const address = `${issuer}/authorize?${new URLSearchParams({ client_id: client.client_id, request_uri })}`;
    const callback = await walk(openWebSession(), address, REDIRECT, INES);
    const answer = oauth.validateAuthResponse(as, client, new URL(callback));
    const tokens = await oauth.processAuthorizationCodeResponse(
      as,
      client,
      await oauth.authorizationCodeGrantRequest(as, client, proves, answer, REDIRECT, verifier, options),
    );
    const info = await oauth.userInfoRequest(as, client, tokens.access_token, options);
    expect(info.status).to.equal(200);
    for (const other of [certificates.sibling, certificates.stranger]) {
      const failure = await signIn(await discover('by-authority', other)).catch((error: unknown) => error);
      expect(failure).to.include({ error: 'invalid_client' });
    }
  });

  it('MTLS2 a header that a client forges counts for nothing: not at nginx, not from a peer that is no proxy', async () => {
    const lies = {
      'x-client-cert': encodeURIComponent(certificates.issued.certificate),
      'x-client-verify': 'SUCCESS',
    };
    const body = new URLSearchParams({ client_id: 'by-authority' });
    const at = async (url: string, options: https.RequestOptions, module: typeof http | typeof https) => {
      const reply = await send(
        module,
        url,
        { method: 'POST', agent: false, ...options },
        { headers: lies, body },
      );
      return [reply.status, Object(await reply.json()).error];
    };
    const refused = [401, 'invalid_client'];
    const direct = `${server.url.replace(issuer, `http://127.0.0.1:${server.running.port}`)}/par`;
    const tls = { ca: nginx.certificate };
    expect(await at(`${issuer}/par`, tls, https)).to.deep.equal(refused);
    expect(await at(`${mtls}/par`, tls, https)).to.deep.equal(refused);
    expect(await at(direct, { localAddress: '127.0.0.2' }, http)).to.deep.equal(refused);
    // From the proxy's own address the same headers prove the client: they are good, and the request is empty.
    expect(await at(direct, { localAddress: '127.0.0.1' }, http)).to.deep.equal([400, 'invalid_request']);
  });

  it('MTLS1 nothing but the endpoints of programs answers where certificates are asked for', async () => {
    for (const page of ['/authorize', '/account', '/jwks', '/token/x', '/.well-known/openid-configuration']) {
      expect((await fetchWith()(mtls + page, {})).status, page).to.equal(404);
    }
  });
});

async function send(
  module: typeof http | typeof https,
  url: string,
  options: https.RequestOptions,
  { headers, body }: { headers?: RequestInit['headers']; body?: unknown },
): Promise<Response> {
  const sent = body === undefined || body === null ? '' : String(body);
  const all: Record<string, string> = Object.fromEntries(new Headers(headers));
  if (body instanceof URLSearchParams) all['content-type'] = 'application/x-www-form-urlencoded';
  if (sent !== '') all['content-length'] = String(Buffer.byteLength(sent));
  return new Promise((resolve, reject) => {
    const request = module.request(url, { ...options, headers: all }, async (reply) => {
      const said = new Headers();
      for (const [name, value] of Object.entries(reply.headers)) said.set(name, [value].flat().join(', '));
      resolve(new Response(await text(reply), { status: Number(reply.statusCode), headers: said }));
    });
    request.on('error', reject).end(sent);
  });
}

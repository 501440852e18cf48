/** Clients that are named by the URL of a document about them (client ID metadata documents). */
import { mock } from 'node:test';
import { expect } from 'chai';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { DEVICE_CODE } from '../../src/model/client.ts';
import { INES } from '../support/client-app.ts';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import { asksForPassword, walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';
import {
  API,
  authorize,
  CALLBACK,
  openApi,
  post,
  refreshByDocument,
  signInByDocument,
} from './document-flows.ts';
import { hostileDocuments } from './hostile-documents.ts';

describe('client ID metadata documents', () => {
  let server: TestServer;
  let site: DocumentSite;

  before(async () => {
    site = await startDocumentSite();
    server = await startTestServer({
      config: {
        oidc: { clientIdMetadataDocuments: { hosts: [site.host], organization: 'default' } },
        outbound: { allowPrivate: true },
      },
    });
    await openApi(server);
  });
  after(() => Promise.all([site.close(), server.close()]));

  const request = (clientId: string, more?: Record<string, string>) => authorize(server.url, clientId, more);

  it('MCP1 an unregistered client signs a person in, and gets a token for the API that is open to it', async () => {
    const clientId = site.document('/quill.json');
    const { status, body } = await signInByDocument(server, clientId);
    expect(status, JSON.stringify(body)).to.equal(200);
    expect(decodeJwt(String(body.access_token))).to.deep.include({
      ...{ client_id: clientId, aud: API, scope: 'call', organization: 'default' },
    });
    const again = await refreshByDocument(server, clientId, body.refresh_token);
    expect(again.status, JSON.stringify(again.body)).to.equal(200);
    expect(site.asked.filter((at) => at === '/quill.json')).to.have.length(1);
    const metadata = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).to.include({ client_id_metadata_document_supported: true });
  });

  it('MCP1 such a client gets what is open to it, and nothing that operators grant', async () => {
    const clientId = site.document('/modest.json', {
      ...{ scope: 'openid profile call admin', apis: { [API]: ['admin'] }, first_party: true },
      ...{ organizations: 'all', all_organizations: true, introspects: ['web-app'], dialect: 'vsee' },
      ...{
        default_api: API,
        grant_types: ['authorization_code', 'client_credentials', 'password', DEVICE_CODE],
      },
    });
    await server.running.stores.apis.put({
      ...{
        id: 'closed',
        identifier: 'https://closed.test',
        format: 'jwt',
        algorithm: 'ES256',
        scopes: { call: {} },
      },
    });
    for (const [more, error] of [
      [{ scope: 'openid call admin' }, 'invalid_scope'],
      [{ scope: 'openid profile call' }, 'invalid_scope'],
      [{ resource: 'https://closed.test' }, 'invalid_target'],
      [{ organization: 'other' }, 'invalid_request'],
      [{ code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ] as const) {
      const { url } = request(clientId, more);
      const reply = await fetch(url, { redirect: 'manual' });
      // Anyone may put a document up to have this server's address lead to theirs: the error stays here (RFC 9700, 4.11.2).
      expect([reply.status, reply.headers.get('location')], JSON.stringify(more)).to.deep.equal([400, null]);
      expect(await reply.text(), JSON.stringify(more)).to.contain(`<code>${error}</code>`);
    }
    for (const grant_type of ['client_credentials', DEVICE_CODE, 'password']) {
      const { status, body } = await post(server, '/token', {
        grant_type,
        client_id: clientId,
        device_code: 'x',
      });
      expect([status, body.error], grant_type).to.be.deep.oneOf([
        [400, 'unauthorized_client'],
        [400, 'unsupported_grant_type'],
      ]);
    }
    const { body } = await signInByDocument(server, clientId);
    expect(body.scope).to.equal('call');
    const asked = await post(server, '/introspect', {
      token: String(body.access_token),
      client_id: clientId,
    });
    expect(asked.body).to.deep.equal({ active: false });
  });

  it('MCP1 a client with keys in its document proves itself by them', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'one' };
    site.serve('/keys', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }));
    });
    for (const [at, keys] of [
      ['/with-keys.json', { jwks: { keys: [jwk] } }],
      ['/with-a-place.json', { jwks_uri: `${site.url}/keys` }],
    ] as const) {
      const clientId = site.document(at, { token_endpoint_auth_method: 'private_key_jwt', ...keys });
      const unproven = await signInByDocument(server, clientId);
      expect(unproven.body.error, at).to.equal('invalid_client');
      const { url, verifier } = request(clientId);
      const back = new URL(await walk(openWebSession(), url, CALLBACK, INES));
      const assertion = await new SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(server.issuer)
        .setJti(at)
        .setExpirationTime('1m')
        .sign(privateKey);
      const { status, body } = await post(server, '/token', {
        ...{ grant_type: 'authorization_code', code: String(back.searchParams.get('code')) },
        ...{ code_verifier: verifier, redirect_uri: CALLBACK, resource: API, client_assertion: assertion },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      expect(status, JSON.stringify(body)).to.equal(200);
    }
  });

  it('MCP1 such a client pushes its request, too', async () => {
    const clientId = site.document('/pushes.json');
    const { searchParams } = new URL(request(clientId).url);
    const pushed = await post(server, '/par', Object.fromEntries(searchParams));
    expect(pushed.status, JSON.stringify(pushed.body)).to.equal(201);
    const form = { client_id: clientId, request_uri: String(pushed.body.request_uri) };
    const reply = await fetch(`${server.url}/authorize?${new URLSearchParams(form)}`, { redirect: 'manual' });
    expect(reply.headers.get('location')).to.contain('/interaction/');
  });

  it('MCP2 consent is asked every time, and names the host of the document before the name', async () => {
    const claimed = { client_name: '\u202eGoogle\u0000   Drive' };
    for (const [at, callback, onDevice] of [
      ['/on-device.json', CALLBACK, true],
      ['/on-the-web.json', `${site.url}/callback`, false],
    ] as const) {
      const clientId = site.document(at, { ...claimed, ...(!onDevice && { redirect_uris: [callback] }) });
      const session = openWebSession();
      for (const each of ['first', 'second']) {
        const { url } = request(clientId, { redirect_uri: callback });
        let page = await session.open(url, [callback]);
        if (typeof page !== 'string' && asksForPassword(page)) {
          expect(page.body).to.contain(site.host);
          const { login, password } = INES;
          page = await session.submit(page, { login, password }, { until: [callback] });
        }
        if (typeof page === 'string') throw new Error(`no ${each} consent was asked: ${page}`);
        expect(page.body).to.contain(`${site.host} (Google Drive) asks for access`);
        expect(page.body).to.contain(
          onDevice
            ? `it comes from ${site.host}, which cannot be checked`
            : `Only its address is certain: ${site.host}`,
        );
        expect(typeof (await session.submit(page, {}, { until: [callback] }))).to.equal('string');
      }
      const { url } = request(clientId, { prompt: 'none', redirect_uri: callback });
      expect(String(await session.open(url, [callback]))).to.contain('error=interaction_required');
    }
  });

  it('MCP2 a name that hides, covers or imitates what people read leaves the host alone there', async () => {
    const pile = `Quill${'\u0300'.repeat(40)}`;
    for (const [at, client_name] of ['\u3164\u2800\u115f', pile, 'G\u043e\u043egle'].entries()) {
      const clientId = site.document(`/named-${at}.json`, { client_name });
      const page = await openWebSession().open(request(clientId).url, [CALLBACK]);
      const body = typeof page === 'string' ? page : page.body;
      expect(body, client_name).to.contain(site.host).and.not.to.contain(`${site.host} (`);
    }
  });

  it('MCP5 the metadata of an API below the issuer are answered here, to every origin', async () => {
    const identifier = `${server.issuer}/mcp/tools`;
    await server.running.stores.apis.put({
      ...{ id: 'below', identifier, name: 'Tools', format: 'jwt', algorithm: 'ES256' },
      scopes: { call: { unregistered: true }, admin: {} },
    });
    const at = `${server.url}/.well-known/oauth-protected-resource`;
    const reply = await fetch(`${at}/mcp/tools`, { headers: { origin: 'https://inspector.test' } });
    expect(reply.headers.get('access-control-allow-origin')).to.equal('*');
    expect(await reply.json()).to.deep.equal({
      ...{ resource: identifier, authorization_servers: [server.issuer], scopes_supported: ['call'] },
      ...{ bearer_methods_supported: ['header'], resource_name: 'Tools' },
    });
    const asked = await fetch(`${at}/mcp/tools`, {
      method: 'OPTIONS',
      headers: {
        ...{ origin: 'https://inspector.test', 'access-control-request-method': 'GET' },
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });
    expect([asked.status, asked.headers.get('access-control-allow-headers')]).to.deep.equal([
      204,
      'mcp-protocol-version',
    ]);
    for (const other of ['', '/', '/mcp', '/mcp/tools/', '/mcp/tools?x=1', '-else'])
      expect((await fetch(at + other)).status, other).to.equal(404);
    expect((await fetch(`${at}/mcp/tools`, { method: 'POST' })).status).to.equal(405);
  });
});

function isOfDocument(audit: unknown): audit is { outcome: string } {
  return audit !== null && typeof audit === 'object' && Reflect.get(audit, 'event') === 'client.document';
}

describe('hostile documents', () => {
  let server: TestServer;
  let site: DocumentSite;
  before(async () => {
    site = await startDocumentSite();
    server = await startTestServer({
      config: {
        oidc: { clientIdMetadataDocuments: { hosts: 'any', organization: 'default' } },
        ...{ outbound: { allowPrivate: true }, strangers: { clientDocuments: { limit: 1000 } } },
      },
    });
  });
  after(() => Promise.all([site.close(), server.close()]));

  it('MCP3 P13 makes no client of any of some eighty documents, and says why', async () => {
    const documents = Object.entries(hostileDocuments(site));
    expect(documents.length).to.be.at.least(60);
    const wrong: string[] = [];
    for (const [at, [name, [what, refusal]]] of documents.entries()) {
      const path = `/hostile/${at}`;
      const clientId = typeof what === 'function' ? site.serve(path, what) : site.document(path, what);
      const reply = await fetch(authorize(server.url, clientId).url, { redirect: 'manual' });
      const page = (await reply.text()).replaceAll('&#39;', "'");
      const said = /is no good: ([^<]*)/.exec(page)?.[1] ?? page;
      if (reply.status !== 400 || !said.includes(refusal)) wrong.push(`${name}: ${reply.status} ${said}`);
    }
    expect(wrong).to.deep.equal([]);
    // None of them led anywhere else.
    expect(site.asked.filter((path) => !path.startsWith('/hostile/'))).to.deep.equal([]);
    const outcomes = server.logged.flatMap(({ audit }) => (isOfDocument(audit) ? [audit.outcome] : []));
    // Alike refusals are one line a minute.
    expect(outcomes.length).to.be.at.least(20);
    expect(new Set(outcomes)).to.deep.equal(new Set(['refused']));
  });

  it('MCP3 P13 gives up a host that does not answer, and lets others go on meanwhile', async () => {
    const hanging = site.serve('/hangs', () => {});
    const slow = site.serve('/slow', (_request, response) => void response.writeHead(200).write('{'));
    const soon = AbortSignal.timeout(300);
    const timeout = mock.method(AbortSignal, 'timeout', () => soon);
    const replies = await Promise.all(
      [hanging, slow].map((clientId) => fetch(authorize(server.url, clientId).url)),
    ).finally(() => timeout.mock.restore());
    for (const reply of replies) expect(await reply.text()).to.contain('could not be fetched');
  });
});

describe('documents in a network that the server alone can see', () => {
  it('MCP3 P13 are not asked for, whatever their host is called', async () => {
    const site = await startDocumentSite();
    const server = await startTestServer({
      config: { oidc: { clientIdMetadataDocuments: { hosts: 'any', organization: 'default' } } },
    });
    site.document('/client.json');
    const { port } = new URL(site.url);
    const hosts = [
      ...[
        'localhost',
        '127.0.0.1',
        '127.1.2.3',
        '[::1]',
        '[::ffff:7f00:1]',
        '0.0.0.0',
        '[::]',
        'sub.localhost',
      ],
      ...['169.254.169.254', '10.0.0.1', '192.168.1.1', '172.16.0.1', '100.64.0.1', '[fd00::1]', '[fe80::1]'],
    ];
    for (const host of hosts) {
      const reply = await fetch(authorize(server.url, `https://${host}:${port}/client.json`).url);
      expect([reply.status, /could not be fetched/.test(await reply.text())], host).to.deep.equal([
        400,
        true,
      ]);
    }
    // Other ways to write them name no document at all.
    for (const clientId of [
      ...[`https://2130706433:${port}/client.json`, `https://0x7f.1:${port}/client.json`],
      ...[`http://localhost:${port}/client.json`, `https://LOCALHOST:${port}/client.json`],
      ...[
        `https://localhost:${port}`,
        `https://localhost:${port}/a/../client.json`,
        'https://localhost:443/c',
      ],
      ...[`https://localhost:${port}/%2e%2e/client.json`, `https://me@localhost:${port}/client.json`],
      ...[`https://localhost:${port}/client.json#x`, `https://localhost:${port}/${'x'.repeat(500)}`],
      ...[
        `https:localhost:${port}/client.json`,
        ` https://localhost:${port}/client.json`,
        'https://',
        'https:///x',
      ],
      ...[`https:\\\\localhost:${port}\\client.json`, `https://localhost:${port}/cli\tent.json`],
    ]) {
      const page = await (await fetch(authorize(server.url, clientId).url)).text();
      expect(page, clientId).to.contain('there is no client with this client_id');
    }
    expect(site.asked).to.deep.equal([]);
    await server.close();
    const of = { hosts: 'any', organization: 'nowhere' } as const;
    const other = await startTestServer({
      config: { oidc: { clientIdMetadataDocuments: of }, outbound: { allowPrivate: true } },
    });
    const page = await (await fetch(authorize(other.url, site.document('/client.json')).url)).text();
    expect(page).to.contain('set no organization up for such clients');
    await Promise.all([site.close(), other.close()]);
  });
});

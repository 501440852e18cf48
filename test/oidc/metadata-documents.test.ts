/** Clients that are named by the URL of a document about them (client ID metadata documents). */
import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { INES } from '../support/client-app.ts';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import { asksForPassword, walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type WebSession } from '../support/web-session.ts';

const API = 'https://mcp.test/mcp';
const CALLBACK = 'http://127.0.0.1:4321/callback';

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
    await server.running.stores.apis.put({
      ...{ id: 'mcp', identifier: API, format: 'jwt', algorithm: 'ES256' },
      scopes: { call: { unregistered: true }, admin: {} },
    });
  });
  after(() => Promise.all([site.close(), server.close()]));

  interface Request {
    readonly url: string;
    readonly verifier: string;
  }

  function request(clientId: string, more: Record<string, string> = {}): Request {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL('/authorize', server.url);
    url.search = new URLSearchParams({
      ...{
        client_id: clientId,
        response_type: 'code',
        redirect_uri: CALLBACK,
        scope: 'openid call',
        resource: API,
      },
      ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url') },
      ...{ code_challenge_method: 'S256', state: 'of-the-client', ...more },
    }).toString();
    return { url: url.href, verifier };
  }

  const token = async (form: Record<string, string>) => {
    const reply = await fetch(`${server.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: reply.status, body: (await reply.json()) as Record<string, string> };
  };

  async function signIn(clientId: string, session: WebSession = openWebSession()) {
    const { url, verifier } = request(clientId);
    const at = await walk(session, url, CALLBACK, INES);
    const code = String(new URL(at).searchParams.get('code'));
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: CALLBACK };
    return token({ ...form, client_id: clientId, resource: API });
  }

  it('MCP1 an unregistered client signs a person in, and gets a token for the API that is open to it', async () => {
    const clientId = site.document('/quill.json');
    const { status, body } = await signIn(clientId);
    expect(status, JSON.stringify(body)).to.equal(200);
    expect(decodeJwt(String(body.access_token))).to.deep.include({
      ...{ client_id: clientId, aud: API, scope: 'call', organization: 'default' },
    });
    const again = await token({
      ...{ grant_type: 'refresh_token', refresh_token: String(body.refresh_token), client_id: clientId },
      resource: API,
    });
    expect(again.status, JSON.stringify(again.body)).to.equal(200);
    expect(site.asked.filter((at) => at === '/quill.json')).to.have.length(1);
    const metadata = await fetch(`${server.url}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).to.include({ client_id_metadata_document_supported: true });
  });

  it('MCP2 consent is asked every time, and names the host of the document before the name', async () => {
    const clientId = site.document('/named.json', { client_name: '\u202eGoogle\u0000   Drive' });
    const session = openWebSession();
    for (const _each of [1, 2]) {
      const { url } = request(clientId);
      let page = await session.open(url, [CALLBACK]);
      if (typeof page !== 'string' && asksForPassword(page)) {
        expect(page.body).to.contain(site.host);
        const { login, password } = INES;
        page = await session.submit(page, { login, password }, { until: [CALLBACK] });
      }
      if (typeof page === 'string') throw new Error(`no consent was asked: ${page}`);
      expect(page.body).to.contain(`${site.host} (Google Drive) asks for access`);
      expect(page.body).to.contain('Only its address is certain').and.to.contain('a program on this device');
      expect(typeof (await session.submit(page, {}, { until: [CALLBACK] }))).to.equal('string');
    }
    const { url } = request(clientId, { prompt: 'none' });
    const quiet = await session.open(url, [CALLBACK]);
    expect(String(quiet)).to.contain('error=interaction_required');
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

/**
 * The TypeScript SDK of the Model Context Protocol, both sides of it: an MCP server that says by RFC 9728 who
 * gives out tokens for it, and clients that find their own way from there: one that an operator registered, one that
 * registers itself, and one that is named by the URL of a document about it. All is set up with the commands of docs/mcp.md.
 */

import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { mcpAuthMetadataRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import { OAuthMetadataSchema } from '@modelcontextprotocol/sdk/shared/auth.js';
import { expect } from 'chai';
import express from 'express';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { commandsIn, readPage, terminalBeside } from '../cli/page-commands.ts';
import { INES, type Served, serve } from '../support/client-app.ts';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import { walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

const SCOPE = 'tools:call';
const CLIENT_ID = 'my-editor';
/** As it is registered; the client of the test listens on a port of its own. */
const CALLBACK = 'http://127.0.0.1/callback';

describe("MCP's SDK", () => {
  let server: TestServer;
  let site: Served;
  let documents: DocumentSite;
  let api: string;
  const subjects: (string | undefined)[] = [];

  before(async () => {
    const app = express();
    site = await serve(app);
    api = `${site.url}/mcp`;
    documents = await startDocumentSite();
    server = await startTestServer({
      config: {
        oidc: {
          clientIdMetadataDocuments: { hosts: [documents.host], organization: 'default' },
          registration: { mode: 'open', organization: 'default' },
        },
        outbound: { allowPrivate: true },
      },
    });
    await runPage({ 'https://mcp.example.org/mcp': api });
    const metadata = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`);
    app.use(
      mcpAuthMetadataRouter({
        oauthMetadata: OAuthMetadataSchema.parse(await metadata.json()),
        resourceServerUrl: new URL(api),
        scopesSupported: [SCOPE],
      }),
    );
    app.post('/mcp', bearer(), express.json(), async (request, response) => {
      subjects.push(request.auth?.clientId);
      const mcp = new McpServer({ name: 'of this test', version: '1.0.0' });
      mcp.registerTool('greet', {}, () => ({ content: [{ type: 'text', text: 'Good day' }] }));
      const transport = new StreamableHTTPServerTransport({});
      await mcp.connect(transport);
      await transport.handleRequest(request, response, request.body);
    });
  });
  after(() => Promise.all([site.close(), server.close(), documents.close()]));

  async function runPage(addresses: Record<string, string>): Promise<void> {
    const terminal = terminalBeside(server);
    for (const command of commandsIn(readPage('mcp.md'), addresses)) {
      const { code, stderr } = await terminal.session(command);
      expect(code, stderr).to.equal(0);
    }
    terminal.close();
  }

  function bearer() {
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const verifyAccessToken = async (token: string) => {
      const checks = { issuer: server.issuer, audience: api, typ: 'at+jwt' };
      const { payload } = await jwtVerify(token, keys, checks).catch((error: Error) => {
        throw new InvalidTokenError(error.message);
      });
      const scopes = String(payload.scope).split(' ');
      return { token, clientId: String(payload.client_id), scopes, expiresAt: Number(payload.exp) };
    };
    const resourceMetadataUrl = `${site.url}/.well-known/oauth-protected-resource/mcp`;
    return requireBearerAuth({
      verifier: { verifyAccessToken },
      requiredScopes: [SCOPE],
      resourceMetadataUrl,
    });
  }

  /** Keeps in memory what an MCP client keeps for its person. */
  class Memory implements OAuthClientProvider {
    readonly redirectUrl = CALLBACK.replace('/callback', ':4321/callback');
    readonly clientMetadata = {
      redirect_uris: [this.redirectUrl],
      client_name: 'Editor',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    };
    authorizationUrl = '';
    #tokens: OAuthTokens | undefined;
    #verifier = '';
    constructor({ clientId, documentUrl }: { clientId?: string; documentUrl?: string }) {
      this.#known = clientId === undefined ? undefined : { client_id: clientId };
      this.clientInformation = () => this.#known;
      if (documentUrl !== undefined) this.clientMetadataUrl = documentUrl;
    }
    readonly clientInformation: () => { client_id: string } | undefined;
    readonly saveClientInformation = (known: { client_id: string }) => {
      this.#known = known;
    };
    readonly clientMetadataUrl?: string;
    #known: { client_id: string } | undefined;
    tokens = () => this.#tokens;
    saveTokens(tokens: OAuthTokens) {
      this.#tokens = tokens;
    }
    redirectToAuthorization(url: URL) {
      this.authorizationUrl = url.href;
    }
    codeVerifier = () => this.#verifier;
    saveCodeVerifier(verifier: string) {
      this.#verifier = verifier;
    }
  }

  async function connect(memory: Memory) {
    const transport = new StreamableHTTPClientTransport(new URL(api), { authProvider: memory });
    const client = new Client({ name: 'of this test', version: '1.0.0' });
    const refused = await client.connect(transport).catch((error: unknown) => error);
    return { client, transport, refused };
  }

  async function walkThrough(memory: Memory): Promise<void> {
    const first = await connect(memory);
    expect(first.refused).to.be.instanceOf(UnauthorizedError);
    const callback = await walk(openWebSession(), memory.authorizationUrl, memory.redirectUrl, INES);
    await first.transport.finishAuth(new URL(callback).searchParams.get('code') ?? '');

    const second = await connect(memory);
    expect(second.refused).to.equal(undefined);
    const greeting = { content: [{ type: 'text', text: 'Good day' }] };
    expect(await second.client.callTool({ name: 'greet' })).to.deep.equal(greeting);
    expect(decodeJwt(memory.tokens()?.access_token ?? '')).to.include({ aud: api, scope: SCOPE });

    const before = memory.tokens();
    memory.saveTokens({ ...before, access_token: 'gone', token_type: 'Bearer' });
    const third = await connect(memory);
    expect(third.refused).to.equal(undefined);
    expect(memory.tokens()?.access_token).to.be.a('string').and.not.equal('gone');
  }

  it('finds the server, signs in, calls a tool, and refreshes', async () => {
    subjects.length = 0;
    await walkThrough(new Memory({ clientId: CLIENT_ID }));
    expect(new Set(subjects)).to.deep.equal(new Set([CLIENT_ID]));
  });

  it('REG1 does the same as a client that registers itself', async () => {
    subjects.length = 0;
    const memory = new Memory({});
    await walkThrough(memory);
    const { client_id: id = '' } = memory.clientInformation() ?? {};
    expect(await server.running.stores.clients.byId(id)).to.have.nested.property('registered.at');
    expect(new Set(subjects)).to.deep.equal(new Set([id]));
  });

  it('MCP1 does the same as a client that no operator registered, named by its document', async () => {
    subjects.length = 0;
    const documentUrl = documents.document('/editor/client.json', { redirect_uris: [CALLBACK] });
    await walkThrough(new Memory({ documentUrl }));
    expect(new Set(subjects)).to.deep.equal(new Set([documentUrl]));
  });
});

/** Clients that register themselves (RFC 7591) and manage that (RFC 7592), with libraries and past them. */

import { registerClient } from '@modelcontextprotocol/sdk/client/auth.js';
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import type { ConfigInput } from '../../src/config/schema.ts';
import { INES } from '../support/client-app.ts';
import { asksForPassword, relyingParty, signIn, walkOut } from '../support/relying-party.ts';
import { type DeepPartial, startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

const CALLBACK = 'https://app.example/callback';
const APP = { redirect_uris: [CALLBACK], client_name: 'Reading list' };
const REFRESHED = { ...APP, grant_types: ['authorization_code', 'refresh_token'] };

type Registered = Record<string, unknown> & {
  readonly client_id: string;
  readonly client_secret?: string;
  readonly registration_client_uri: string;
  readonly registration_access_token: string;
};

const OPEN: DeepPartial<ConfigInput> = {
  oidc: { registration: { mode: 'open', organization: 'default' } },
  strangers: { registrations: { limit: 1000 } },
};

function post(server: TestServer, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function register(server: TestServer, body: object = APP, headers = {}): Promise<Registered> {
  const reply = await post(server, body, headers);
  expect(reply.status, await reply.clone().text()).to.equal(201);
  return (await reply.json()) as Registered;
}

function manage(made: Registered, method: string, body?: object): Promise<Response> {
  return fetch(made.registration_client_uri, {
    method,
    headers: {
      authorization: `Bearer ${made.registration_access_token}`,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** Up to the consent page. */
async function consentPage(url: string, headers?: Record<string, string>): Promise<Page> {
  const session = openWebSession(headers && { headers });
  const asked = await session.open(url, [CALLBACK]);
  if (typeof asked === 'string' || !asksForPassword(asked)) throw new Error('No sign-in page.');
  const { login, password } = INES;
  const at = await session.submit(asked, { login, password }, { until: [CALLBACK] });
  if (typeof at === 'string') throw new Error('No consent was asked for.');
  return at;
}

const partyOf = (server: TestServer, made: Registered, secretIn?: 'body') =>
  relyingParty(server.issuer, {
    ...{ clientId: made.client_id, redirectUri: CALLBACK },
    ...(made.client_secret !== undefined && { secret: made.client_secret }),
    ...(secretIn && { secretIn }),
  });

describe('clients that register themselves', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ config: OPEN });
  });
  after(() => server.close());

  const stored = (clientId: string) => server.running.stores.clients.byId(clientId);

  describe('with a library', () => {
    it('REG1 openid-client registers, signs in, refreshes and signs out', async () => {
      const configuration = await oidc.dynamicClientRegistration(
        new URL(server.issuer),
        { ...REFRESHED, post_logout_redirect_uris: ['https://app.example/bye'] },
        undefined,
        { execute: [oidc.allowInsecureRequests] },
      );
      const { client_id: clientId, client_secret: secret } = configuration.clientMetadata();
      const party = await relyingParty(server.issuer, {
        ...{ clientId, redirectUri: CALLBACK, secret: String(secret) },
      });
      const { tokens, session } = await signIn(party, INES);
      expect(tokens.claims()?.aud).to.equal(clientId);
      const refreshed = await oidc.refreshTokenGrant(configuration, tokens.refresh_token ?? '');
      expect(refreshed.access_token).to.be.a('string');
      const out = oidc.buildEndSessionUrl(configuration, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: 'https://app.example/bye',
      });
      await walkOut(session, out.href, 'https://app.example/bye');
    });

    it('REG1 oauth4webapi registers a public client, which signs in', async () => {
      const http = { [oauth.allowInsecureRequests]: true };
      const issuer = new URL(server.issuer);
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
      const metadata = { ...APP, token_endpoint_auth_method: 'none' };
      const client = await oauth.processDynamicClientRegistrationResponse(
        await oauth.dynamicClientRegistrationRequest(as, metadata, http),
      );
      expect(client).not.to.have.property('client_secret');
      const party = await relyingParty(server.issuer, {
        clientId: client.client_id,
        redirectUri: CALLBACK,
      });
      const { tokens } = await signIn(party, INES);
      expect(tokens.claims()?.aud).to.equal(client.client_id);
    });

    it('REG1 MCP’s SDK registers a client on the person’s machine, which may choose its port', async () => {
      const redirectUri = 'http://127.0.0.1:4321/callback';
      const client = await registerClient(server.issuer, {
        clientMetadata: { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' },
      });
      expect((await stored(client.client_id))?.metadata.application_type).to.equal('native');
      const party = await relyingParty(server.issuer, {
        clientId: client.client_id,
        redirectUri: redirectUri.replace('4321', '5432'),
      });
      expect((await signIn(party, INES)).tokens.claims()?.aud).to.equal(client.client_id);
    });
  });

  describe('what people see', () => {
    it('REG2 the consent page says in three languages that the client registered itself, and where it leads', async () => {
      const made = await register(server, { ...APP, client_name: 'Harbour <b>Bank</b>' });
      const party = await partyOf(server, made);
      for (const [language, sentence] of [
        ['en', 'registered itself here'],
        ['de', 'hat sich hier selbst angemeldet'],
        ['es', 'se registró aquí por su cuenta'],
      ] as const) {
        const { url } = await party.begin({ ui_locales: language });
        const { body } = await consentPage(url);
        expect(body).to.contain(sentence).and.contain('app.example').and.not.contain('<b>Bank');
      }
    });

    it('REG2 consent is asked for at every sign-in, and prompt=none says so', async () => {
      const party = await partyOf(server, await register(server));
      const { session } = await signIn(party, INES);
      const again = await session.open((await party.begin()).url, [CALLBACK]);
      expect(again).to.be.an('object').with.property('body').that.contains('registered itself');
      const silent = await session.open((await party.begin({ prompt: 'none' })).url, [CALLBACK]);
      expect(silent).to.contain('error=interaction_required');
    });
  });

  describe('RFC 7592', () => {
    it('REG3 a client is read, changed and deleted with its token, which each change replaces', async () => {
      const made = await register(server, REFRESHED);
      const read = await manage(made, 'GET');
      const shown = (await read.json()) as Record<string, unknown>;
      expect(read.status).to.equal(200);
      expect(shown).to.include({ client_id: made.client_id, client_name: 'Reading list' });
      expect(shown).not.to.have.any.keys('client_secret', 'first_party', 'organization', 'registered');

      const change = { ...REFRESHED, client_id: made.client_id, client_secret: made.client_secret };
      const reply = await manage(made, 'PUT', { ...change, client_name: 'Reading list 2' });
      expect(reply.status, await reply.clone().text()).to.equal(200);
      const changed = (await reply.json()) as Registered;
      expect(changed.client_name).to.equal('Reading list 2');
      expect(changed).not.to.have.property('client_secret');
      expect((await manage(made, 'GET')).status).to.equal(401);

      const { tokens } = await signIn(await partyOf(server, made), INES);
      const now = { ...made, registration_access_token: changed.registration_access_token };
      expect((await manage(now, 'DELETE')).status).to.equal(204);
      const info = await fetch(`${server.issuer}/userinfo`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      expect(info.status).to.equal(401);
      expect((await manage(now, 'GET')).status).to.equal(401);
      expect(await stored(made.client_id)).to.equal(undefined);
      const left = await server.running.oidc.accountAccess.listGrants(String(tokens.claims()?.sub));
      expect(left.map(({ clientId }) => clientId)).not.to.include(made.client_id);
    });

    it('REG3 a change takes away what it does not name, keeps what the operator set, and widens nothing', async () => {
      const made = await register(server, { ...REFRESHED, logo_uri: 'https://app.example/logo.png' });
      const present = await stored(made.client_id);
      if (present === undefined) throw new Error('The client is not there.');
      const { metadata } = present;
      await server.running.stores.clients.put({
        ...present,
        metadata: { ...metadata, sign_in: 'name-first', apis: { 'https://api.example': ['read'] } },
      });
      const reply = await manage(made, 'PUT', {
        ...{ ...APP, client_id: made.client_id, scope: 'openid phone roles', first_party: true },
        ...{
          organization: 'clinicdev',
          apis: { 'https://api.example': ['write'] },
          introspects: ['web-app'],
        },
      });
      expect(reply.status).to.equal(200);
      const after = await stored(made.client_id);
      expect(after).to.deep.include({ firstParty: false, organization: 'default', introspects: [] });
      expect(after?.metadata).to.deep.include({
        ...{ scope: 'openid', sign_in: 'name-first', apis: { 'https://api.example': ['read'] } },
        grant_types: ['authorization_code'],
      });
      expect(after?.metadata).not.to.have.property('logo_uri');
    });

    it('REG3 nothing else manages a client: another’s token, a wrong secret, a client of the operator', async () => {
      const [one, two] = [await register(server), await register(server)];
      const mixed = { ...one, registration_access_token: two.registration_access_token };
      const body = { ...APP, client_id: one.client_id };
      for (const method of ['PUT', 'DELETE', 'GET']) {
        expect((await manage(mixed, method, method === 'PUT' ? body : undefined)).status).to.equal(401);
      }
      const ofOperator = { ...one, registration_client_uri: `${server.issuer}/register/web-app` };
      expect((await manage(ofOperator, 'DELETE')).status).to.equal(401);
      const three = await register(server);
      const hash = (await stored(three.client_id))?.secretHash;
      for (const client_secret of ['wrong', hash]) {
        const change = { ...APP, client_id: three.client_id, client_secret };
        expect((await manage(three, 'PUT', change)).status, String(client_secret)).to.equal(400);
      }
      expect((await stored(three.client_id))?.secretHash).to.equal(hash);
    });

    it('REG3 of changes with one token beside each other one counts, and one token is good afterwards', async () => {
      const made = await register(server);
      const change = { ...APP, client_id: made.client_id };
      const replies = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          manage(made, 'PUT', { ...change, ...(i % 2 && { token_endpoint_auth_method: 'none' }) }),
        ),
      );
      const statuses = replies.map(({ status }) => status);
      expect(statuses.toSorted()).to.deep.equal([200, ...Array.from({ length: 7 }, () => 401)]);
      const winner = replies.find(({ status }) => status === 200);
      const now = { ...made, ...((await winner?.json()) as object) };
      expect((await manage(now, 'GET')).status).to.equal(200);
      expect((await manage(made, 'GET')).status).to.equal(401);
    });

    it('REG3 a secret that the operator replaces during a change is the one that counts', async () => {
      const made = await register(server);
      const { clients } = server.running.stores;
      const { byId } = clients;
      const hash = server.running.identity.secrets.hmac('client-secret', 'drawn-by-the-operator');
      let reads = 0;
      // The last read of a change is the one before it is written.
      Object.assign(clients, {
        byId: async (id: string) => {
          const client = await byId(id);
          reads += 1;
          if (client === undefined || reads < 3) return client;
          Object.assign(clients, { byId });
          await clients.put({ ...client, secretHash: hash });
          return clients.byId(id);
        },
      });
      const reply = await manage(made, 'PUT', { ...APP, client_id: made.client_id, client_name: 'Other' });
      Object.assign(clients, { byId });
      expect(reply.status, await reply.clone().text()).to.equal(200);
      expect((await stored(made.client_id))?.secretHash).to.equal(hash);
    });

    it('REG3 a client that turns public loses its secret, and gets another when it turns back', async () => {
      const made = await register(server);
      const change = { ...APP, client_id: made.client_id };
      const open = await manage(made, 'PUT', { ...change, token_endpoint_auth_method: 'none' });
      expect(open.status, await open.clone().text()).to.equal(200);
      expect((await stored(made.client_id))?.secretHash).to.equal(undefined);
      const back = await manage({ ...made, ...((await open.json()) as object) }, 'PUT', change);
      const { client_secret: secret } = (await back.json()) as Registered;
      expect(secret).to.be.a('string').and.not.equal(made.client_secret);
      await signIn(await partyOf(server, { ...made, client_secret: String(secret) }), INES);
    });
  });
});

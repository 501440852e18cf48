/** simple-oauth2: OAuth 2 alone, without OpenID Connect. */
import { expect } from 'chai';
import { type AccessToken, AuthorizationCode, ClientCredentials } from 'simple-oauth2';
import { INES } from '../support/client-app.ts';
import { ownApp, service, type TestClient } from '../support/clients.ts';
import { walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

describe('simple-oauth2', () => {
  let server: TestServer;
  let tokens: AccessToken;

  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  function configurationOf({ clientId, secret = '' }: TestClient) {
    const auth = { tokenHost: server.issuer, tokenPath: '/token', revokePath: '/revoke' };
    return { client: { id: clientId, secret }, auth };
  }

  function userinfo({ token }: AccessToken): Promise<Response> {
    return fetch(`${server.issuer}/userinfo`, { headers: { authorization: `Bearer ${token.access_token}` } });
  }

  it('gets a token for itself', async () => {
    const { token } = await new ClientCredentials(configurationOf(service)).getToken({});
    expect(token.access_token).to.be.a('string');
  });

  it('signs in, asks userinfo, and refreshes', async () => {
    const { auth, client } = configurationOf(ownApp);
    const app = new AuthorizationCode({ client, auth: { ...auth, authorizePath: '/authorize' } });
    const redirect = { redirect_uri: ownApp.redirectUri };
    const url = app.authorizeURL({ ...redirect, scope: ['openid', 'profile', 'email'], state: 'st' });
    const callback = await walk(openWebSession(), url, ownApp.redirectUri, INES);
    const code = new URL(callback).searchParams.get('code') ?? '';
    const first = await app.getToken({ ...redirect, code });
    expect(await (await userinfo(first)).json()).to.include({ email: INES.login, name: INES.name });
    tokens = await first.refresh();
    expect((await userinfo(tokens)).status).to.equal(200);
  });

  it('ends its tokens', async () => {
    await tokens.revokeAll();
    expect((await userinfo(tokens)).status).to.equal(401);
  });
});

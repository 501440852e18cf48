/** express-openid-connect, Auth0's middleware. */
import { expect } from 'chai';
import express from 'express';
import oidc from 'express-openid-connect';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { ownApp, type TestClient, webApp } from '../support/clients.ts';
import { asksForPassword, walk, walkOut } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

describe('express-openid-connect', () => {
  let server: TestServer;
  const sites: Served[] = [];

  before(async () => {
    server = await startTestServer();
  });
  after(() => Promise.all([...sites.map((site) => site.close()), server.close()]));

  async function startApp({ clientId, secret = '' }: TestClient): Promise<string> {
    const app = express();
    const site = await serve(app);
    sites.push(site);
    const configuration = {
      ...{ issuerBaseURL: server.issuer, baseURL: site.url, clientID: clientId, clientSecret: secret },
      ...{ secret: 'of this test, and long enough for it', authRequired: false, idpLogout: true },
      routes: { postLogoutRedirect: '/signed-out' },
      authorizationParams: { response_type: 'code', scope: 'openid profile email roles' },
    };
    app.use(oidc.auth(configuration));
    app.get('/me', oidc.requiresAuth(), async (request, response) => {
      const refreshed = await request.oidc.accessToken?.refresh();
      response.json({
        user: request.oidc.user,
        userinfo: await request.oidc.fetchUserInfo(),
        refreshed: refreshed !== undefined,
      });
    });
    return site.url;
  }

  const expected = { name: INES.name, email: INES.login, roles: INES.roles };

  it('signs in, reads the ID token, asks userinfo, refreshes and signs out', async () => {
    const app = await startApp(webApp);
    await rehome(server, webApp, app, { id_token_claims: true });
    const session = openWebSession();
    await walk(session, `${app}/me`, `${app}/me`, INES);
    const me = (await (await session.request(`${app}/me`)).json()) as Record<string, unknown>;
    expect(me.user).to.deep.include(expected);
    expect(me.userinfo).to.deep.include(expected);
    expect(me.refreshed).to.equal(true);
    await walkOut(session, `${app}/logout`, `${app}/signed-out`);
    const again = await session.open(`${app}/me`, [`${app}/callback`]);
    expect(typeof again !== 'string' && asksForPassword(again)).to.equal(true);
  });

  it('as it comes takes RS256, and reads the ID token alone', async () => {
    const app = await startApp(ownApp);
    await rehome(server, ownApp, app, { id_token_claims: true });
    const session = openWebSession();
    await walk(session, `${app}/me`, `${app}/me`, INES);
    const me = (await (await session.request(`${app}/me`)).json()) as Record<string, unknown>;
    expect(me.user).to.deep.include(expected);
  });
});

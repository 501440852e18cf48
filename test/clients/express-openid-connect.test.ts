/** express-openid-connect, Auth0's middleware. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import express from 'express';
import oidc, { type BackchannelLogoutOptions, type ConfigParams } from 'express-openid-connect';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { ownApp, type TestClient, webApp, webAppPost } from '../support/clients.ts';
import { asksForPassword, walk, walkOut } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

describe('express-openid-connect', () => {
  let server: TestServer;
  const sites: Served[] = [];

  before(async () => {
    server = await startTestServer({ config: { outbound: { allowPrivate: true } } });
  });
  after(() => Promise.all([...sites.map((site) => site.close()), server.close()]));

  async function startApp({ clientId, secret = '' }: TestClient, more: ConfigParams = {}): Promise<string> {
    const app = express();
    const site = await serve(app);
    sites.push(site);
    const configuration = {
      ...{ issuerBaseURL: server.issuer, baseURL: site.url, clientID: clientId, clientSecret: secret },
      ...{ secret: 'of this test, and long enough for it', authRequired: false, idpLogout: true },
      routes: { postLogoutRedirect: '/signed-out' },
      authorizationParams: { response_type: 'code', scope: 'openid profile email roles' },
      ...more,
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

  it('LO3 takes the logout token of a sign-out elsewhere, and signs its own session out', async () => {
    // The package keeps logouts in any store of express-session's kind.
    const kept = new Map<string, unknown>();
    const store = {
      get: (id: string, done: (error: unknown, entry?: unknown) => void) => done(null, kept.get(id)),
      set: (id: string, entry: unknown, done: (error?: unknown) => void) => done(void kept.set(id, entry)),
      destroy: (id: string, done: (error?: unknown) => void) => done(void kept.delete(id)),
    };
    const app = await startApp(webAppPost, {
      ...{ clientAuthMethod: 'client_secret_post', backchannelLogout: { store } as BackchannelLogoutOptions },
    });
    await rehome(server, webAppPost, app, {
      scope: 'openid profile email roles',
      ...{ backchannel_logout_uri: `${app}/backchannel-logout`, backchannel_logout_session_required: true },
    });
    const session = openWebSession();
    await walk(session, `${app}/me`, `${app}/me`, INES);
    expect((await session.request(`${app}/me`)).status).to.equal(200);
    const { stores, identity } = server.running;
    const account = await stores.accounts.byEmail('default', INES.login);
    await identity.access.endAll(String(account?.id));
    for (const end = Date.now() + 15_000; kept.size === 0; await sleep(20)) {
      if (Date.now() > end) throw new Error(server.logText());
    }
    expect((await session.request(`${app}/me`)).status, 'sent to sign in').to.equal(302);
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

/** Auth.js (NextAuth) in Express. It signs out of itself alone. */
import { createRequire } from 'node:module';
import { expect } from 'chai';
import express from 'express';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { type TestClient, webApp } from '../support/clients.ts';
import { walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

// Imported, its types would bring those of the DOM into every file of the project.
const require = createRequire(import.meta.url);
const { ExpressAuth } = require('@auth/express');

interface Callback {
  readonly session: object;
  readonly token: { readonly roles?: readonly string[] };
  readonly profile?: { readonly roles?: readonly string[] };
}

describe('Auth.js', () => {
  let server: TestServer;
  let site: Served;

  before(async () => {
    server = await startTestServer();
    const app = express();
    app.use('/asks-userinfo', ExpressAuth(configuration('/asks-userinfo', webApp, { idToken: false })));
    app.use('/reads-id-token', ExpressAuth(configuration('/reads-id-token', webApp, {})));
    site = await serve(app);
    const redirectUris = ['asks-userinfo', 'reads-id-token'].map(
      (at) => `${site.url}/${at}/callback/portico`,
    );
    await rehome(server, webApp, site.url, { redirect_uris: redirectUris, id_token_claims: true });
  });
  after(() => Promise.all([site.close(), server.close()]));

  function configuration(basePath: string, { clientId, secret }: TestClient, more: { idToken?: boolean }) {
    return {
      ...{ basePath, secret: 'of this test', trustHost: true },
      callbacks: {
        jwt: ({ token, profile }: Callback) => ({ ...token, ...(profile && { roles: profile.roles }) }),
        session: ({ session, token }: Callback) => ({ ...session, roles: token.roles }),
      },
      providers: [
        {
          ...{ id: 'portico', name: 'Portico', type: 'oidc', issuer: server.issuer },
          ...{ clientId, clientSecret: secret },
          authorization: { params: { scope: 'openid profile email roles' } },
          checks: ['pkce', 'state', 'nonce'],
          ...more,
        },
      ],
    };
  }

  async function signedIn(basePath: string): Promise<unknown> {
    const session = openWebSession();
    const done = `${site.url}/signed-in`;
    await walk(session, `${site.url}${basePath}/signin?callbackUrl=${done}`, done, INES);
    return (await session.request(`${site.url}${basePath}/session`)).json();
  }

  const expected = { user: { name: INES.name, email: INES.login }, roles: INES.roles };

  it('signs in, and knows the person by userinfo where it is told to ask there', async () => {
    expect(await signedIn('/asks-userinfo')).to.deep.include(expected);
  });

  it('signs in, and knows the person by the ID token, which is all that it reads by itself', async () => {
    expect(await signedIn('/reads-id-token')).to.deep.include(expected);
  });
});

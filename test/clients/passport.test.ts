/** Passport in Express, with its strategies for OpenID Connect and for plain OAuth 2. */
import { expect } from 'chai';
import express from 'express';
import expressSession from 'express-session';
import passport from 'passport';
import OAuth2Strategy from 'passport-oauth2';
import OpenIdConnectStrategy from 'passport-openidconnect';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { ownApp, type TestClient, webApp } from '../support/clients.ts';
import { asksForPassword, walk, walkOut } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

type Person = OpenIdConnectStrategy.Profile;
type Done = OpenIdConnectStrategy.VerifyCallback;

describe('Passport', () => {
  let server: TestServer;
  let site: Served;
  let strategies: passport.Authenticator;

  before(async () => {
    server = await startTestServer();
    strategies = new passport.Passport();
    const app = express();
    app.use(expressSession({ secret: 'of this test', resave: false, saveUninitialized: false }));
    app.use(strategies.session());
    strategies.serializeUser((user, done) => done(null, user));
    strategies.deserializeUser((user: Express.User, done) => done(null, user));
    app.get('/login/:strategy', (request, response, next) =>
      strategies.authenticate(request.params.strategy)(request, response, next),
    );
    app.get('/callback/:strategy', (request, response, next) =>
      strategies.authenticate(request.params.strategy, { successRedirect: '/me' })(request, response, next),
    );
    app.get('/me', (request, response) => void response.json(request.user));
    site = await serve(app);
    const callbacks = (...names: string[]) => names.map((name) => `${site.url}/callback/${name}`);
    await rehome(server, ownApp, site.url, { redirect_uris: callbacks('default'), id_token_claims: true });
    await rehome(server, webApp, site.url, {
      redirect_uris: callbacks('openidconnect', 'oauth2'),
    });
  });
  after(() => Promise.all([site.close(), server.close()]));

  function options(name: string, { clientId, secret = '' }: TestClient = webApp) {
    return {
      ...{ issuer: server.issuer, clientID: clientId, clientSecret: secret },
      ...{ authorizationURL: `${server.issuer}/authorize`, tokenURL: `${server.issuer}/token` },
      ...{ userInfoURL: `${server.issuer}/userinfo`, callbackURL: `${site.url}/callback/${name}` },
      scope: ['profile', 'email'],
    };
  }

  async function signedIn(strategy: string) {
    const session = openWebSession();
    await walk(session, `${site.url}/login/${strategy}`, `${site.url}/me`, INES);
    const me = (await (await session.request(`${site.url}/me`)).json()) as Record<string, string>;
    return { session, me };
  }

  it('openidconnect reads userinfo, and the person signs out', async () => {
    const strategy = new OpenIdConnectStrategy(
      { ...options('openidconnect'), skipUserProfile: false },
      (_: string, person: Person, _context: object, idToken: string | object, done: Done) =>
        done(null, { name: person.displayName, email: person.emails?.[0]?.value, idToken }),
    );
    strategies.use(strategy);
    const { session, me } = await signedIn('openidconnect');
    expect(me).to.include({ name: INES.name, email: INES.login });
    const leaving = new URLSearchParams({
      id_token_hint: me.idToken ?? '',
      post_logout_redirect_uri: `${site.url}/signed-out`,
    });
    await walkOut(session, `${server.issuer}/logout?${leaving}`, `${site.url}/signed-out`);
    const again = await session.open(`${site.url}/login/openidconnect`, [`${site.url}/callback`]);
    expect(typeof again !== 'string' && asksForPassword(again)).to.equal(true);
  });

  it('openidconnect as it comes reads the ID token alone', async () => {
    const strategy = new OpenIdConnectStrategy(
      options('default', ownApp),
      (_: string, person: Person, done: Done) =>
        done(null, { name: person.displayName, email: person.emails?.[0]?.value }),
    );
    strategies.use('default', strategy);
    expect((await signedIn('default')).me).to.deep.equal({ name: INES.name, email: INES.login });
  });

  it('oauth2 signs in with PKCE and gets a token', async () => {
    const strategy = new OAuth2Strategy(
      { ...options('oauth2'), scope: ['openid', 'email'], state: true, pkce: true },
      (token: string, _refresh: string, _person: unknown, done: OAuth2Strategy.VerifyCallback) =>
        done(null, { token }),
    );
    strategies.use(strategy);
    const { me } = await signedIn('oauth2');
    const reply = await fetch(`${server.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${me.token}` },
    });
    expect(await reply.json()).to.include({ email: INES.login });
  });
});

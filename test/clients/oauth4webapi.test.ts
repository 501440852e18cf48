/** oauth4webapi: every check of a reply that RFC 6749 and OpenID Connect ask for, and nothing between it and HTTP. */
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import { INES } from '../support/client-app.ts';
import { ownApp } from '../support/clients.ts';
import { walk, walkOut } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

const http = { [oauth.allowInsecureRequests]: true };

describe('oauth4webapi', () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  it('signs in, reads userinfo, refreshes, introspects, revokes and signs out', async () => {
    const client: oauth.Client = { client_id: ownApp.clientId };
    const authentication = oauth.ClientSecretBasic(ownApp.secret ?? '');
    const issuer = new URL(server.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));

    const [verifier, state, nonce] = [
      oauth.generateRandomCodeVerifier(),
      oauth.generateRandomState(),
      oauth.generateRandomNonce(),
    ];
    const request = new URLSearchParams({
      ...{ client_id: client.client_id, redirect_uri: ownApp.redirectUri, response_type: 'code' },
      ...{ scope: 'openid profile email roles', state, nonce, code_challenge_method: 'S256' },
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    });
    const session = openWebSession();
    const url = `${as.authorization_endpoint}?${request}`;
    const callback = await walk(session, url, ownApp.redirectUri, INES);
    const tokens = await oauth.processAuthorizationCodeResponse(
      as,
      client,
      await oauth.authorizationCodeGrantRequest(
        as,
        client,
        authentication,
        oauth.validateAuthResponse(as, client, new URL(callback), state),
        ownApp.redirectUri,
        verifier,
        http,
      ),
      { expectedNonce: nonce, requireIdToken: true },
    );
    const sub = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';

    const info = await oauth.userInfoRequest(as, client, tokens.access_token, http);
    const person = await oauth.processUserInfoResponse(as, client, sub, info);
    expect(person).to.deep.include({ name: INES.name, email: INES.login, roles: INES.roles });

    const refreshToken = tokens.refresh_token ?? '';
    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, authentication, refreshToken, http),
    );
    expect(oauth.getValidatedIdTokenClaims(refreshed)?.sub).to.equal(sub);

    const isActive = async () => {
      const { access_token: token } = refreshed;
      const reply = await oauth.introspectionRequest(as, client, authentication, token, http);
      return (await oauth.processIntrospectionResponse(as, client, reply)).active;
    };
    expect(await isActive()).to.equal(true);
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication, refreshed.access_token, http),
    );
    expect(await isActive()).to.equal(false);

    const leaving = new URLSearchParams({
      id_token_hint: refreshed.id_token ?? '',
      post_logout_redirect_uri: ownApp.postLogoutRedirectUri ?? '',
    });
    await walkOut(session, `${as.end_session_endpoint}?${leaving}`, ownApp.postLogoutRedirectUri ?? '');
    const again = await session.open(`${url}&prompt=none`, [ownApp.redirectUri]);
    expect(again).to.contain('error=login_required');
  });
});

/** openid-client as the relying party: what a new application uses, end to end. */
import { expect } from 'chai';
import * as rp from 'openid-client';
import { API, Browser, openWorld, REDIRECT, type World } from './support.ts';

describe('a relying party', () => {
  let world: World;
  let config: rp.Configuration;

  before(async () => {
    world = await openWorld();
    config = await discover('web', rp.ClientSecretBasic('web-secret'));
    await world.putClient({
      clientId: 'leaver',
      secret: 'leaver-secret',
      traits: { firstParty: true },
      metadata: {
        grant_types: ['authorization_code', 'refresh_token'],
        post_logout_redirect_uris: ['https://app.test/bye'],
      },
    });
  });
  after(() => world.close());

  function discover(clientId: string, authentication: rp.ClientAuth): Promise<rp.Configuration> {
    return rp.discovery(new URL(world.issuer), clientId, undefined, authentication, {
      execute: [rp.allowInsecureRequests],
    });
  }

  async function signIn(
    client: rp.Configuration,
    parameters: Record<string, string> = {},
    options: {
      browser?: Browser;
      dpop?: rp.DPoPHandle;
      pushed?: boolean;
      redeem?: Record<string, string>;
    } = {},
  ) {
    const verifier = rp.randomPKCECodeVerifier();
    const state = rp.randomState();
    const nonce = rp.randomNonce();
    const request = {
      ...{ redirect_uri: REDIRECT, scope: 'openid profile email', state, nonce },
      code_challenge: await rp.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...parameters,
    };
    const dpop = options.dpop && { DPoP: options.dpop };
    const url = options.pushed
      ? await rp.buildAuthorizationUrlWithPAR(client, request, dpop)
      : rp.buildAuthorizationUrl(client, request);
    const page = await (options.browser ?? new Browser(world, 'nora')).open(url);
    const checks = {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    };
    return rp.authorizationCodeGrant(client, page.url, checks, options.redeem, dpop);
  }

  it('finds the same metadata at both well-known places', async () => {
    const [oidc, oauth] = await Promise.all(
      ['openid-configuration', 'oauth-authorization-server'].map(async (name) =>
        (await fetch(`${world.url}/.well-known/${name}`)).json(),
      ),
    );
    expect(oidc).to.deep.equal(oauth);
    expect(oidc).to.deep.include({
      issuer: world.issuer,
      authorization_endpoint: `${world.issuer}/authorize`,
      token_endpoint: `${world.issuer}/token`,
      userinfo_endpoint: `${world.issuer}/userinfo`,
      introspection_endpoint: `${world.issuer}/introspect`,
      revocation_endpoint: `${world.issuer}/revoke`,
      pushed_authorization_request_endpoint: `${world.issuer}/par`,
      end_session_endpoint: `${world.issuer}/logout`,
      jwks_uri: `${world.issuer}/jwks`,
      acr_values_supported: [
        'urn:portico:acr:legacy',
        'urn:portico:acr:single',
        'urn:portico:acr:stepup',
        'urn:portico:acr:phr',
      ],
    });
  });

  it('signs a person in with code and PKCE, and reads the person’s claims', async () => {
    const tokens = await signIn(config, { scope: 'openid profile email phone organization roles' });
    const claims = tokens.claims();
    expect(claims).to.include({ sub: 'nora', acr: 'urn:portico:acr:single', iss: world.issuer });
    expect(claims?.amr).to.deep.equal(['pwd']);
    const person = await rp.fetchUserInfo(config, tokens.access_token, 'nora');
    expect(person).to.deep.equal({
      sub: 'nora',
      name: 'nora of the north',
      preferred_username: 'nora',
      updated_at: 1893456000,
      email: 'nora@north.test',
      email_verified: true,
      phone_number: '+4712345678',
      phone_number_verified: false,
      organization: 'north',
      roles: ['nurse'],
    });
  });

  it('gets single claims by the claims parameter', async () => {
    const claims = JSON.stringify({ id_token: { email: null }, userinfo: { name: { essential: true } } });
    const tokens = await signIn(config, { scope: 'openid', claims });
    expect(tokens.claims()?.email).to.equal('nora@north.test');
    expect(await rp.fetchUserInfo(config, tokens.access_token, 'nora')).to.deep.equal({
      sub: 'nora',
      name: 'nora of the north',
    });
  });

  it('refreshes without having asked for consent to offline access', async () => {
    const tokens = await signIn(config);
    const refreshed = await rp.refreshTokenGrant(config, String(tokens.refresh_token));
    expect(refreshed.claims()?.sub).to.equal('nora');
    expect(refreshed.claims()?.auth_time).to.equal(tokens.claims()?.auth_time);
  });

  it('introspects and revokes its own tokens', async () => {
    const tokens = await signIn(config);
    expect(await rp.tokenIntrospection(config, tokens.access_token)).to.include({
      active: true,
      sub: 'nora',
      client_id: 'web',
      iss: world.issuer,
      scope: 'openid profile email',
    });
    await rp.tokenRevocation(config, tokens.access_token);
    expect(await rp.tokenIntrospection(config, tokens.access_token)).to.deep.equal({ active: false });
    expect(await rp.tokenIntrospection(config, String(tokens.refresh_token))).to.deep.equal({
      active: false,
    });
  });

  it('pushes its authorization request, which is good once', async () => {
    const tokens = await signIn(config, {}, { pushed: true });
    expect(tokens.claims()?.sub).to.equal('nora');
  });

  it('binds its tokens to a DPoP key', async () => {
    const spa = await discover('spa', rp.None());
    const key = await rp.randomDPoPKeyPair('ES256');
    const dpop = rp.getDPoPHandle(spa, key);
    const tokens = await signIn(spa, {}, { dpop });
    expect(tokens.token_type).to.equal('dpop');
    expect((await rp.fetchUserInfo(spa, tokens.access_token, 'nora', { DPoP: dpop })).sub).to.equal('nora');
    const bare = await fetch(`${world.url}/userinfo`, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    expect(bare.status).to.equal(401);
    const other = rp.getDPoPHandle(spa, await rp.randomDPoPKeyPair('ES256'));
    const stolen = await rp
      .refreshTokenGrant(spa, String(tokens.refresh_token), undefined, { DPoP: other })
      .catch((error) => error);
    expect(stolen.error).to.equal('invalid_grant');
    const refreshed = await rp.refreshTokenGrant(spa, String(tokens.refresh_token), undefined, {
      DPoP: dpop,
    });
    expect(refreshed.token_type).to.equal('dpop');
    const again = await rp.refreshTokenGrant(spa, String(tokens.refresh_token), undefined, { DPoP: dpop });
    expect(again.refresh_token).to.equal(refreshed.refresh_token);
  });

  it('gets an access token for one API by resource indicator', async () => {
    const redeem = { resource: API };
    const tokens = await signIn(config, { resource: API, scope: 'openid records:read' }, { redeem });
    const payload = JSON.parse(
      Buffer.from(String(tokens.access_token.split('.')[1]), 'base64url').toString(),
    );
    expect(payload).to.include({
      aud: API,
      scope: 'records:read',
      sub: 'nora',
      client_id: 'web',
      iss: world.issuer,
    });
  });

  it('gets a token of its own by client credentials', async () => {
    const machine = await discover('machine', rp.ClientSecretPost('machine-secret'));
    const tokens = await rp.clientCredentialsGrant(machine, { resource: API, scope: 'records:write' });
    expect(tokens.expires_in).to.equal(3600);
    expect(await rp.tokenIntrospection(machine, tokens.access_token)).to.include({
      active: true,
      aud: API,
      client_id: 'machine',
    });
  });

  it('authenticates by private_key_jwt', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
      'sign',
      'verify',
    ]);
    const jwk = await crypto.subtle.exportKey('jwk', pair.publicKey);
    const { kty = '', crv = '', x = '', y = '' } = jwk;
    await world.putClient({
      clientId: 'signer',
      metadata: {
        ...{ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
        ...{
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [{ kty, crv, x, y, alg: 'ES256' }] },
        },
      },
    });
    const signer = await discover('signer', rp.PrivateKeyJwt(pair.privateKey));
    expect((await rp.clientCredentialsGrant(signer)).access_token).to.be.a('string');
  });

  it('signs the person out: session, tokens and all, and gets the browser back', async () => {
    const leaver = await discover('leaver', rp.ClientSecretBasic('leaver-secret'));
    const browser = new Browser(world, 'nora');
    const tokens = await signIn(leaver, {}, { browser });
    const kept = await signIn(
      leaver,
      { scope: 'openid offline_access', prompt: 'consent' },
      { browser: new Browser(world, 'nora') },
    );
    const left = await browser.open(
      rp.buildEndSessionUrl(leaver, {
        ...{ id_token_hint: String(tokens.id_token), state: 'bye-1' },
        post_logout_redirect_uri: 'https://app.test/bye',
      }),
    );
    expect(left.url.href).to.equal('https://app.test/bye?state=bye-1');
    expect(await rp.tokenIntrospection(leaver, tokens.access_token)).to.deep.equal({ active: false });
    const refused = await rp.refreshTokenGrant(leaver, String(tokens.refresh_token)).catch((error) => error);
    expect(refused.error).to.equal('invalid_grant');
    expect((await rp.tokenIntrospection(leaver, kept.access_token)).active).to.equal(true);
    browser.person = undefined;
    const silent = await browser.open(rp.buildAuthorizationUrl(leaver, { ...silentRequest }));
    expect(silent.url.searchParams.get('error')).to.equal('login_required');
  });

  const silentRequest = {
    ...{ redirect_uri: REDIRECT, scope: 'openid', prompt: 'none' },
    ...{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256' },
  };

  it('P12 cannot be sent to an address it did not register after logout', async () => {
    const leaver = await discover('leaver', rp.ClientSecretBasic('leaver-secret'));
    const browser = new Browser(world, 'nora');
    const { id_token: hint = '' } = await signIn(leaver, {}, { browser });
    for (const uri of ['https://app.test/bye/', 'https://evil.test/', 'https://app.test/bye?x']) {
      const page = await browser.open(
        rp.buildEndSessionUrl(leaver, { id_token_hint: hint, post_logout_redirect_uri: uri }),
      );
      expect(page.status).to.equal(400);
      expect(page.url.origin).to.equal(new URL(world.issuer).origin);
    }
  });

  it('asks a person for consent once, where it is not the organization’s own', async () => {
    const third = await discover('third-party', rp.ClientSecretBasic('third-secret'));
    const browser = new Browser(world, 'nora');
    browser.consent = undefined;
    const asked = await browser.open(
      rp.buildAuthorizationUrl(third, { ...silentRequest, scope: 'openid email', prompt: '' }),
    );
    expect(JSON.parse(asked.text)).to.deep.include({
      prompt: 'consent',
      accountId: 'nora',
      organization: 'north',
      missingScopes: ['openid', 'email'],
      client: {
        ...{ clientId: 'third-party', name: 'Third', firstParty: false, registered: false },
        ...{ organization: 'north', organizations: ['north'], chooseOrganization: 'email' },
      },
    });
    browser.consent = 'yes';
    await signIn(third, {}, { browser });
    browser.consent = undefined;
    expect((await signIn(third, {}, { browser })).claims()?.sub).to.equal('nora');
    browser.consent = 'no';
    const refused = await browser.open(
      rp.buildAuthorizationUrl(third, { ...silentRequest, scope: 'openid roles', prompt: 'consent' }),
    );
    expect(refused.url.searchParams.get('error')).to.equal('access_denied');
  });
});

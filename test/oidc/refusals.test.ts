/** What clients and operators learn from a refusal: registered codes, where it arrives, what the audit trail says. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { webApp } from '../support/clients.ts';
import { startTestServer } from '../support/server.ts';
import {
  authorizePath,
  Browser,
  codeFor,
  openWorld,
  type Page,
  post,
  redeem,
  tokensFor,
  WEB,
  type World,
} from './support.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

describe('refusals of the OIDC routes', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    await world.putClient({
      clientId: 'leaver',
      secret: 'leaver-secret',
      traits: { firstParty: true },
      metadata: { post_logout_redirect_uris: ['https://app.test/bye'] },
    });
    await world.putClient({
      clientId: 'television',
      metadata: {
        ...{
          grant_types: [DEVICE],
          response_types: [],
          redirect_uris: [],
          token_endpoint_auth_method: 'none',
        },
      },
    });
    await world.putClient({
      clientId: 'speechless',
      metadata: {
        grant_types: [DEVICE],
        response_types: [],
        token_endpoint_auth_method: 'none',
      },
    });
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const ask = (changes: Record<string, string | undefined>, person?: string) =>
    new Browser(world, person).open(authorizePath(changes));
  const lastRefusal = () => world.audit.findLast(({ outcome }) => outcome === 'refused')?.detail;

  it('CL11 a client that may not use the grant or response type is unauthorized_client', async () => {
    const asked = await ask({ client_id: 'speechless' });
    expect(asked.url.searchParams.get('error')).to.equal('unauthorized_client');
    const pushed = authorizePath({ client_id: 'speechless' }).split('?')[1] ?? '';
    for (const [path, form, headers] of [
      ['/par', pushed, {}],
      ['/device_authorization', { client_id: 'spa' }, {}],
      ['/token', { grant_type: 'client_credentials' }, WEB],
      ['/token', { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'speechless' }, {}],
      ['/token', { grant_type: DEVICE, device_code: 'x', client_id: 'spa' }, {}],
    ] as const) {
      const reply = await post(world, path, form, headers);
      expect([reply.status, reply.body.error], path).to.deep.equal([400, 'unauthorized_client']);
    }
    // The provider asks about other grants on the way: a client without refresh tokens still signs in.
    const code = await codeFor(new Browser(world, 'nora'), { client_id: 'leaver' });
    const leaver = { client_id: 'leaver', client_secret: 'leaver-secret' };
    expect((await redeem(world, code, leaver, {})).status).to.equal(200);
  });

  it('CL11 a client that a JWT names by a number, a list, an object or true is unknown', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const id of [5, ['web'], { web: 1 }, true]) {
      const assertion = `${part({ alg: 'ES256' })}.${part({ sub: id, aud: id })}.${'A'.repeat(86)}`;
      const token = await post(world, '/token', {
        ...{ grant_type: 'client_credentials', client_assertion: assertion },
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      });
      expect([token.status, token.body.error], String(id)).to.deep.equal([401, 'invalid_client']);
      const logout = await new Browser(world).open(`/logout?id_token_hint=${assertion}`);
      expect([logout.status, logout.text.includes('invalid_client')], String(id)).to.deep.equal([400, true]);
    }
  });

  it('CL11 a DPoP proof that was used before is invalid_dpop_proof', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const proofFor = async (path: string, jti: string) =>
      new SignJWT({ jti, htm: 'POST', htu: world.issuer + path })
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(publicKey) })
        .setIssuedAt()
        .sign(privateKey);
    const DPoP = await proofFor('/token', 'once');
    const again = async () => redeem(world, await codeFor(new Browser(world, 'nora')), {}, { ...WEB, DPoP });
    expect((await again()).status).to.equal(200);
    expect((await again()).body.error).to.equal('invalid_dpop_proof');
    const pushed = authorizePath().split('?')[1] ?? '';
    const headers = { ...WEB, DPoP: await proofFor('/par', 'pushed') };
    expect((await post(world, '/par', pushed, headers)).status).to.equal(201);
    const replayed = await post(world, '/par', pushed, headers);
    expect([replayed.status, replayed.body.error]).to.deep.equal([400, 'invalid_dpop_proof']);
  });

  const errorOf = ({ text, url }: Page) =>
    /name="error" value="([^"]*)"/.exec(text)?.[1] ?? `in the query: ${url.searchParams.get('error')}`;

  it('CL11 every error for the redirect URI is posted where the client asked for form_post', async () => {
    const jwt = (payload: object) =>
      `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.`;
    const form_post = { response_mode: 'form_post' };
    for (const [changes, error] of [
      [{ request: jwt({ ...form_post, state: 'x' }) }, 'request_not_supported'],
      [{ request: jwt({}), ...form_post }, 'request_not_supported'],
      [{ request_uri: 'https://app.test/request', ...form_post }, 'request_uri_not_supported'],
      [{ registration: '{}', ...form_post }, 'registration_not_supported'],
      [{ response_type: 'token', ...form_post }, 'unsupported_response_type'],
      [{ client_id: 'speechless', ...form_post }, 'unauthorized_client'],
      [{ scope: 'openid \u0001', ...form_post }, 'invalid_scope'],
      [{ resource: 'nowhere', ...form_post }, 'invalid_target'],
      [{ prompt: 'none login', ...form_post }, 'invalid_request'],
      [{ code_challenge: 'short', ...form_post }, 'invalid_request'],
      [{ claims: '[]', ...form_post }, 'invalid_request'],
      [{ prompt: 'none', ...form_post }, 'login_required'],
    ] as const)
      expect(errorOf(await ask(changes)), JSON.stringify(changes)).to.equal(error);

    const unwilling = new Browser(world, 'nora');
    unwilling.consent = 'no';
    const refused = await unwilling.open(authorizePath({ client_id: 'third-party', ...form_post }));
    expect(errorOf(refused)).to.equal('access_denied');

    const pushed = await post(
      world,
      '/par',
      authorizePath({ prompt: 'none', ...form_post }).split('?')[1] ?? '',
      WEB,
    );
    const { request_uri } = pushed.body;
    const query = new URLSearchParams({ client_id: 'web', request_uri: String(request_uri) });
    expect(errorOf(await new Browser(world).open(`/authorize?${query}`))).to.equal('login_required');
    const both = await ask({ request: jwt(form_post), response_mode: 'query' });
    expect(errorOf(both)).to.equal('in the query: request_not_supported');
  });

  it('CL11 the audit trail tells an expired code from an unknown and a used one; the client reads the same', async () => {
    const used = await codeFor(new Browser(world, 'nora'));
    expect((await redeem(world, used)).status).to.equal(200);
    const replies = [await redeem(world, used)];
    const details = [lastRefusal()?.detail];
    const expired = await codeFor(new Browser(world, 'nora'));
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 });
    for (const code of [expired, 'unknown']) {
      replies.push(await redeem(world, code));
      details.push(lastRefusal()?.detail);
    }
    expect(details).to.deep.equal([
      'authorization code already consumed',
      'authorization code is expired',
      'authorization code not found',
    ]);
    for (const { status, body } of replies) expect([status, body]).to.deep.equal([400, replies[0]?.body]);
  });

  it('CL11 a device whose code has expired gets expired_token', async () => {
    const started = await post(world, '/device_authorization', { client_id: 'television', scope: 'openid' });
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 });
    const form = {
      grant_type: DEVICE,
      device_code: String(started.body.device_code),
      client_id: 'television',
    };
    const polled = await post(world, '/token', form);
    expect([polled.status, polled.body.error]).to.deep.equal([400, 'expired_token']);
    expect(lastRefusal()?.detail).to.equal('device code is expired');
  });

  it('CL11 the audit trail has the redirect URI that no client registered, of a bounded length', async () => {
    const long = `https://evil.test/${'x'.repeat(2000)}`;
    await ask({ redirect_uri: long });
    expect(lastRefusal()).to.include({ error: 'invalid_redirect_uri', uri: long.slice(0, 500) });
    await post(world, '/par', authorizePath({ redirect_uri: 'https://evil.test/' }).split('?')[1] ?? '', WEB);
    expect(lastRefusal()).to.include({ error: 'invalid_request', uri: 'https://evil.test/' });
    await new Browser(world).open('/logout?client_id=leaver&post_logout_redirect_uri=https://evil.test/bye');
    expect(lastRefusal()).to.include({ error: 'invalid_request', uri: 'https://evil.test/bye' });
    await ask({ code_challenge: 'short' });
    expect(lastRefusal()).to.not.have.property('uri');
  });

  it('CL11 in development, and nowhere else, the error page shows the URI that came beside those registered', async () => {
    const sent = 'https://evil.test/?x=<script>alert(1)</script>';
    for (const environment of ['development', 'test'] as const) {
      const server = await startTestServer({ dialects: [], config: { environment } });
      const open = async (path: string, parameters: Record<string, string>) => {
        const query = new URLSearchParams({ client_id: webApp.clientId, ...parameters });
        const reply = await fetch(`${server.url}${path}?${query}`, { headers: { accept: 'text/html' } });
        expect(reply.status).to.equal(400);
        return reply.text();
      };
      const pages = [
        [await open('/authorize', { redirect_uri: sent, response_type: 'code' }), webApp.redirectUri],
        [await open('/logout', { post_logout_redirect_uri: sent }), webApp.postLogoutRedirectUri],
      ] as const;
      await server.close();
      for (const [page, registered] of pages) {
        const shown = environment === 'development';
        expect(page).to.not.contain('<script>alert(1)');
        expect(page.includes('&lt;script&gt;alert(1)'), environment).to.equal(shown);
        expect(page.includes(`<code>${registered}</code>`), environment).to.equal(shown);
      }
    }
  });

  describe('at sign-out', () => {
    const bye = 'https://app.test/bye';
    const leaver = { client_id: 'leaver', client_secret: 'leaver-secret' };

    async function signIn(person: string, client: Record<string, string> = leaver) {
      const browser = new Browser(world, person);
      const { client_id = '' } = client;
      const tokens = await tokensFor(world, { browser, request: { client_id }, form: client, headers: {} });
      return { browser, hint: tokens.id_token, token: tokens.access_token };
    }
    const signOut = ({ browser }: { browser: Browser }, parameters: Record<string, string>) =>
      browser.open(`/logout?${new URLSearchParams(parameters)}`);
    async function isSignedIn({ browser }: { browser: Browser }): Promise<boolean> {
      browser.person = undefined;
      const page = await browser.open(authorizePath({ prompt: 'none' }));
      return page.url.searchParams.get('error') !== 'login_required';
    }
    async function isAsked(
      person: { browser: Browser },
      parameters: Record<string, string>,
    ): Promise<boolean> {
      const page = await signOut(person, parameters);
      expect(page.status, page.text).to.equal(200);
      return page.text.includes('name="xsrf"') && (await isSignedIn(person));
    }

    it('CL11 a hint of the session’s own client and account asks nothing, and leads on', async () => {
      const nora = await signIn('nora');
      const before = world.audit.length;
      const page = await signOut(nora, {
        id_token_hint: nora.hint,
        post_logout_redirect_uri: bye,
        state: 'st',
      });
      expect(page.url.href).to.equal(`${bye}?state=st`);
      const events = world.audit.slice(before).map(({ event }) => event);
      expect(events).to.have.members(['grant.revoked', 'logout']);
      expect(await isSignedIn(nora)).to.equal(false);
      const { active } = (await post(world, '/introspect', { token: nora.token, ...leaver })).body;
      expect(active).to.equal(false);
    });

    it('CL11 a hint without a page to go back to asks, on a page of ours', async () => {
      const otto = await signIn('otto');
      expect(await isAsked(otto, { id_token_hint: otto.hint })).to.equal(true);
    });

    it('CL11 any other hint asks as none does, and one that is forged is refused', async () => {
      const nora = await signIn('nora');
      const otto = await signIn('otto');
      const spa = { client_id: 'spa' };
      const leadsBack = { post_logout_redirect_uri: bye };
      expect(await isAsked(await signIn('nora'), {}), 'none').to.equal(true);
      expect(await isAsked(await signIn('nora'), { client_id: 'leaver' }), 'no hint').to.equal(true);
      expect(
        await isAsked(await signIn('nora'), { id_token_hint: otto.hint, ...leadsBack }),
        'of another account',
      ).to.equal(true);
      expect(
        await isAsked(await signIn('nora', spa), { id_token_hint: nora.hint, ...leadsBack }),
        'of a client that the session does not know',
      ).to.equal(true);
      const person = await signIn('nora');
      const forged = `${nora.hint.slice(0, -6)}AAAAAA`;
      expect((await signOut(person, { id_token_hint: forged })).status).to.equal(400);
      expect(await isSignedIn(person)).to.equal(true);
    });
  });
});

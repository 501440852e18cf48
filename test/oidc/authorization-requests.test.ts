import { expect } from 'chai';
import {
  authorizePath,
  Browser,
  getJson,
  openWorld,
  type Page,
  post,
  REDIRECT,
  redeem,
  tokensFor,
  userinfo,
  WEB,
  type World,
} from './support.ts';

/** Of answers, those that the server knows and those that it does not take. */
const MODES = ['query', 'form_post', 'fragment', 'jwt', 'query.jwt', 'form_post.jwt', 'fragment.jwt'];

describe('authorization requests', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    await world.putClient({
      clientId: 'desktop',
      traits: { firstParty: true },
      metadata: {
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/callback', 'https://app.test/desktop'],
        token_endpoint_auth_method: 'none',
      },
    });
    await world.putClient({
      clientId: 'television',
      metadata: {
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        response_types: [],
        redirect_uris: [],
        token_endpoint_auth_method: 'none',
      },
    });
    await world.putClient({
      clientId: 'two-ways',
      traits: { firstParty: true },
      metadata: {
        redirect_uris: [REDIRECT, 'https://app.test/other?x=1'],
        token_endpoint_auth_method: 'none',
      },
    });
  });
  after(() => world.close());

  const ask = (changes: Record<string, string | undefined>, person: string | undefined = 'nora') =>
    new Browser(world, person).open(authorizePath(changes));

  function expectErrorPage(page: Page): void {
    expect(page.status).to.equal(400);
    expect(page.headers.get('location')).to.equal(null);
    expect(page.text).to.include('error page');
  }

  describe('P1 go to a registered redirect_uri only', () => {
    const mutants = [
      'https://app.test/callback/',
      'https://app.test/Callback',
      'https://app.test/callback?x',
      'https://app.test/callback?x=1',
      'https://app.test/callback#',
      'https://app.test/callback#x',
      'https://app.test/callback/..',
      'https://app.test/callback/../callback',
      'https://app.test/./callback',
      'https://app.test//callback',
      'https://app.test/callback%2e',
      'https://app.test/%63allback',
      'https://app.test/callback%00',
      'https://app.test/callback%20',
      'https://app.test/callback ',
      ' https://app.test/callback',
      'https://APP.test/callback',
      'https://app.test./callback',
      'https://app.test:443/callback',
      'https://app.test:8443/callback',
      'http://app.test/callback',
      'https://app.test@evil.test/callback',
      'https://evil.test@app.test/callback',
      'https://evil.test\\@app.test/callback',
      'https://app.test.evil.test/callback',
      'https://sub.app.test/callback',
      'https://evil.test/callback',
      'https://app.test',
      '//app.test/callback',
      '/callback',
      'javascript:alert(1)//https://app.test/callback',
      'data:text/html,https://app.test/callback',
      '',
    ];
    for (const mutant of mutants) {
      it(`P1 refuses ${JSON.stringify(mutant)}`, async () => {
        for (const mode of [undefined, ...MODES]) {
          expectErrorPage(await ask({ redirect_uri: mutant, response_mode: mode }));
        }
      });
    }

    it('P1 refuses two of them', async () => {
      expectErrorPage(
        await new Browser(world, 'nora').open(
          `${authorizePath()}&redirect_uri=${encodeURIComponent('https://evil.test/')}`,
        ),
      );
    });

    it('P1 refuses none, also where the client has registered only one', async () => {
      expectErrorPage(await ask({ redirect_uri: undefined }));
    });

    it('P1 takes each registered one, to the email', async () => {
      const page = await ask({ client_id: 'two-ways', redirect_uri: 'https://app.test/other?x=1' });
      expect(page.url.searchParams.get('x')).to.equal('1');
      expect(page.url.searchParams.has('code')).to.equal(true);
    });

    it('P1 lets only the port vary, and only on a native client’s loopback address', async () => {
      const loopback = await ask({ client_id: 'desktop', redirect_uri: 'http://127.0.0.1:51004/callback' });
      expect(loopback.url.host).to.equal('127.0.0.1:51004');
      expect(loopback.url.searchParams.has('code')).to.equal(true);
      for (const uri of [
        'http://127.0.0.1:51004/other',
        'http://localhost:51004/callback',
        'http://127.0.0.2:51004/callback',
        'https://app.test:444/desktop',
      ]) {
        expectErrorPage(await ask({ client_id: 'desktop', redirect_uri: uri }));
      }
    });
  });

  describe('P5 need a challenge by S256', () => {
    const none = { code_challenge: undefined, code_challenge_method: undefined };
    const downgrades = {
      'the method plain': { code_challenge_method: 'plain' },
      'no method, which would mean plain': { code_challenge_method: undefined },
      'a method without a challenge': { code_challenge: undefined },
      'a challenge that is none': { code_challenge: 'short' },
    };
    for (const [name, changes] of Object.entries(downgrades)) {
      it(`P5 refuses ${name}, of confidential clients too`, async () => {
        for (const client_id of ['web', 'spa']) {
          const page = await ask({ client_id, ...changes });
          expect(page.url.searchParams.get('error')).to.equal('invalid_request');
          expect(page.url.searchParams.get('code')).to.equal(null);
        }
      });
    }

    it('P5 refuses a public client without a challenge, pushed or not', async () => {
      const page = await ask({ client_id: 'spa', ...none });
      expect(page.url.searchParams.get('error')).to.equal('invalid_request');
      const form = authorizePath({ client_id: 'spa', ...none }).split('?')[1] ?? '';
      expect((await post(world, '/par', form)).body.error).to.equal('invalid_request');
    });

    it('P5 refuses every client without a challenge where the operator says so', async () => {
      const strict = await openWorld({ oidc: { pkce: 'all-clients' } });
      const page = await new Browser(strict, 'nora').open(authorizePath(none));
      expect(page.url.searchParams.get('error')).to.equal('invalid_request');
      await strict.close();
    });

    it('P5 refuses a verifier where there was no challenge: somebody took it away', async () => {
      const page = await ask(none);
      const code = String(page.url.searchParams.get('code'));
      expect((await redeem(world, code)).body.error).to.equal('invalid_grant');
      const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT };
      expect((await post(world, '/token', form, WEB)).status).to.equal(200);
    });

    it('P5 offers S256 alone', async () => {
      const metadata = await getJson(world, '/.well-known/openid-configuration');
      expect(metadata.code_challenge_methods_supported).to.deep.equal(['S256']);
    });
  });

  describe('P6 know nothing of what OAuth 2.1 dropped', () => {
    it('P6 refuses every response type but code, as the metadata says', async () => {
      const metadata = await getJson(world, '/.well-known/openid-configuration');
      expect(metadata.response_types_supported).to.deep.equal(['code']);
      for (const type of ['token', 'id_token', 'id_token token', 'code id_token', 'code token', 'none']) {
        const page = await ask({ response_type: type, nonce: 'n' });
        expect(page.url.href, type).to.not.include('access_token');
        const told =
          new URLSearchParams(page.url.hash.slice(1)).get('error') ?? page.url.searchParams.get('error');
        expect(told, type).to.be.oneOf([
          'unsupported_response_type',
          'unauthorized_client',
          'invalid_request',
        ]);
      }
    });

    it('P6 refuses every grant but the five the metadata names', async () => {
      const metadata = await getJson(world, '/.well-known/openid-configuration');
      expect(metadata.grant_types_supported).to.have.members([
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ]);
      for (const grant of [
        'password',
        'implicit',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'dialect',
      ]) {
        const form = {
          grant_type: grant,
          username: 'nora',
          password: 'x',
          client_id: 'web',
          client_secret: 'web-secret',
        };
        const reply = await post(world, '/token', form);
        expect(reply.status).to.equal(400);
        expect(reply.body.error).to.equal('unsupported_grant_type');
      }
    });

    it('P6 answers in the query or by form post, never in the fragment, as the metadata says', async () => {
      const metadata = await getJson(world, '/.well-known/openid-configuration');
      expect(metadata.response_modes_supported).to.deep.equal([
        ...['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'],
      ]);
      const posted = await ask({ response_mode: 'form_post' });
      expect(posted.text).to.match(/<form method="post" action="https:\/\/app\.test\/callback">/);
      expect(posted.text).to.match(/name="iss" value="http/);
      const fragment = await ask({ response_mode: 'fragment' });
      expect(fragment.url.hash).to.not.include('code=');
    });

    it('P6 takes no request object of a client without keys, and says so', async () => {
      const metadata = await getJson(world, '/.well-known/openid-configuration');
      expect(metadata.request_uri_parameter_supported).to.equal(false);
      for (const [name, error] of [
        ['request', 'request_not_supported'],
        ['request_uri', 'request_uri_not_supported'],
        ['registration', 'registration_not_supported'],
      ] as const) {
        const page = await ask({ [name]: 'eyJhbGciOiJub25lIn0.e30.' });
        expect(
          page.url.searchParams.get('error') ?? /invalid_request_uri|request_uri/.exec(page.text)?.[0],
          name,
        ).to.be.oneOf([error, 'invalid_request_uri', 'request_uri']);
      }
    });

    it('P6 refuses a request object as it asks itself to be answered', async () => {
      const object = Buffer.from(JSON.stringify({ response_mode: 'form_post', state: 'st-2' }));
      const request = `eyJhbGciOiJub25lIn0.${object.toString('base64url')}.`;
      const inside = await ask({ request, state: undefined });
      expect(inside.text).to.match(/<form method="post" action="https:\/\/app\.test\/callback">/);
      expect(inside.text).to.match(/name="state" value="st-2"/);
      const outside = await ask({ request, response_mode: 'query' });
      expect(outside.url.searchParams.get('state')).to.equal('st-1');
      for (const odd of ['x', 'a.b.c', `e30.${Buffer.from('[{"state":1}]').toString('base64url')}.`]) {
        expect((await ask({ request: odd })).url.searchParams.get('error'), odd).to.equal(
          'request_not_supported',
        );
      }
    });
  });

  it('P7 are answered with the issuer’s name, by success and by error', async () => {
    for (const changes of [{}, { prompt: 'none' }, { scope: 'openid', code_challenge_method: 'plain' }]) {
      const page = await ask(changes, 'prompt' in changes ? undefined : 'nora');
      expect(page.url.origin).to.equal('https://app.test');
      expect(page.url.searchParams.get('iss')).to.equal(world.issuer);
      expect(page.url.searchParams.get('state')).to.equal('st-1');
    }
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    expect(metadata.authorization_response_iss_parameter_supported).to.equal(true);
  });

  describe('P8 name each parameter once', () => {
    const repeated = [
      'client_id',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
      'nonce',
      'prompt',
      'code_challenge',
      'code_challenge_method',
      'response_mode',
      'login_hint',
      'max_age',
    ];
    for (const name of repeated) {
      it(`P8 refuses ${name} twice`, async () => {
        for (const method of ['GET', 'POST'] as const) {
          const [path = '', query = ''] = authorizePath({ nonce: 'n' }).split('?');
          const twice = new URLSearchParams(query);
          if (!twice.has(name)) twice.append(name, '1');
          twice.append(name, 'other');
          const browser = new Browser(world, 'nora');
          const page =
            method === 'GET'
              ? await browser.open(`${path}?${twice}`)
              : await browser.open(path, { method, body: twice });
          const error = page.url.searchParams.get('error') ?? /invalid_\w+/.exec(page.text)?.[0];
          expect(error).to.be.oneOf(['invalid_request', 'invalid_redirect_uri']);
          expect(page.url.searchParams.get('code')).to.equal(null);
        }
      });
    }

    it('P8 ignores parameters that nobody knows, even twice', async () => {
      const page = await new Browser(world, 'nora').open(`${authorizePath()}&foo=1&foo=2&__proto__=x`);
      expect(page.url.searchParams.has('code')).to.equal(true);
    });

    it('P8 refuses doubles at the other endpoints', async () => {
      const names = {
        '/token grant_type=authorization_code': ['grant_type', 'client_id', 'client_secret'],
        '/token grant_type=authorization_code&x=y': ['code', 'redirect_uri', 'code_verifier'],
        '/token grant_type=refresh_token': ['refresh_token', 'scope'],
        '/introspect token=a': ['token', 'token_type_hint'],
        '/revoke token=a': ['token', 'token_type_hint'],
        '/par response_type=code': ['response_type', 'redirect_uri', 'scope', 'state', 'code_challenge'],
        '/device_authorization scope=openid': ['client_id', 'scope'],
        '/userinfo a=b': ['access_token'],
      };
      for (const [request, doubled] of Object.entries(names)) {
        const [path = '', form] = request.split(' ');
        const headers = path === '/userinfo' ? {} : WEB;
        for (const name of doubled) {
          const reply = await post(world, path, `${form}&${name}=one&${name}=two`, headers);
          expect(reply.status, `${request} ${name}`).to.equal(400);
          expect(reply.body.error, `${request} ${name}`).to.equal('invalid_request');
          expect(reply.body.error_description, `${request} ${name}`).to.contain('twice');
        }
      }
      for (const name of ['id_token_hint', 'post_logout_redirect_uri', 'state', 'client_id']) {
        const page = await new Browser(world).open(`/logout?${name}=one&${name}=two`);
        expect([page.status, page.url.pathname]).to.deep.equal([400, '/logout']);
        expect(page.text, name).to.contain('twice');
      }
    });

    it('H3 refuses claims that are nested without end, pushed or not', async () => {
      const nested = (depth: number) =>
        `{"id_token":{"email":{"value":${'['.repeat(depth)}"}]"${']'.repeat(depth)}}}}`;
      for (const depth of [100, 6000]) {
        const form = new URLSearchParams(authorizePath().split('?')[1]);
        form.set('claims', nested(depth));
        const pushed = await post(world, '/par', form.toString(), WEB);
        expect([pushed.status, pushed.body.error]).to.deep.equal([400, 'invalid_request']);
        const device = { client_id: 'television', scope: 'openid', claims: nested(depth) };
        const code = await post(world, '/device_authorization', device);
        expect([code.status, code.body.error]).to.deep.equal([400, 'invalid_request']);
      }
      const page = await ask({ claims: nested(100) });
      expect(page.url.searchParams.get('error')).to.equal('invalid_request');
      const form = new URLSearchParams(authorizePath().split('?')[1]);
      form.set('claims', nested(5));
      const pushed = await post(world, '/par', form.toString(), WEB);
      const query = new URLSearchParams({ client_id: 'web', request_uri: String(pushed.body.request_uri) });
      const begun = await new Browser(world, 'nora').open(`/authorize?${query}`);
      expect(begun.url.searchParams.get('error')).to.equal(null);
    });

    it('B10 P11 H3 refuses every odd shape of the claims parameter at every endpoint that takes one', async () => {
      const query = (claims: unknown) =>
        new URLSearchParams(authorizePath({ claims: text(claims) }).slice(11));
      const text = (claims: unknown) => (typeof claims === 'string' ? claims : JSON.stringify(claims));
      const outcomes = async (claims: unknown) => {
        const direct = await ask({ claims: text(claims) });
        const pushed = await post(world, '/par', query(claims), WEB);
        const device = { client_id: 'television', scope: 'openid', claims: text(claims) };
        const code = await post(world, '/device_authorization', device);
        const refused = direct.url.searchParams.get('error');
        return [refused ?? direct.status, pushed.body.error ?? pushed.status, code.body.error ?? code.status];
      };
      for (const claims of oddClaims()) {
        expect(await outcomes(claims), text(claims)).to.deep.equal(Array(3).fill('invalid_request'));
      }
      for (const claims of FITTING_CLAIMS) {
        expect(await outcomes(claims), text(claims)).to.deep.equal([303, 201, 200]);
      }
      const tokens = await tokensFor(world, { request: { claims: text(FITTING_CLAIMS[0]) } });
      expect((await userinfo(world, tokens.access_token)).body).to.include({ email: 'nora@north.test' });
    });
  });

  describe('P9 are safe before client and redirect_uri are proven', () => {
    it('P9 an unknown client and a dialect’s client get an error page', async () => {
      for (const client_id of ['nobody', 'visits-legacy', '', undefined]) {
        expectErrorPage(await ask({ client_id, redirect_uri: 'https://evil.test/' }));
      }
    });

    it('P9 no other origin may read the authorization endpoint', async () => {
      const page = await new Browser(world).send(authorizePath(), {
        headers: { origin: 'https://app.test' },
      });
      expect(page.headers.get('access-control-allow-origin')).to.equal(null);
    });

    it('P9 POST works, and is answered by 303', async () => {
      const [path = '', query = ''] = authorizePath().split('?');
      const browser = new Browser(world, 'nora');
      const first = await browser.send(path, { method: 'POST', body: new URLSearchParams(query) });
      expect(first.status).to.equal(303);
      const page = await browser.open(path, { method: 'POST', body: new URLSearchParams(query) });
      expect(page.url.searchParams.has('code')).to.equal(true);
      const garbage = await browser.send(path, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      });
      expectErrorPage(garbage);
      const huge = await browser.send(path, {
        method: 'POST',
        body: new URLSearchParams({ state: 'x'.repeat(50_000) }),
      });
      expectErrorPage(huge);
    });
  });

  it('P11 are told that nobody is signed in, has agreed, or is fresh enough, when they ask for silence', async () => {
    const browser = new Browser(world, 'nora');
    const silent = (changes: Record<string, string> = {}) =>
      browser
        .open(authorizePath({ prompt: 'none', ...changes }))
        .then((page) => page.url.searchParams.get('error'));
    expect(await silent()).to.equal('login_required');
    await browser.open(authorizePath());
    expect(await silent()).to.equal(null);
    expect(await silent({ client_id: 'third-party' })).to.equal('consent_required');
    expect(await silent({ max_age: '100' })).to.equal(null);
    expect(await silent({ id_token_hint: 'garbage' })).to.equal('invalid_request');
  });

  it('P6 P11 may ask for each prompt that the metadata names, and for no other', async () => {
    const { prompt_values_supported: named } = await getJson(world, '/.well-known/openid-configuration');
    expect(named).to.have.members(['none', 'login', 'consent', 'select_account', 'create']);
    const browser = new Browser(world, 'nora');
    await browser.open(authorizePath());
    browser.person = undefined;
    browser.consent = undefined;
    for (const prompt of ['login', 'consent', 'select_account', 'create']) {
      const page = await browser.open(authorizePath({ prompt }));
      expect(JSON.parse(page.text)).to.include({ prompt });
    }
    const unknown = await browser.open(authorizePath({ prompt: 'always' }));
    expect(unknown.url.searchParams.get('error')).to.equal('invalid_request');
  });

  it('H2 are not led astray by a forged Host', async () => {
    const forged = { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'https' };
    const { openClient } = await import('../support/http-client.ts');
    const client = openClient(world.url);
    const metadata = await client.send({
      method: 'GET',
      path: '/.well-known/openid-configuration',
      headers: forged,
    });
    expect(metadata.text).to.not.include('evil');
    const started = await client.send({ method: 'GET', path: authorizePath(), headers: forged });
    expect(started.status).to.equal(303);
    expect(started.headers.location).to.match(/^\/interaction\//);
    client.close();
  });
});

/** OIDC Core 5.5.1: a claim is asked for with null, or with an object of three members, and others to ignore. */
const FITTING_CLAIMS: readonly object[] = [
  {
    userinfo: { email: { essential: true }, name: null, unknown: { purpose: ['x', { y: null }] } },
    id_token: { acr: { values: ['urn:portico:acr:single'] }, auth_time: {}, sub: { value: 'nora' } },
    verified: 5,
  },
  { userinfo: {} },
  { id_token: { acr: { essential: true, values: ['urn:portico:acr:single', 'other'], value: null } } },
];

function oddClaims(): unknown[] {
  const values = [null, true, 0, '', 'value', [], ['essential'], [null]];
  const objects = (name: string, among: readonly unknown[]) =>
    among.map((value) => `{"${name}":${JSON.stringify(value)}}`);
  const claims = [
    ...['sub', 'acr', 'email', 'never-heard-of', '__proto__', 'constructor', 'toString'].flatMap((name) =>
      objects(
        name,
        values.filter((value) => value !== null),
      ),
    ),
    ...['sub', 'acr', 'email'].flatMap((name) => [
      ...objects('essential', [null, 'true', 1, [], {}]).map((shape) => `{"${name}":${shape}}`),
      ...objects('values', [null, 'urn:portico:acr:single', 0, true, {}]).flatMap((shape) => [
        `{"${name}":${shape}}`,
        `{"${name}":{"essential":true,${shape.slice(1)}}`,
      ]),
    ]),
  ];
  return [
    ...values.filter((value) => value !== '').map((value) => JSON.stringify(value)),
    ...['{', '{}x', '{"userinfo":', '{"other":{}}', '{}'],
    ...['userinfo', 'id_token'].flatMap((target) => [
      ...objects(target, values),
      ...claims.map((shape) => `{"${target}":${shape}}`),
    ]),
  ];
}

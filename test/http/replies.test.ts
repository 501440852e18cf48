/** What every reply of a whole server says, whoever answers: pages, the OIDC provider, dialects, errors. */
import { expect } from 'chai';
import { basicAuth, ownApp, service } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const REQUEST = new URLSearchParams({
  ...{ client_id: ownApp.clientId, redirect_uri: ownApp.redirectUri, response_type: 'code', scope: 'openid' },
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  code_challenge_method: 'S256',
});

const PAGES = [
  ...[
    '/',
    '/forgot',
    '/forgot/sent',
    '/reset?token=x',
    '/reset/done',
    '/interaction/gone',
    '/interaction/a/b',
  ],
  ...[
    '/account',
    '/account/keys',
    '/account/data.json',
    '/account/deleted',
    '/federation/google/callback?state=x',
  ],
];
const PROVIDER = [
  ...['/authorize', `/authorize?${REQUEST}`, `/authorize?${REQUEST}&prompt=none`, '/authorize/gone-by'],
  ...[
    `/authorize?${REQUEST}&prompt=none&response_mode=form_post`,
    '/device',
    '/logout',
    '/userinfo',
    '/token',
  ],
];
const DIALECTS = [
  ...['/auth?sso_token=x', '/api_v3/users/login', '/api/therapist/v1/my-profile', '/api/v1/auth/me'],
  ...['/patient/auth/forgot', '/api/v1/auth/google'],
];
const FORMS = [
  ...[
    '/token',
    '/introspect',
    '/revoke',
    '/par',
    '/device_authorization',
    '/userinfo',
    '/authorize',
    '/forgot',
  ],
  ...['/interaction/x/sign-in', '/account/profile', '/reset', '/logout/confirm', '/api/therapist/v1/sign-in'],
  ...['/api_v3/users/login', '/api/v1/auth/login', '/patient/auth/login', '/nowhere'],
];

describe('every reply', () => {
  let server: TestServer;
  let url: string;
  before(async () => {
    server = await startTestServer({ config: { issuer: 'https://id.north.test' } });
    url = `http://127.0.0.1:${server.running.port}`;
  });
  after(() => server.close());

  async function expectGuarded(method: string, path: string, accept: string): Promise<void> {
    const type = 'application/x-www-form-urlencoded';
    const reply = await fetch(url + path, {
      ...{ method, redirect: 'manual', headers: { accept, 'content-type': type } },
      ...(method === 'POST' ? { body: 'a=b' } : {}),
    });
    await reply.arrayBuffer();
    const what = `${method} ${path} for ${accept}`;
    const says = (name: string) => reply.headers.get(name) ?? '';
    expect(says('x-content-type-options'), what).to.equal('nosniff');
    expect(says('x-frame-options'), what).to.equal('DENY');
    expect(says('referrer-policy'), what).to.match(/^(same-origin|no-referrer)$/);
    // CL2: an app may open any other page in a pop-up that answers it.
    const ours = path === '/' || /^\/(account|dev|docs)\b/.test(path);
    expect(says('cross-origin-opener-policy'), what).to.equal(ours ? 'same-origin' : '');
    expect(says('strict-transport-security'), what).to.equal('max-age=63072000');
    expect(says('cache-control'), what).to.equal('no-store');
    expect(says('content-security-policy'), what)
      .to.contain("default-src 'none'")
      .and.contain("frame-ancestors 'none'")
      .and.contain("base-uri 'none'")
      .and.not.contain('unsafe');
    expect([says('server'), says('x-powered-by')], what).to.deep.equal(['', '']);
  }

  for (const [whose, paths] of Object.entries({ pages: PAGES, provider: PROVIDER, dialects: DIALECTS })) {
    it(`H1 S6 S7 of the ${whose} is kept by nobody, in no frame, over https, and runs no script of a stranger`, async () => {
      for (const path of [...paths, '/nowhere', '/%ff'])
        for (const accept of ['text/html', 'application/json']) await expectGuarded('GET', path, accept);
    });
  }

  it('H1 S6 S7 to a form or to a method that is not served says the same', async () => {
    for (const path of FORMS)
      for (const accept of ['text/html', 'application/json']) await expectGuarded('POST', path, accept);
    for (const method of ['HEAD', 'OPTIONS', 'DELETE'])
      for (const path of ['/', '/token', '/authorize', '/api_v3/users/login', '/nowhere'])
        await expectGuarded(method, path, 'text/html');
  });

  it('L1 of the token endpoint has a line with the client, the client address, the outcome and the id of the request', async () => {
    const ask = async (secret: string) => {
      const reply = await fetch(`${url}/token`, {
        method: 'POST',
        headers: {
          authorization: basicAuth({ ...service, secret }),
          'x-forwarded-for': '203.0.113.44',
        },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      await reply.arrayBuffer();
      return reply.headers.get('x-request-id');
    };
    const [good, bad] = [await ask(String(service.secret)), await ask('Wrong-Secret-1')];
    const ofClient = async () =>
      (await server.running.stores.audit.latest({ limit: 20 })).filter(
        ({ clientId }) => clientId === service.clientId,
      );
    let lines = await ofClient();
    // Lines are written beside the replies, not before them.
    while (lines.length < 2) lines = await ofClient();
    const told = lines.map(({ event, outcome, clientId, address, requestId }) => ({
      ...{ event, outcome, clientId, address, requestId },
    }));
    const who = { clientId: service.clientId, address: '203.0.113.44' };
    expect(told).to.have.deep.members([
      { event: 'token.issued', outcome: 'success', ...who, requestId: good },
      { event: 'token.refused', outcome: 'refused', ...who, requestId: bad },
    ]);
    expect(JSON.stringify(lines)).to.not.contain('Wrong-Secret-1');
  });
});

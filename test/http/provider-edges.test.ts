/** What the frame says at the edges of the provider's routes, in our style: methods, long bodies, caches. */
import { request as send } from 'node:http';
import { expect } from 'chai';
import { basicAuth, service } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe('the edges of the OIDC routes', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ dialects: [] });
  });
  after(() => server.close());

  const ask = (method: string, path: string, accept = 'application/json') =>
    fetch(server.url + path, { method, headers: { accept }, redirect: 'manual' });

  for (const [method, path, allow] of [
    ['GET', '/token', 'POST, OPTIONS'],
    ['DELETE', '/token', 'POST, OPTIONS'],
    ['GET', '/introspect', 'POST, OPTIONS'],
    ['GET', '/revoke', 'POST, OPTIONS'],
    ['PUT', '/par', 'POST, OPTIONS'],
    ['GET', '/device_authorization', 'POST, OPTIONS'],
    ['PATCH', '/userinfo', 'GET, HEAD, POST, OPTIONS'],
    ['POST', '/jwks', 'GET, HEAD, OPTIONS'],
    ['POST', '/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/authorize', 'GET, HEAD, POST'],
    ['POST', '/authorize/an-old-one', 'GET, HEAD'],
    ['GET', '/logout/confirm', 'POST'],
    ['DELETE', '/device', 'GET, HEAD, POST'],
  ] as const) {
    it(`${method} ${path} is 405 and says what is allowed, as JSON or as a page for people`, async () => {
      const reply = await ask(method, path);
      expect(reply.status).to.equal(405);
      expect(reply.headers.get('allow')).to.equal(allow);
      expect(await reply.json()).to.have.property('error', 'invalid_request');
      const page = await ask(method, path, 'text/html');
      expect(page.status).to.equal(405);
      if (!/^\/(authorize|logout|device)(\/|$)/.test(path))
        return expect(await page.json()).to.have.property('error', 'invalid_request');
      expect(await page.text())
        .to.contain('<html lang="en">')
        .and.contain('That is not possible here');
    });
  }

  it('CL3 programs get their errors as JSON, whatever they accept', async () => {
    const form = 'application/x-www-form-urlencoded';
    const wrong: [
      what: string,
      init: RequestInit & { headers?: Record<string, string> },
      statuses: number[],
    ][] = [
      ['no such method', { method: 'DELETE' }, [405]],
      ['no method that is served anywhere', { method: 'PROPFIND' }, [405]],
      ['no client', { method: 'POST', body: 'x=1', headers: { 'content-type': form } }, [400]],
      [
        'a wrong secret',
        {
          method: 'POST',
          body: 'token=x&grant_type=x',
          headers: { 'content-type': form, authorization: basicAuth({ ...service, secret: 'no' }) },
        },
        [400, 401],
      ],
      ['no form', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }, [400]],
      ['a malformed form', { method: 'POST', body: '%&%ZZ=%', headers: { 'content-type': form } }, [400]],
      [
        'a parameter twice',
        { method: 'POST', body: 'client_id=a&client_id=a', headers: { 'content-type': form } },
        [400],
      ],
      ['a compressed body', { method: 'POST', body: 'x', headers: { 'content-encoding': 'gzip' } }, [415]],
      ['a long body', { method: 'POST', body: 'x'.repeat(60_000), headers: { 'content-type': form } }, [413]],
      ['a query of too many names', { method: 'POST', body: '' }, [400]],
    ];
    // Java's HttpURLConnection, a browser, a careless script.
    const accepts = ['text/html, image/gif, image/jpeg, */*; q=.2', 'text/html', 'image/png'];
    for (const path of ['/token', '/introspect', '/revoke', '/par', '/device_authorization', '/userinfo'])
      for (const accept of accepts)
        for (const [what, { headers, ...init }, statuses] of wrong) {
          const query = what.startsWith('a query') ? `?${'a&'.repeat(300)}` : '';
          const reply = await fetch(server.url + path + query, { ...init, headers: { accept, ...headers } });
          const label = `${path}: ${what}, for ${accept}`;
          // No client authenticates at userinfo; the access token is what is missing there.
          expect(reply.status, label).to.be.oneOf([...statuses, ...(path === '/userinfo' ? [400, 401] : [])]);
          expect(reply.headers.get('content-type'), label).to.match(/^application\/json\b/);
          expect(await reply.json(), label).to.include.keys('error', 'error_description');
        }
    const asked = await fetch(`${server.url}/userinfo`, {
      headers: { accept: 'text/html', authorization: 'Bearer no' },
    });
    expect(asked.status).to.equal(401);
    expect(await asked.json()).to.have.property('error', 'invalid_token');
  });

  it('CL3 a revocation is answered with JSON that says nothing, whatever the client accepts', async () => {
    for (const accept of ['text/html', 'application/json', '*/*']) {
      const reply = await fetch(`${server.url}/revoke`, {
        method: 'POST',
        body: new URLSearchParams({ token: 'unknown' }),
        headers: { accept, authorization: basicAuth(service) },
      });
      expect(reply.status).to.equal(200);
      expect(reply.headers.get('content-type')).to.match(/^application\/json\b/);
      expect(await reply.json()).to.deep.equal({});
    }
  });

  it('what is nowhere is 404, with a way on', async () => {
    expect((await ask('GET', '/nowhere')).status).to.equal(404);
    const page = await (await ask('GET', '/nowhere', 'text/html')).text();
    expect(page).to.contain('Page not found').and.contain('href="/"');
  });

  /** In chunks, without a Content-Length. */
  function inChunks(path: string, chunks: readonly string[]): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const request = send(
        server.url + path,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            'transfer-encoding': 'chunked',
            authorization: basicAuth(service),
          },
        },
        (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (chunk) => {
            body += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        },
      );
      request.on('error', reject);
      for (const chunk of chunks) request.write(chunk);
      request.end();
    });
  }

  it('H3 a body in chunks that grows too long is 413, on every route that takes one', async () => {
    const chunks = Array.from({ length: 60 }, () => `a=${'x'.repeat(1022)}&`);
    for (const path of ['/token', '/introspect', '/revoke', '/par', '/device_authorization', '/device'])
      expect((await inChunks(path, chunks)).status, path).to.equal(413);
  });

  it('a body in chunks that is not too long is read as any other', async () => {
    const reply = await inChunks('/token', ['grant_type=client', '_credentials']);
    expect(reply.status, reply.body).to.equal(200);
    expect(JSON.parse(reply.body)).to.have.property('access_token');
    const empty = await inChunks('/token', []);
    expect(empty.status).to.equal(400);
  });

  it('H1 what is public may be kept for a moment, and nothing else', async () => {
    const kept = {
      '/jwks': 60,
      '/.well-known/openid-configuration': 300,
      '/.well-known/oauth-authorization-server': 300,
    };
    for (const [path, seconds] of Object.entries(kept)) {
      const reply = await ask('GET', path);
      expect(reply.headers.get('cache-control'), path).to.equal(`public, max-age=${seconds}`);
      expect(reply.headers.get('vary'), path).to.contain('Origin');
    }
    for (const path of ['/authorize', '/userinfo', '/logout', '/device', '/nowhere', '/jwks/'])
      expect((await ask('GET', path)).headers.get('cache-control'), path).to.equal('no-store');
    expect(server.config.keys.overlap).to.be.above(60);
  });
});

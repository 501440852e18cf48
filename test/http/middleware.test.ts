/** What every request passes, whoever answers it: hosts, proxies, headers, methods, health, errors, the log. */

import { connect } from 'node:net';
import { expect } from 'chai';
import type { Middleware } from 'koa';
import type { ConfigInput } from '../../src/config/schema.ts';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { Refused } from '../../src/core/refused.ts';
import { requestInfoOf } from '../../src/http/request/request-context.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { type AppOnPort, type AppOnPortOptions, startApp } from './app-on-port.ts';

describe('the HTTP frame', () => {
  let app: AppOnPort;
  let client: HttpClient;

  /** Tells what the frame found out about the request. */
  const mirror: Middleware = async (ctx, next) => {
    if (ctx.path === '/mirror') {
      const { address, host } = requestInfoOf(ctx);
      ctx.body = { address, host, path: ctx.url, forwarded: ctx.get('X-Forwarded-Host') };
    } else if (ctx.path === '/throws') throw new Error('secret detail: hunter2');
    else if (ctx.path === '/store-down') throw new StoreUnavailable('redis');
    else if (ctx.path === '/busy') throw new Refused('too-many-requests', { retryAfter: 42 });
    else await next();
  };

  async function start(options: AppOnPortOptions = {}) {
    app = await startApp({ dialects: mirror, ...options });
    client = openClient(app.url);
  }

  const get = (path: string, headers: Record<string, string> = {}) =>
    client.send({ method: 'GET', path, headers });

  afterEach(async () => {
    client.close();
    await app.close();
  });

  describe('host and target', () => {
    for (const host of [
      'evil.test:x@good.test',
      'good.test/evil',
      'a b',
      'evil.test\\good.test',
      'good.test#',
      '[::1',
      'good.test:99999999',
    ]) {
      it(`H2 refuses the Host ${host}`, async () => {
        await start();
        expect((await get('/livez', { host })).status).to.equal(400);
      });
    }

    it('H2 refuses two Host fields', async () => {
      await start();
      expect(
        await raw(
          app.port,
          'GET /livez HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\nConnection: close\r\n\r\n',
        ),
      ).to.match(/^HTTP\/1.1 400/);
    });

    it('H2 takes an absolute target of its own host, and refuses one of another', async () => {
      await start();
      const own = await raw(
        app.port,
        'GET http://a.test/mirror?x=1 HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
      );
      expect(own)
        .to.match(/^HTTP\/1.1 200/)
        .and.to.contain('"path":"/mirror?x=1"');
      const other = await raw(
        app.port,
        'GET http://b.test/mirror HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n',
      );
      expect(other).to.match(/^HTTP\/1.1 400/);
    });

    it('reads a host without its port and case', async () => {
      await start();
      expect((await get('/mirror', { host: 'API-Clinic.Test:8080' })).json()).to.include({
        host: 'api-clinic.test',
      });
    });
  });

  describe('proxies', () => {
    const spoofed = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'evil.test',
      forwarded: 'for=203.0.113.9',
    };

    it('R1 H2 ignores forwarding headers of a peer that is no configured proxy', async () => {
      await start();
      const seen = (await get('/mirror', { host: 'good.test', ...spoofed })).json();
      expect(seen).to.include({ address: '127.0.0.1', host: 'good.test', forwarded: '' });
    });

    it('R1 takes the last address that no configured proxy of ours wrote', async () => {
      await start({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
      const seen = (
        await get('/mirror', { 'x-forwarded-for': '198.51.100.1, 203.0.113.9, 10.1.2.3' })
      ).json();
      expect(seen).to.include({ address: '203.0.113.9' });
    });

    it('R1 counts every spelling of an IPv6 network as one address', async () => {
      await start({ trustedProxies: ['127.0.0.1'] });
      const spellings = ['2001:db8:0:1::1', '2001:0DB8:0000:0001:ffff::9', '[2001:db8::1:0:0:0:7]:443'];
      const seen = await Promise.all(
        spellings.map(
          async (spelling) =>
            (await get('/mirror', { 'x-forwarded-for': spelling })).json() as { address: string },
        ),
      );
      expect(new Set(seen.map(({ address }) => address)).size).to.equal(1);
    });

    it('R1 stops at what is no address', async () => {
      await start({ trustedProxies: ['127.0.0.1'] });
      const seen = (await get('/mirror', { 'x-forwarded-for': '203.0.113.9, unknown' })).json();
      expect(seen).to.include({ address: '127.0.0.1' });
    });
  });

  describe('headers', () => {
    for (const path of ['/', '/livez', '/mirror', '/nothing', '/throws', '/interaction/x']) {
      it(`H1 protects ${path}`, async () => {
        await start();
        const { headers } = await get(path);
        expect(headers).to.include({
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'same-origin',
          'cache-control': 'no-store',
        });
        expect(headers['content-security-policy'])
          .to.contain("frame-ancestors 'none'")
          .and.not.contain('unsafe-inline');
        expect(headers).to.not.have.any.keys('x-powered-by', 'server');
      });
    }

    it('H1 CL12 demands https of its own host for two years, or as http.hsts says, where the issuer is https', async () => {
      await start();
      expect((await get('/livez')).headers).to.not.have.property('strict-transport-security');
      const cases: [ConfigInput['http'], string | undefined][] = [
        [{}, 'max-age=63072000'],
        [{ hsts: { includeSubDomains: true } }, 'max-age=63072000; includeSubDomains'],
        [{ hsts: { maxAge: '1h' } }, 'max-age=3600'],
        [{ hsts: { maxAge: 0 } }, 'max-age=0'],
        [{ hsts: { maxAge: null } }, undefined],
      ];
      for (const [http, said] of cases) {
        await app.close();
        await start({ issuer: 'https://id.example.org', http });
        const { headers } = await get('/livez');
        expect(headers['strict-transport-security'], JSON.stringify(http)).to.equal(said);
      }
    });

    it('H1 answers TRACE with 405', async () => {
      await start();
      expect((await client.send({ method: 'TRACE', path: '/livez' })).status).to.equal(405);
    });

    it('lets a stylesheet be kept, and answers 304 to who has it', async () => {
      await start();
      const address =
        /href="(\/assets\/portico\.css[^"]*)"/.exec(
          (await get('/nothing', { accept: 'text/html' })).text,
        )?.[1] ?? '';
      const sheet = await get(address);
      expect(sheet.headers['cache-control']).to.equal('public, max-age=31536000, immutable');
      expect(sheet.bytes.byteLength).to.be.within(1000, 15_000);
      expect((await get(address, { 'if-none-match': sheet.headers.etag ?? '' })).status).to.equal(304);
    });

    it('serves nothing from outside public/', async () => {
      await start();
      for (const path of [
        '/assets/../package.json',
        '/assets/%2e%2e/package.json',
        '/assets/..%2fpackage.json',
      ]) {
        expect((await get(path)).status, path).to.equal(404);
      }
    });
  });

  describe('health', () => {
    it('says only whether it is ready', async () => {
      await start();
      expect((await get('/readyz')).json()).to.deep.equal({ status: 'ok' });
    });

    it('A5 is alive but not ready while a store is away, and names no store', async () => {
      await start({ health: async () => [{ name: 'redis', ok: false, detail: 'ECONNREFUSED 10.0.0.5' }] });
      const ready = await get('/readyz');
      expect(ready.status).to.equal(503);
      expect(ready.text).to.not.contain('redis');
      expect((await get('/livez')).status).to.equal(200);
    });

    it('is not ready once it was asked to stop', async () => {
      await start({ accepting: () => false });
      expect((await get('/readyz')).status).to.equal(503);
    });
  });

  describe('errors', () => {
    it('L3 tells a client of a fault of ours nothing but the request id', async () => {
      await start();
      const reply = await get('/throws');
      expect(reply.status).to.equal(500);
      expect(reply.json()).to.deep.equal({
        error: 'server_error',
        error_description: 'Something went wrong on our side.',
      });
      const page = await get('/throws', { accept: 'text/html' });
      expect(page.text)
        .to.not.contain('hunter2')
        .and.not.match(/\n\s+at /);
      expect(page.text).to.contain(page.headers['x-request-id']);
      expect(app.log.join('')).to.contain(page.headers['x-request-id']);
    });

    it('answers 503 with Retry-After while a store is away', async () => {
      await start();
      const reply = await get('/store-down');
      expect(reply.status).to.equal(503);
      expect(reply.headers['retry-after']).to.equal('5');
      expect(reply.text).to.not.contain('redis');
    });

    it('answers 429 with Retry-After', async () => {
      await start();
      const reply = await get('/busy');
      expect([reply.status, reply.headers['retry-after']]).to.deep.equal([429, '42']);
    });

    it('shows a person a page and a program JSON', async () => {
      await start();
      expect((await get('/nothing')).json()).to.include({ error: 'not_found' });
      expect((await get('/nothing', { accept: 'text/html,*/*;q=0.8' })).text).to.contain(
        '<h1>Page not found</h1>',
      );
    });

    it('answers 4xx to percent signs that encode nothing', async () => {
      await start();
      for (const path of ['/interaction/%ff', '/interaction/%', '/%c0%af', '/interaction/%00']) {
        expect((await get(path)).status, path).to.be.within(200, 499);
      }
    });
  });

  describe('the log', () => {
    it('L2 has the pattern of the route, and nothing of the path or its query', async () => {
      await start();
      const secret = 'Abcdefghij0123456789Abcdefghij0123456789';
      await get(`/reset?token=${secret}`);
      await get(`/interaction/${secret}`);
      const log = app.log.join('');
      expect(log).to.contain('"route":"/reset"').and.contain('"route":"/interaction/:uid"');
      expect(log).not.to.contain(secret);
    });

    it('L3 keeps a line break in a path inside its line', async () => {
      await start();
      await get('/x%0a%7b%22forged%22:1%7d%1b[31m');
      for (const line of app.log) expect(() => JSON.parse(line)).to.not.throw();
      expect(app.log.join('')).to.not.contain('\u001b');
    });

    it('L1 gives each request an id of its own', async () => {
      await start();
      const ids = await Promise.all([get('/livez'), get('/livez')]);
      expect(new Set(ids.map(({ headers }) => headers['x-request-id'])).size).to.equal(2);
    });
  });
});

function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    let reply = '';
    socket.on('data', (chunk) => {
      reply += chunk.toString();
    });
    socket.on('close', () => resolve(reply)).on('error', reject);
  });
}

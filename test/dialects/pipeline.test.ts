import { expect } from 'chai';
import { z } from 'zod';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { type Guard, Refused, type Step } from '../../src/dialects/contract/dialect.ts';
import { json, ok, page, redirect } from '../../src/dialects/contract/reply.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { echo, PLAIN, probe, probeEndpoint } from './probe.ts';

const ANSWERS: Record<string, () => unknown> = {
  issue: () => {
    throw new Error('the secret detail of a defect');
  },
  store: () => {
    throw new StoreUnavailable('probe');
  },
  waiting: () => {
    throw new Refused('unavailable', { retryAfter: 5 });
  },
};

const ends = probeEndpoint({
  ...PLAIN,
  path: '/ends/:how',
  body: 'ignored',
  async answer({ params }) {
    return ok(ANSWERS[params.how ?? '']?.() ?? 'done');
  },
});

const leads = probeEndpoint({
  ...PLAIN,
  method: 'GET',
  path: '/leads',
  async answer() {
    const cookies = [
      {
        name: 'one',
        value: 'a;b=c\r\nd',
        maxAge: 60,
        path: '/x',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax' as const,
      },
    ];
    return redirect(302, 'https://elsewhere.test/?a=1', { cookies });
  },
});

const shows = probeEndpoint({
  ...PLAIN,
  method: 'GET',
  path: '/shows',
  answer: async () => page(400, 'pages/error', { title: 'Probe', message: '<b>&' }),
});

/** Refuses at the step that the query names, so that the order of two refusals can be seen. */
const order: Step[] = [
  'guard:first',
  'size',
  'organization',
  'credential',
  'rights',
  'encoding',
  'media',
  'syntax',
  'guard:second',
  'fields',
  'limits',
];
const refuses =
  (name: string): Guard =>
  ({ request }) => {
    if (request.query.getAll('guard').includes(name)) throw new Refused('forbidden', { detail: name });
  };

const guarded = probe({
  name: 'guarded',
  endpoints: [
    probeEndpoint({
      ...PLAIN,
      path: '/token',
      caller: 'token',
      accepts: { body: z.object({ a: z.string() }) },
      answer: async () => ok(1),
    }),
    { ...echo, path: '/open' },
    {
      ...echo,
      path: '/sometimes',
      needsCaller: ({ raw }) => raw.email === undefined,
      order: [
        ...order.filter((step) => step !== 'credential' && step !== 'rights' && step !== 'limits'),
        'credential',
        'rights',
        'limits',
      ],
    },
  ],
  dialect: {
    order,
    guards: { first: refuses('first'), second: refuses('second') },
    refusals: {
      ...probe({ name: 'x' }).refusals,
      forbidden: ({ endpoint }) => json(403, { at: endpoint?.path ?? null }),
    },
  },
});

const cors = probe({
  name: 'cors',
  endpoints: [echo],
  dialect: {
    cors: () => ({
      origins: ['https://app.test'],
      credentials: true,
      methods: ['POST'],
      headers: ['content-type', 'organization'],
      exposed: ['Retry-After'],
      maxAge: 600,
    }),
  },
});
const everywhere = probe({
  name: 'everywhere',
  dialect: {
    cors: () => ({ origins: 'any', credentials: false, methods: ['POST'], headers: [], exposed: [] }),
  },
});
const nowhere = probe({ name: 'nowhere', dialect: { cors: 'none' } });

describe('the pipeline', () => {
  let server: TestServer;
  let client: HttpClient;

  before(async () => {
    const plain = probe({ name: 'plain', endpoints: [echo, ends, leads, shows] });
    server = await startTestServer({
      dialects: [plain, guarded, cors, everywhere, nowhere],
      config: { http: { cors: { origins: ['https://general.test'] } } },
    });
    client = openClient(server.url);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string) =>
    client.send({ method, path, headers, ...(body === undefined ? {} : { body }) });
  const JSON_TYPE = { 'content-type': 'application/json' };

  it("answers what a dialect does not serve in that dialect's words", async () => {
    const unknown = await send('GET', '/plain/nothing');
    expect([unknown.status, unknown.text]).to.deep.equal([404, '{"error":"not_found"}']);
    const method = await send('GET', '/plain/echo');
    expect([method.status, method.headers.allow, method.text]).to.deep.equal([
      405,
      'POST',
      '{"error":"method_not_allowed"}',
    ]);
    expect((await send('GET', '/elsewhere')).text).not.to.contain('not_found"}');
  });

  it('H1 forbids every cache to keep a reply, and sets no cookie of its own', async () => {
    for (const [method, path] of [
      ['POST', '/plain/echo'],
      ['GET', '/plain/nothing'],
      ['GET', '/plain/leads'],
      ['GET', '/plain/shows'],
    ] as const) {
      const reply = await send(method, path, JSON_TYPE, method === 'POST' ? '{}' : undefined);
      expect(reply.headers['cache-control'], path).to.equal('no-store');
      if (path !== '/plain/leads') expect(reply.cookies, path).to.deep.equal([]);
    }
  });

  it('writes cookies that nothing in their value can end early', async () => {
    const { status, headers, cookies } = await send('GET', '/plain/leads');
    expect([status, headers.location]).to.deep.equal([302, 'https://elsewhere.test/?a=1']);
    expect(cookies).to.deep.equal([
      'one=a%3Bb%3Dc%0D%0Ad; Max-Age=60; Path=/x; HttpOnly; Secure; SameSite=Lax',
    ]);
  });

  it('answers HEAD as GET without a body', async () => {
    const [get, head] = [await send('GET', '/plain/leads'), await send('HEAD', '/plain/leads')];
    expect([head.status, head.headers.location, head.text]).to.deep.equal([
      get.status,
      get.headers.location,
      '',
    ]);
  });

  it('L3 tells nobody what a defect was, and logs it', async () => {
    const reply = await send('POST', '/plain/ends/issue');
    expect([reply.status, reply.text]).to.deep.equal([500, '{"error":"server_error"}']);
    expect(server.logText()).to.contain('the secret detail of a defect');
  });

  it('says 503 with Retry-After when a store is away', async () => {
    for (const how of ['store', 'waiting']) {
      const reply = await send('POST', `/plain/ends/${how}`);
      expect([reply.status, reply.headers['retry-after'], reply.text]).to.deep.equal([
        503,
        '5',
        '{"error":"unavailable"}',
      ]);
    }
  });

  it("runs the checks in the dialect's order", async () => {
    const ask = async (query: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
      (await send('POST', `/guarded/token${query}`, headers, body)).status;
    const large = 'x'.repeat(70_000);
    expect(await ask('?guard=first', large)).to.equal(403);
    expect(await ask('?guard=second', large)).to.equal(413);
    expect(await ask('?guard=second', '{')).to.equal(401);
    expect((await send('POST', '/guarded/open?guard=second', JSON_TYPE, '{')).status).to.equal(400);
    const second = await send('POST', '/guarded/open?guard=second', JSON_TYPE, '{}');
    expect([second.status, second.text]).to.deep.equal([403, '{"at":"/open"}']);
  });

  it('asks for a credential where the endpoint says that this request needs one, in its own order', async () => {
    const sometimes = async (body: string) =>
      (await send('POST', '/guarded/sometimes', JSON_TYPE, body)).status;
    expect(await sometimes('{"email":"a@b.test"}')).to.equal(200);
    expect(await sometimes('{}')).to.equal(401);
    expect(await sometimes('{')).to.equal(400);
  });

  it("follows a dialect's own cross-origin rules, on refusals too", async () => {
    const origin = { origin: 'https://app.test' };
    const refused = await send('POST', '/cors/echo', origin, 'x');
    expect(refused.status).to.equal(415);
    expect(refused.headers).to.include({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'Retry-After',
    });
    expect(refused.headers.vary).to.match(/origin/i);
    const preflight = await send('OPTIONS', '/cors/echo', {
      ...origin,
      'access-control-request-method': 'POST',
    });
    expect([preflight.status, preflight.text]).to.deep.equal([204, '']);
    expect(preflight.headers).to.include({
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type,organization',
      'access-control-max-age': '600',
    });
  });

  it('gives other origins, and requests without one, nothing to go by', async () => {
    for (const headers of [{}, { origin: 'https://evil.test' }, { origin: 'null' }]) {
      for (const method of ['POST', 'OPTIONS']) {
        const reply = await send(
          method,
          '/cors/echo',
          { ...headers, ...JSON_TYPE },
          method === 'POST' ? '{}' : undefined,
        );
        expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).to.deep.equal(
          [],
        );
      }
    }
  });

  it("leaves it to the server's general setting, to everybody, or to nobody, as the dialect says", async () => {
    const allowed = async (path: string, origin: string) =>
      (await send('POST', path, { ...JSON_TYPE, origin }, '{}')).headers['access-control-allow-origin'];
    expect(await allowed('/plain/echo', 'https://general.test')).to.equal('https://general.test');
    expect(await allowed('/plain/echo', 'https://other.test')).to.equal(undefined);
    expect(await allowed('/everywhere/echo', 'https://other.test')).to.equal('https://other.test');
    expect(await allowed('/nowhere/echo', 'https://general.test')).to.equal(undefined);
    expect((await send('OPTIONS', '/nowhere/echo')).status).to.equal(405);
    expect((await send('OPTIONS', '/plain/echo')).status).to.equal(204);
    expect((await send('OPTIONS', '/plain/nothing')).status).to.equal(404);
  });
});

/** Stage proxy: what the client gets is what the legacy system said, byte for byte. */
import { createHash } from 'node:crypto';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http, { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { countStoreCalls } from '../../bench/crossings.ts';
import { changeStageRecord, withStage } from '../../src/migration/stage-record.ts';
import { startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: Buffer;
}

interface Got {
  readonly status: number;
  /** Names and values in turn, without what the connection says of itself. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const OF_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'x-of-hop'];

async function send(origin: string, { method, path, headers, body }: Sent): Promise<Got> {
  const { hostname, port } = new URL(origin);
  const own = body === undefined ? [] : ['Content-Length', String(body.byteLength)];
  const request = http.request({
    hostname,
    port,
    agent,
    method,
    path,
    headers: ['Host', 'api.vendor.test', ...headers, ...own],
  });
  request.end(body);
  const [reply] = (await once(request, 'response')) as [IncomingMessage];
  const { statusCode: status = 0, rawHeaders } = reply;
  const kept = rawHeaders.filter((_, at) => {
    const name = rawHeaders[at - (at % 2)]?.toLowerCase() ?? '';
    return !OF_CONNECTION.includes(name);
  });
  return { status, headers: kept, body: await buffer(reply) };
}

const REPLY = 'the reply is given';

/** Writes down when the server at `origin` gives a reply. The result ends it. */
function noteReplies(origin: string, calls: string[]): () => void {
  const note: ChannelListener = (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    if (request.socket.localPort === Number(new URL(origin).port))
      response.once('prefinish', () => calls.push(REPLY));
  };
  subscribe('http.server.request.start', note);
  return () => unsubscribe('http.server.request.start', note);
}

/** Answers with what follows from the request alone, so that the same request gets the same bytes. */
async function startMirror(): Promise<{ origin: string; seen: string[]; server: Server }> {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const { method = '', url = '', rawHeaders } = request;
    seen.push([method, url, ...rawHeaders, body.toString('latin1')].join('\n'));
    const own = rawHeaders.filter((_, at) =>
      /^x-own|^cookie$|^authorization$|^content-type$/i.test(rawHeaders[at - (at % 2)] ?? ''),
    );
    const digest = createHash('sha256')
      .update([method, url, ...own].join('\n'))
      .update(body)
      .digest();
    const status = [200, 201, 204, 301, 304, 400, 401, 404, 422, 500, 503][digest.readUInt8(0) % 11] ?? 200;
    response.sendDate = false;
    response.writeHead(status, [
      ...['Content-Type', digest.readUInt8(1) % 2 ? 'application/json' : 'text/html; charset=latin1'],
      ...[
        'Set-Cookie',
        `a=${digest.toString('hex')}; Path=/`,
        'Set-Cookie',
        'b=2',
        'X-ODD-Case',
        'caf\u00e9',
      ],
      ...['Cache-Control', 'public, max-age=7', 'Connection', 'keep-alive, X-Of-Hop', 'X-Of-Hop', 'gone'],
      ...['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ]);
    response.end(Buffer.concat(Array.from({ length: digest.readUInt8(2) % 40 }, () => digest)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server };
}

const legacy = (url: string, more: Record<string, unknown> = {}) => ({ url, stage: 'proxy', ...more });

function startInFront(url: string, more: Record<string, unknown> = {}): Promise<TestServer> {
  return startTestServer({
    config: { http: { trustedProxies: [] }, dialects: { visitnote: { legacy: legacy(url, more) } } },
  });
}

const MARA = { email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

async function signIn(origin: string, who: object = MARA) {
  const body = Buffer.from(JSON.stringify(who));
  const headers = ['Content-Type', 'application/json'];
  return send(origin, { method: 'POST', path: '/api/therapist/v1/sign-in', headers, body });
}

const tokenOf = ({ body }: Got): string => JSON.parse(body.toString()).data.token;

/** A generator of numbers that gives the same ones in each run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The long form, `npm run test:proxy`: 5,000. */
const REQUESTS = Number(process.env.PROXY_REQUESTS ?? 500);
const AT_ONCE = 20;

describe('stage proxy', function () {
  this.timeout(60_000 + REQUESTS * 20);

  it('M22 gives the bytes of the legacy system for every request of a fuzz, and none of our tokens to it', async () => {
    const mirror = await startMirror();
    // A machine that is busy is not a legacy system that is away.
    const server = await startInFront(mirror.origin, { timeout: '30s' });
    const at = async (stage: 'proxy' | 'standalone') => {
      const { metadata } = server.running.stores;
      await changeStageRecord(metadata, 'visitnote', (record) => withStage(record, {}, stage));
    };
    try {
      await at('standalone');
      await sleepUntil(async () => (await signIn(server.url)).status === 200);
      const ours = [tokenOf(await signIn(server.url)), tokenOf(await signIn(server.url))];
      const dead = tokenOf(await signIn(server.url));
      const out = {
        method: 'POST',
        path: '/api/therapist/v1/logout',
        headers: ['Authorization', `Bearer ${dead}`],
      };
      expect((await send(server.url, out)).status).to.equal(200);
      await at('proxy');
      await sleepUntil(async () => (await signIn(server.url)).headers.includes('X-ODD-Case'));
      mirror.seen.length = 0;
      const next = numbers(7);
      const pick = <Item>(items: readonly Item[]): Item => items[next(items.length)] as Item;
      const text = (length: number) => Buffer.from(Array.from({ length }, () => 33 + next(90))).toString();
      const foreign = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxNyJ9.c2lnbmF0dXJlLW9mLWFub3RoZXI';
      const request = (own: string | undefined): Sent => {
        const [method, path] = pick([
          ['GET', '/my-profile'],
          ['POST', '/sign-in'],
          ['POST', '/register'],
          ['POST', '/logout'],
          ['DELETE', '/sign-in'],
          ['OPTIONS', '/my-profile'],
        ] as const);
        const place = own === undefined ? 'none' : pick(['header', 'body', 'query', 'cookie', 'other']);
        const words = own ?? foreign;
        const body =
          method === 'GET' || method === 'OPTIONS'
            ? ''
            : pick([text(next(2000)), JSON.stringify({ a: text(9) }), '']);
        const told = place === 'body' ? `${body}{"token":"${words}"}` : body;
        return {
          method,
          path: `/api/therapist/v1${path}${pick(['', '?', `?q=${encodeURIComponent(text(12))}`])}${place === 'query' ? `?t=${words}` : ''}`,
          headers: [
            ...[
              'X-Own-A',
              text(next(30)),
              'x-own-a',
              text(5),
              'Content-Type',
              pick(['application/json', 'text/plain', 'x/y']),
            ],
            ...(place === 'header' ? ['Authorization', `Bearer ${words}`] : []),
            ...(place === 'none' && next(2)
              ? ['Authorization', pick(['Bearer 17|abc', 'Basic eDp5', `bearer ${foreign}`])]
              : []),
            ...(place === 'cookie' ? ['Cookie', `z=1; t=${words}`] : next(3) ? [] : ['Cookie', 'z=1; y="2"']),
            ...(place === 'other' ? ['X-Token', words] : []),
            ...[
              'Connection',
              'keep-alive, x-hop',
              'X-Hop',
              '1',
              'X-Forwarded-For',
              '6.6.6.6',
              'Forwarded',
              'for=6.6.6.6',
            ],
          ],
          ...(told !== '' && { body: Buffer.from(told) }),
        };
      };
      let compared = 0;
      const round = async () => {
        const sent = request(undefined);
        const [direct, passed] = [await send(mirror.origin, sent), await send(server.url, sent)];
        expect(passed, JSON.stringify(sent)).to.deep.equal(direct);
        compared += 1;
      };
      while (compared < REQUESTS) await Promise.all(Array.from({ length: AT_ONCE }, round));
      const passedOn = mirror.seen.filter((each) => /^Via\n1\.1 portico-/m.test(each));
      expect(passedOn).to.have.lengthOf(compared);
      for (const each of passedOn) {
        expect(/^(?:x-hop|forwarded)$|6\.6\.6\.6/im.exec(each)?.[0], each).to.equal(undefined);
        expect(each)
          .to.match(/^X-Forwarded-For\n127\.0\.0\.1$/m)
          .and.to.match(/^X-Forwarded-Proto\nhttp$/m);
      }
      mirror.seen.length = 0;
      for (let rounds = 0; rounds < 150; rounds += 1) {
        const own = pick([...ours, dead]);
        const reply = await send(server.url, request(own));
        expect(reply.headers).not.to.include('X-ODD-Case');
      }
      expect(mirror.seen).to.deep.equal([]);
    } finally {
      await server.close();
      mirror.server.close();
      mirror.server.closeAllConnections();
    }
  });

  it('passes on a picture in Base64, which is no token of ours however long it is', async () => {
    const mirror = await startMirror();
    // A machine that is busy is not a legacy system that is away.
    const server = await startInFront(mirror.origin, { timeout: '30s' });
    try {
      const headers = ['Content-Type', 'application/json', 'Authorization', 'Bearer 17|abc'];
      const at = { method: 'POST', path: '/api/therapist/v1/register', headers };
      for (let number = 0; number < 12; number += 1) {
        const picture = Buffer.concat(
          Array.from({ length: 1450 }, (_, part) =>
            createHash('sha256').update(`${number}.${part}`).digest(),
          ),
        ).toString('base64');
        const written = number % 2 ? picture : picture.replaceAll('/', '\\/');
        const sent = { ...at, body: Buffer.from(`{"picture":"data:image/png;base64,${written}"}`) };
        expect(await send(server.url, sent)).to.deep.equal(await send(mirror.origin, sent));
      }
    } finally {
      await server.close();
      mirror.server.close();
      mirror.server.closeAllConnections();
    }
  });

  it('does not take a legacy system for away because of replies that are too much for one client', async () => {
    const system = await startLegacySystem();
    const server = await startInFront(system.url);
    try {
      system.add('visitnote', MARA);
      for (const kind of ['huge', 'bomb'] as const) {
        system.suffer({ kind }, /my-profile/);
        const me = { method: 'GET', path: '/api/therapist/v1/my-profile', headers: [] };
        for (let number = 0; number < 6; number += 1)
          expect((await send(server.url, me)).status, kind).to.equal(503);
        expect((await signIn(server.url)).status, kind).to.equal(200);
      }
    } finally {
      await server.close();
      await system.close();
    }
  });

  it('M1 M2 is left and entered at both of two nodes within 5 s, and a token of ours works there all the while', async () => {
    const system = await startLegacySystem();
    const first = await startInFront(system.url, { stage: 'standalone' });
    const second = await startTestServer({
      folder: first.folder,
      config: {
        issuer: first.issuer,
        http: { trustedProxies: [] },
        dialects: { visitnote: { legacy: legacy(system.url) } },
      },
    });
    const metadata = first.running.stores.metadata;
    try {
      const token = tokenOf(await signIn(first.url));
      const headers = ['Authorization', `Bearer ${token}`];
      const me = { method: 'GET', path: '/api/therapist/v1/my-profile', headers };
      for (const stage of ['standalone', 'primary', 'shadow', 'proxy'] as const) {
        await changeStageRecord(metadata, 'visitnote', (record) => withStage(record, {}, stage));
        const isPassed = stage === 'shadow' || stage === 'proxy';
        for (const { url } of [first, second]) {
          await sleepUntil(async () => (await isPassedOn(url)) === isPassed, 5000);
          system.forget();
          expect((await send(url, me)).status, `${stage} ${url}`).to.equal(200);
          expect(system.calls, stage).to.deep.equal([]);
        }
      }
    } finally {
      await second.close({ keepStore: true });
      await first.close();
      await system.close();
    }
  });

  it('M1 answers one route itself, and asks there about a token that the legacy system made', async () => {
    const system = await startLegacySystem();
    const server = await startInFront(system.url, { learn: [] });
    try {
      const ada = system.add('visitnote', { email: 'ada@old.test', password: 'Old-Password-17' });
      const { access } = system.issue(ada);
      const headers = ['Authorization', `Bearer ${access.value}`];
      const me = { method: 'GET', path: '/api/therapist/v1/my-profile', headers };
      expect((await send(server.url, me)).status).to.equal(200);
      expect(system.calls.at(-1)?.headers.via).to.contain('portico-');
      system.forget();
      const calls = countStoreCalls(server.running.stores);
      const stopNoting = noteReplies(server.url, calls);
      expect((await send(server.url, me)).status).to.equal(200);
      // Only whether the token is ours, where it has the form. What the clock asks for is no request's.
      const ofClocks = /^(?:usage|metadata|deliveries)\./;
      const earlier = () => calls.slice(0, calls.indexOf(REPLY)).filter((call) => !ofClocks.test(call));
      expect(calls).to.include(REPLY);
      expect(earlier().filter((call) => call !== 'oidcRecords.byId')).to.deep.equal([]);
      expect(earlier().length).to.be.at.most(2);
      expect(system.calls).to.have.lengthOf(1);
      calls.length = 0;
      system.forget();
      expect(
        (await signIn(server.url, { email: 'ada@old.test', password: 'Old-Password-17' })).status,
      ).to.equal(200);
      expect(calls).to.include(REPLY);
      expect(earlier()).to.deep.equal([]);
      expect(system.calls).to.have.lengthOf(1);
      stopNoting();
      await changeStageRecord(server.running.stores.metadata, 'visitnote', (record) =>
        withStage(record, { endpoint: 'GET /my-profile' }, 'primary'),
      );
      await sleepUntil(async () => {
        const { status, headers: names } = await send(server.url, me);
        // A header of Portico's own replies.
        return status === 200 && names.includes('X-Request-Id');
      });
      system.forget();
      const wrong = await signIn(server.url, { email: 'ada@old.test', password: 'wrong' });
      expect(wrong.status).to.equal(401);
      expect(system.calls.map(({ url }) => url)).to.deep.equal(['/api/therapist/v1/sign-in']);
    } finally {
      await server.close();
      await system.close();
    }
  });

  it('answers 503 with Retry-After in the vendor’s words while the legacy system hangs, resets or pours', async () => {
    const system = await startLegacySystem();
    const server = await startInFront(system.url, { timeout: '1s' });
    try {
      for (const kind of ['hang', 'reset', 'stall', 'huge'] as const) {
        system.suffer({ kind });
        const reply = await signIn(server.url);
        expect(reply.status, kind).to.equal(503);
        const at = reply.headers.findIndex((name) => name.toLowerCase() === 'retry-after');
        expect(Number(reply.headers[at + 1]), kind).to.be.within(1, 60);
        expect(JSON.parse(reply.body.toString()), kind).to.have.property('status', false);
      }
      const told = server.logged.filter(({ msg }) => msg === 'the legacy system gave no answer');
      expect(told.map(({ reason }) => reason)).to.deep.equal([
        ...['no reply in time', 'the connection broke', 'no reply in time', 'a reply that is too large'],
      ]);
    } finally {
      await server.close();
      await system.close();
    }
  });
});

/** Replies of Portico's own name the request. */
async function isPassedOn(url: string): Promise<boolean> {
  const reply = await send(url, { method: 'DELETE', path: '/api/therapist/v1/my-profile', headers: [] });
  return !reply.headers.includes('X-Request-Id');
}

async function sleepUntil(holds: () => Promise<boolean>, patience = 8000): Promise<void> {
  const deadline = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`It did not come to hold within ${patience} ms.`);
    await sleep(50);
  }
}

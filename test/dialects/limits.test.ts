import { expect } from 'chai';
import { z } from 'zod';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { Refused } from '../../src/dialects/contract/dialect.ts';
import type { ChargedLimit, LimitRule } from '../../src/dialects/contract/limits.ts';
import { ok } from '../../src/dialects/contract/reply.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { PLAIN, probe, probeEndpoint } from './probe.ts';

type Outcome = 'done' | 'account-exists' | 'invalid-token' | 'too-many-requests' | 'broken';

/** Ends as the body says, under the limits that its path names. */
function limited(path: string, rules: (key: string) => readonly LimitRule[], more = {}) {
  return probeEndpoint({
    ...PLAIN,
    path,
    accepts: { body: z.object({ key: z.string(), end: z.string().default('done') }) },
    limits: ({ body }) => rules((body as { key: string }).key),
    async answer({ body }, use) {
      const end = body.end as Outcome | 'quiet';
      if (end === 'broken') throw new Error('a defect');
      if (end === 'quiet') return ok(await use.within('quiet', body.key, { limit: 1, window: 60 }));
      if (end !== 'done') throw new Refused(end);
      return ok('done');
    },
    ...more,
  });
}

const EACH = { counter: 'each', limit: 2, window: 60, kind: 'sliding', charge: 'each' } as const;

const shown = (charged: readonly ChargedLimit[]) =>
  charged
    .map(({ counter, limit, remaining, resetAfter }) => `${counter} ${remaining}/${limit} ${resetAfter}`)
    .join(', ');

const counting = probe({
  name: 'counting',
  endpoints: [
    limited('/sliding', (key) => [{ ...EACH, key }]),
    limited('/fixed', (key) => [{ ...EACH, counter: 'fixed', kind: 'fixed', key }]),
    limited('/success', (key) => [{ ...EACH, counter: 'success', charge: 'success', key }]),
    limited('/failures', (key) => [{ ...EACH, counter: 'failures', charge: ['account-exists'], key }]),
    limited('/two', (key) => [
      { ...EACH, counter: 'narrow', limit: 1, window: 10, key },
      { ...EACH, counter: 'wide', limit: 1, window: 600, key: 'all' },
      { ...EACH, counter: 'roomy', limit: 3, key },
    ]),
    limited('/roomy', (key) => [{ ...EACH, counter: 'roomy', limit: 3, key }]),
    limited('/address', () => [], { counts: 'address', chargesAddress: ['account-exists'] }),
    probeEndpoint({
      ...PLAIN,
      path: '/guarded',
      caller: 'token',
      body: 'ignored',
      answer: async () => ok('done'),
    }),
  ],
  dialect: {
    headers: ({ charged }) => ({ 'x-charged': shown(charged) }),
    limitsOnRefusedCredential: ({ request }) => [{ ...EACH, counter: 'strangers', key: request.address }],
  },
});

/** The same counters' names in another dialect. */
const neighbour = probe({ name: 'neighbour', endpoints: [limited('/sliding', (key) => [{ ...EACH, key }])] });

describe("a dialect's own limits", () => {
  let server: TestServer;
  let client: HttpClient;
  let person = 0;

  before(async () => {
    const now = new Date();
    server = await startTestServer({
      clock: { now: () => now },
      dialects: [counting, neighbour],
      config: { attempts: { address: { limit: 3, window: 900 } } },
    });
    client = openClient(server.url);
  });
  after(async () => {
    client.close();
    await server.close();
  });
  const newKey = () => {
    person += 1;
    return `person ${person}`;
  };

  async function call(path: string, key: string, end: string = 'done', address = '198.51.100.1') {
    return client.send({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
      body: JSON.stringify({ key, end }),
    });
  }
  const status = async (...sent: Parameters<typeof call>) => (await call(...sent)).status;

  it('count each request before the work, however it ends', async () => {
    const key = newKey();
    expect(await status('/counting/sliding', key, 'account-exists')).to.equal(409);
    expect(await status('/counting/sliding', key)).to.equal(200);
    const refused = await call('/counting/sliding', key);
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 60);
    expect(refused.headers['x-charged']).to.match(/^each 0\/2 \d+$/);
  });

  it('count atomically: of ten at once as many are tried as there is room for', async () => {
    const key = newKey();
    const statuses = await Promise.all(Array.from({ length: 10 }, () => status('/counting/sliding', key)));
    expect(statuses.filter((one) => one === 200)).to.have.length(2);
  });

  it('belong to one key and to one dialect', async () => {
    const key = newKey();
    await Promise.all([status('/counting/sliding', key), status('/counting/sliding', key)]);
    expect(await status('/counting/sliding', key)).to.equal(429);
    expect(await status('/counting/sliding', newKey())).to.equal(200);
    expect(await status('/neighbour/sliding', key)).to.equal(200);
  });

  it('do not count what came to no work: malformed bodies', async () => {
    const key = newKey();
    for (let i = 0; i < 5; i += 1) {
      const reply = await client.send({
        method: 'POST',
        path: '/counting/sliding',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ key, end: 7 }),
      });
      expect(reply.status).to.equal(400);
    }
    expect(await status('/counting/sliding', key)).to.equal(200);
  });

  it('that slide are given back when a shared counter refuses; fixed ones stay charged', async () => {
    const [sliding, fixed] = [newKey(), newKey()];
    for (let i = 0; i < 3; i += 1) {
      expect(await status('/counting/sliding', sliding, 'too-many-requests')).to.equal(429);
    }
    expect(await status('/counting/sliding', sliding)).to.equal(200);
    for (let i = 0; i < 2; i += 1) await status('/counting/fixed', fixed, 'too-many-requests');
    const refused = await call('/counting/fixed', fixed);
    expect(refused.status).to.equal(429);
    expect(refused.headers['x-charged']).to.match(/^fixed 0\/2 60$/);
  });

  it('show what remains', async () => {
    const key = newKey();
    expect((await call('/counting/fixed', key)).headers['x-charged']).to.match(/^fixed 1\/2 60$/);
  });

  it('may count successes only, or some refusals only', async () => {
    const [good, bad] = [newKey(), newKey()];
    for (let i = 0; i < 3; i += 1)
      expect(await status('/counting/success', good, 'account-exists')).to.equal(409);
    for (let i = 0; i < 2; i += 1) expect(await status('/counting/success', good)).to.equal(200);
    expect(await status('/counting/success', good)).to.equal(429);
    for (let i = 0; i < 3; i += 1) expect(await status('/counting/failures', bad)).to.equal(200);
    for (let i = 0; i < 2; i += 1)
      expect(await status('/counting/failures', bad, 'account-exists')).to.equal(409);
    expect(await status('/counting/failures', bad)).to.equal(429);
  });

  it('B6 R3 that count refusals only judge no more at once than may fail, and refuse none that succeeds', async () => {
    const [bad, good] = [newKey(), newKey()];
    const twenty = (key: string, end: string) =>
      Promise.all(Array.from({ length: 20 }, () => status('/counting/failures', key, end)));
    const judged = (await twenty(bad, 'account-exists')).filter((one) => one === 409);
    expect(judged).to.have.length(2);
    expect(new Set(await twenty(good, 'done'))).to.deep.equal(new Set([200]));
  });

  it('of which one is full leave the others uncharged, and name the longest wait', async () => {
    const [first, second] = [newKey(), newKey()];
    expect(await status('/counting/two', first)).to.equal(200);
    // 'narrow' has room for the second, 'wide' is full.
    const refused = await call('/counting/two', second);
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers['retry-after'])).to.be.within(590, 600);
    for (let i = 0; i < 3; i += 1) expect(await status('/counting/roomy', second)).to.equal(200);
  });

  it('can be counted where no reply shows it', async () => {
    const key = newKey();
    expect((await call('/counting/roomy', key, 'quiet')).json()).to.equal(true);
    expect((await call('/counting/roomy', key, 'quiet')).json()).to.equal(false);
  });

  it('may stand before requests without a good credential', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.77' };
    const guarded = () => client.send({ method: 'POST', path: '/counting/guarded', headers });
    expect((await guarded()).status).to.equal(401);
    expect((await guarded()).headers['x-charged']).to.match(/^strangers 0\/2/);
    const refused = await guarded();
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 60);
  });

  it('R1 know a client address in every spelling', async () => {
    const guarded = (address: string) =>
      client.send({ method: 'POST', path: '/counting/guarded', headers: { 'x-forwarded-for': address } });
    await guarded('2001:db8:1:2::1');
    await guarded('2001:DB8:1:2:0:0:0:ffff');
    expect((await guarded('2001:db8:1:2:abcd::9')).status).to.equal(429);
  });

  it('C1 stand beside the shared counter of the client address', async () => {
    const from = '198.51.100.99';
    for (let i = 0; i < 3; i += 1) {
      expect(await status('/counting/address', 'x', 'account-exists', from)).to.equal(409);
    }
    const refused = await call('/counting/address', 'x', 'done', from);
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers['retry-after'])).to.be.within(1, 900);
    expect(await status('/counting/address', 'x', 'done', '198.51.100.98')).to.equal(200);
  });

  it('R3 R4 that cannot be reached refuse with 503, never let pass', async () => {
    const { rateLimits } = server.running.stores;
    const take = rateLimits.take;
    rateLimits.take = () => Promise.reject(new StoreUnavailable('probe'));
    try {
      expect(await status('/counting/sliding', newKey())).to.equal(503);
    } finally {
      rateLimits.take = take;
    }
  });
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import {
  avycennaChannel,
  freshAddress,
  introspect,
  mara,
  oidcChannel,
  oidcSignIn,
  type Pair,
  pat,
  type RefreshChannel,
  type Reply,
  refreshOidc,
  send,
  times,
  vseeChannel,
} from '../nodes/calls.ts';
import { ownApp, recordsApi } from '../support/clients.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { inTime, type Stopwatch } from '../support/in-time.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { relyingParty } from '../support/relying-party.ts';
import { canStartServers, startMongo, startRedis, suspend, type TestServer } from '../support/servers.ts';
import { openWebSession, type Page } from '../support/web-session.ts';
import { report, startLoad } from './load.ts';

/** Milliseconds within which a store that is away must have become a 503. */
const REDIS_AWAY = 3500;
const MONGO_AWAY = 5000;
/** Milliseconds within which a store that is back must be used again. */
const REDIS_BACK = 10_000;
const MONGO_BACK = 5000;

type StoreName = 'mongo' | 'redis';

describe('two nodes, when a store is away', function () {
  this.timeout(120_000);
  let nodes: Nodes;
  let servers: Record<StoreName, TestServer>;
  let proxies: Record<StoreName, FaultProxy>;
  /** What a test started instead of a server that it killed. */
  const revived: ChildProcess[] = [];
  let ids: (number | undefined)[];

  before(async function () {
    this.timeout(300_000);
    if (!canStartServers()) return this.skip();
    const [mongo, redis] = await Promise.all([startMongo({ own: true }), startRedis({ own: true })]);
    servers = { mongo, redis };
    const proxyTo = (server: TestServer) => startFaultProxy({ host: '127.0.0.1', port: server.port ?? 0 });
    proxies = { mongo: await proxyTo(mongo), redis: await proxyTo(redis) };
    nodes = await startNodes({
      stores: {
        // Past the proxy to the member it names: never.
        mongo: `mongodb://127.0.0.1:${proxies.mongo.port}/?directConnection=true`,
        redis: `redis://127.0.0.1:${proxies.redis.port}`,
      },
    });
    ids = nodes.nodes.map(({ child }) => child.pid);
  });
  after(async () => {
    await nodes?.close();
    for (const child of revived) child.kill('SIGKILL');
    await Promise.all(Object.values(servers ?? {}).map((server) => server.stop()));
    await Promise.all(Object.values(proxies ?? {}).map((proxy) => proxy.close()));
  });
  afterEach('no node died or wrote of an unhandled rejection', () => {
    expect(nodes.nodes.map(({ child }) => child.pid)).to.deep.equal(ids);
    for (const { child, output } of nodes.nodes) {
      expect(child.exitCode).to.equal(null);
      expect(output()).to.not.match(/unhandled|uncaught/i);
    }
  });

  /* ---------------------------------------------------------------- ways for a store to be away */

  interface Absence {
    readonly how: string;
    begin(store: StoreName): Promise<void>;
    end(store: StoreName): Promise<void>;
  }

  const processOf = (store: StoreName): ChildProcess => {
    const { child, port } = servers[store];
    const result = revived.findLast(({ spawnargs }) => spawnargs.includes(String(port))) ?? child;
    if (!result) throw new Error(`${store} was not started here.`);
    return result;
  };

  const killed: Absence = {
    how: 'killed',
    async begin(store) {
      const child = processOf(store);
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    // The same program on the same port and folder.
    async end(store) {
      const { spawnfile, spawnargs } = processOf(store);
      revived.push(spawn(spawnfile, spawnargs.slice(1), { stdio: 'ignore' }));
    },
  };
  const paused: Absence = {
    how: 'paused',
    begin: (store) => suspend(processOf(store)),
    end: async (store) => void processOf(store).kill('SIGCONT'),
  };
  const unreachable = (how: string, fault: Fault): Absence => ({
    how,
    begin: async (store) => proxies[store].set(fault),
    end: async (store) => {
      // A network that comes back may reset a connection that was given up.
      proxies[store].set({ kind: 'reset' });
      proxies[store].set({ kind: 'none' });
    },
  });
  const replaced: Absence = {
    how: 'replaced by another machine without a word',
    begin: async (store) => proxies[store].set({ kind: 'half-open' }),
    end: async (store) => proxies[store].setForNew({ kind: 'none' }),
  };
  const SIGN_IN_METHODS = [
    killed,
    paused,
    unreachable('cut off', { kind: 'reset' }),
    unreachable('silent', { kind: 'black-hole' }),
    replaced,
  ];

  async function without(
    store: StoreName,
    { begin, end }: Absence,
    work: () => Promise<void>,
  ): Promise<void> {
    await begin(store);
    try {
      await work();
    } finally {
      await end(store);
    }
  }

  /** Milliseconds until every node is ready again. */
  async function back(): Promise<number> {
    const begun = performance.now();
    for (const { url } of nodes.nodes) {
      while ((await send(`${url}/readyz`)).status !== 200) {
        if (performance.now() - begun > 30_000) throw new Error('The nodes do not find the store again.');
        await sleep(50);
      }
    }
    return performance.now() - begun;
  }

  const expectUnavailable = (watch: Stopwatch, what: string, reply: Reply, bound: number) => {
    const complaint =
      reply.status === 503 ? '' : nodes.nodes.map(({ output }) => output().slice(-3000)).join('\n');
    expect(reply.status, `${what}: ${reply.text.slice(0, 200)}\n${complaint}`).to.equal(503);
    expect(reply.headers['retry-after'], `${what}: Retry-After`).to.match(/^\d+$/);
    watch.within(what, reply.took, bound);
  };

  /* ---------------------------------------------------------------- requests that need a store */

  const signInAtVsee = (password = pat.password) =>
    send(`${nodes.url}/api_v3/users/login`, {
      headers: { 'x-accountcode': 'clinicdev', ...freshAddress() },
      form: { username: pat.login, password },
    });
  const signInAtVisitNote = (password = mara.password) =>
    send(`${nodes.url}/api/therapist/v1/sign-in`, {
      headers: freshAddress(),
      json: { email: mara.login, password },
    });
  const verifyCode = () =>
    send(`${nodes.url}/api/v1/auth/otp/verify`, {
      headers: freshAddress(),
      json: { email: 'dr@clinic.test', otp: '123456' },
    });
  const begin = async () => send((await started()).url, { headers: { accept: 'text/html' } });
  const started = async () => (await relyingParty(nodes.issuer, ownApp)).begin();

  async function expectOpenChannels(watch: Stopwatch, what: string): Promise<void> {
    for (const { url } of nodes.nodes) {
      const [discovery, jwks, live, ready] = await Promise.all([
        send(`${url}/.well-known/openid-configuration`),
        send(`${url}/jwks`),
        send(`${url}/livez`),
        send(`${url}/readyz`),
      ]);
      expect(discovery.status, `${what}: discovery`).to.equal(200);
      expect(jwks.status, `${what}: JWKS`).to.equal(200);
      expect((jwks.json() as { keys: unknown[] }).keys.length).to.be.greaterThan(1);
      expect(live.status, `${what}: livez`).to.equal(200);
      expect(ready.status, `${what}: readyz`).to.equal(503);
      for (const { took } of [discovery, jwks, live, ready]) watch.within('an open door', took, 6000);
    }
  }

  /* ---------------------------------------------------------------- Redis */

  for (const method of SIGN_IN_METHODS) {
    it(`A3 R4 with Redis ${method.how} every guess is a 503 in time, and all works again without a restart`, async () => {
      const long = await vseeChannel.signIn(nodes.url);
      await inTime((watch) => redisAway(watch, method, long));
      expect((await signInAtVsee()).status).to.equal(200);
      expect(await introspect(nodes.url, long.access, recordsApi)).to.include({ active: true });
    });
  }

  async function redisAway(watch: Stopwatch, method: Absence, long: Pair): Promise<void> {
    await without('redis', method, async () => {
      const [right, wrong, other, code, browser] = await Promise.all([
        signInAtVsee(),
        signInAtVsee('not-the-password'),
        signInAtVisitNote('not-the-password'),
        verifyCode(),
        begin(),
      ]);
      expectUnavailable(watch, 'the right password', right, REDIS_AWAY);
      expectUnavailable(watch, 'a wrong password', wrong, REDIS_AWAY);
      expectUnavailable(watch, 'a wrong password at another door', other, REDIS_AWAY);
      expectUnavailable(watch, 'a guessed code', code, REDIS_AWAY);
      expectUnavailable(watch, 'an authorization request', browser, REDIS_AWAY);
      // What lives long lies in MongoDB: no person is signed out.
      const me = await send(`${nodes.url}/api_v3/me`, { headers: { 'x-apitoken': long.access } });
      expect(me.status, 'a token of a day').to.equal(200);
    });
    const took = await back();
    report(`A3 ${method.how}`, { 'back after ms': Math.round(took) });
    watch.within('being back', took, REDIS_BACK);
  }

  it('R4 a guess at the hosted page fails closed while Redis is away', async () => {
    const session = openWebSession({ headers: freshAddress() });
    const page = (await session.open((await started()).url)) as Page;
    await without('redis', paused, async () => {
      const refused = (await session.submit(page, { ...mara, password: 'not-the-password' })) as Page;
      expect(refused.status).to.equal(503);
      expect(refused.headers.get('retry-after')).to.match(/^\d+$/);
    });
    await back();
  });

  it('R4 an outage gives no new budget: who was locked out before is locked out after', async () => {
    const headers = { 'x-accountcode': 'clinicdev', ...freshAddress() };
    const guess = () =>
      send(`${nodes.url}/api_v3/users/login`, {
        headers,
        form: { username: pat.login, password: 'not-the-password' },
      });
    await times(10, guess);
    await without('redis', paused, async () => {
      expect((await guess()).status).to.equal(503);
    });
    await back();
    expect((await guess()).status).to.equal(429);
  });

  it('T10 a rotated token stays dead when Redis has lost everything', async () => {
    const prepared = await Promise.all(
      [oidcChannel, vseeChannel, avycennaChannel].map(async (channel) => {
        const first = await channel.signIn(nodes.url);
        return {
          door: channel,
          first,
          second: channel.pair(await channel.refresh(nodes.url, first.refresh)),
        };
      }),
    );
    await killed.begin('redis');
    await killed.end('redis');
    await back();
    for (const { door: channel, first, second } of prepared) {
      const replayed = await channel.refresh(nodes.url, first.refresh);
      expect(replayed.status, channel.name).to.be.oneOf([400, 401]);
      const next = await channel.refresh(nodes.url, second.refresh);
      expect(next.status, `${channel.name}: the honest client goes on`).to.equal(200);
    }
  });

  /* ---------------------------------------------------------------- MongoDB */

  for (const method of SIGN_IN_METHODS) {
    it(`A4 with MongoDB ${method.how} everything is a 503 in time, and no acknowledged grant is lost`, () =>
      inTime((watch) => mongoAway(watch, method)));
  }

  async function mongoAway(watch: Stopwatch, method: Absence): Promise<void> {
    const channels: readonly RefreshChannel[] = [oidcChannel, vseeChannel];
    const held = await Promise.all(
      channels.map(async (channel) => ({ door: channel, pair: await channel.signIn(nodes.url) })),
    );
    await without('mongo', method, async () => {
      const [password, refresh, dialect, code] = await Promise.all([
        signInAtVsee(),
        refreshOidc(nodes.url, held[0]?.pair.refresh ?? ''),
        vseeChannel.refresh(nodes.url, held[1]?.pair.refresh ?? ''),
        verifyCode(),
      ]);
      expectUnavailable(watch, 'a sign-in', password, MONGO_AWAY);
      expectUnavailable(watch, 'a refresh', refresh, MONGO_AWAY);
      expectUnavailable(watch, "a dialect's refresh", dialect, MONGO_AWAY);
      expectUnavailable(watch, 'a code', code, MONGO_AWAY);
    });
    const took = await back();
    report(`A4 ${method.how}`, { 'back after ms': Math.round(took) });
    watch.within('being back', took, MONGO_BACK);
    for (const { door: channel, pair } of held) {
      expect(await introspect(nodes.url, pair.access, channel.introspector)).to.include({ active: true });
      const next = await channel.refresh(nodes.url, pair.refresh);
      expect(next.status, `${channel.name}: ${next.text}`).to.equal(200);
    }
  }

  it('A4 T9 a MongoDB that is too slow for a rotation costs no honest client its token', async () => {
    const channels = [oidcChannel, vseeChannel, avycennaChannel];
    const held = await Promise.all(
      channels.map(async (channel) => ({ door: channel, pair: await channel.signIn(nodes.url) })),
    );
    proxies.mongo.set({ kind: 'latency', milliseconds: 1100 });
    const replies = await Promise.all(
      held.map(({ door: channel, pair }) => times(2, () => channel.refresh(nodes.url, pair.refresh))),
    );
    proxies.mongo.set({ kind: 'none' });
    await back();
    for (const { status, text } of replies.flat()) expect(status, text).to.be.oneOf([200, 503]);
    for (const [which, { door: channel, pair }] of held.entries()) {
      const answered = replies[which]?.find(({ status }) => status === 200);
      const token = answered === undefined ? pair.refresh : channel.pair(answered).refresh;
      // The turn of a request that came to nothing ends by itself.
      let next = await channel.refresh(nodes.url, token);
      for (let i = 0; i < 40 && next.status === 503; i += 1) {
        await sleep(300);
        next = await channel.refresh(nodes.url, token);
      }
      expect(next.status, `${channel.name}: ${next.text}`).to.equal(200);
    }
  });

  /* ---------------------------------------------------------------- either */

  for (const store of ['redis', 'mongo'] as const) {
    it(`A5 with ${store} away discovery, JWKS and /livez answer, /readyz does not, and memory is flat`, async () => {
      await oidcSignIn(nodes.issuer);
      await inTime((watch) => flatWithout(watch, store));
    });
  }

  async function flatWithout(watch: Stopwatch, store: StoreName): Promise<void> {
    const barrage = () => times(40, () => signInAtVsee('not-the-password'));
    await without(store, paused, async () => {
      await barrage();
      const before = await memory();
      await barrage();
      await expectOpenChannels(watch, `${store} paused`);
      const after = await memory();
      for (const [which, size] of after.entries()) {
        expect(size, 'megabytes').to.be.lessThan((before[which] ?? 0) + 60);
      }
    });
    await back();
  }

  it('A3 A4 clients at work through an outage of each store lose nothing', async () => {
    const load = await startLoad(nodes.url, { clients: 4 });
    for (const store of ['redis', 'mongo'] as const) {
      await sleep(500);
      await without(store, paused, () => sleep(1500));
      await sleep(500);
      await without(store, unreachable('cut off', { kind: 'reset' }), () => sleep(500));
    }
    await back();
    await sleep(500);
    await load.stop();
    const { tally } = load;
    const findings = await load.audit();
    report('A3 A4 under load', {
      ...{ requests: tally.requests, failed: tally.failedAt.length, refreshes: tally.refreshes },
      ...{ lost: findings.lost.length, doubled: findings.doubled.length },
    });
    expect(tally.wrong).to.deep.equal([]);
    expect(tally.slowest, 'milliseconds').to.be.lessThan(6000);
    expect(findings).to.deep.include({ lost: [], doubled: [], undead: [] });
  });

  /** Resident, in megabytes, node by node. */
  async function memory(): Promise<number[]> {
    return Promise.all(
      nodes.nodes.map(async ({ child }) => {
        const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(child.pid)]);
        return Number(stdout.trim()) / 1024;
      }),
    );
  }
});

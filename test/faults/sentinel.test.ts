/** Redis with a replica and three Sentinels, and what two nodes do when its primary dies for good (A3). */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { freshAddress, mara, pat, type Reply, send, times, vseeChannel } from '../nodes/calls.ts';
import { inTime, type Stopwatch } from '../support/in-time.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { startWatchedRedis, type WatchedRedis } from '../support/redis-groups.ts';
import { canStartServers, sharedServers } from '../support/servers.ts';
import { report, startLoad } from './load.ts';

/** Milliseconds after which a Sentinel takes the primary for dead. */
const DOWN_AFTER = 2000;
/** Milliseconds within which sign-ins must work again. */
const BACK = 10_000;
/** Milliseconds within which the loss must have become a 503. */
const AWAY = 3500;

describe('two nodes, when the primary of a watched Redis dies', function () {
  this.timeout(180_000);
  let nodes: Nodes;
  let redis: WatchedRedis;
  before(async function () {
    this.timeout(300_000);
    const servers = await sharedServers();
    if (!servers || !canStartServers()) return this.skip();
    redis = await startWatchedRedis({ downAfter: DOWN_AFTER });
    const { sentinels, master: sentinelMaster } = redis;
    nodes = await startNodes({
      stores: { mongo: servers.mongo.url, redis: 'redis://unused' },
      config: {
        store: {
          kind: 'distributed',
          mongo: { url: servers.mongo.url, database: `sentinel-${randomUUID()}` },
          redis: { sentinels, sentinelMaster },
        },
      },
    });
  });
  after(async () => {
    await nodes?.close();
    await redis?.stop();
  });

  const signIn = (at: string, headers = freshAddress(), password = pat.password) =>
    send(`${at}/api_v3/users/login`, {
      headers: { 'x-accountcode': 'clinicdev', ...headers },
      form: { username: pat.login, password },
    });

  it('A3 every guess is a 503 until another one is the primary, then all works, without a restart', () =>
    inTime(async (watch) => {
      const ids = nodes.nodes.map(({ child }) => child.pid);
      const long = await vseeChannel.signIn(nodes.url);
      const lockedOut = freshAddress();
      await times(10, () => signIn(nodes.url, lockedOut, 'not-the-password'));
      // A replica has what the primary had a moment ago.
      await sleep(500);
      const { replaced } = await redis.kill();
      const begun = performance.now();
      await expectAway(watch, long.access);
      await backAtEveryNode();
      const took = performance.now() - begun;
      await replaced;
      report('A3 Sentinel', { 'back after ms': Math.round(took) });
      watch.within('being back', took, BACK);
      expect((await signIn(nodes.url, lockedOut)).status, 'who was locked out before').to.equal(429);
      expect(nodes.nodes.map(({ child }) => child.pid)).to.deep.equal(ids);
      await redis.revive();
    }));

  it('A3 clients at work through it lose nothing', async () => {
    const load = await startLoad(nodes.url, { clients: 4 });
    await sleep(500);
    const { replaced } = await redis.kill();
    await replaced;
    await backAtEveryNode();
    await sleep(500);
    await load.stop();
    const findings = await load.audit();
    const { requests, refreshes, failedAt, wrong } = load.tally;
    report('A3 Sentinel under load', { requests, failed: failedAt.length, refreshes });
    expect(wrong).to.deep.equal([]);
    expect(refreshes).to.be.greaterThan(0);
    expect(findings).to.deep.include({ lost: [], doubled: [], undead: [] });
  });

  async function expectAway(watch: Stopwatch, token: string): Promise<void> {
    const [right, wrong] = await Promise.all([
      signIn(nodes.url),
      send(`${nodes.url}/api/therapist/v1/sign-in`, {
        headers: freshAddress(),
        json: { email: mara.login, password: 'not-the-password' },
      }),
    ]);
    for (const reply of [right, wrong]) expectUnavailable(watch, reply);
    // What lives long lies in MongoDB.
    const me = await send(`${nodes.url}/api_v3/me`, { headers: { 'x-apitoken': token } });
    expect(me.status).to.equal(200);
  }

  function expectUnavailable(watch: Stopwatch, reply: Reply): void {
    expect(reply.status, reply.text.slice(0, 200)).to.equal(503);
    expect(reply.headers['retry-after']).to.match(/^\d+$/);
    watch.within('a 503', reply.took, AWAY);
  }

  async function backAtEveryNode(): Promise<void> {
    const deadline = performance.now() + 60_000;
    for (const { url } of nodes.nodes) {
      while ((await signIn(url)).status !== 200) {
        if (performance.now() > deadline) throw new Error('The nodes do not find the new primary.');
        await sleep(100);
      }
    }
  }
});

/** More than one Redis: a cluster of three, and a primary with a replica that three Sentinels watch. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './ports.ts';
import { startRedis, startSentinel, type TestServer } from './servers.ts';

const SLOTS = 16_384;
const MASTER = 'portico';
/** Milliseconds. */
const PATIENCE = 60_000;

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!(await look().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE} ms.`);
    await sleep(50);
  }
}

async function ask(url: string, command: string, ...values: (string | number)[]): Promise<unknown> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await redis.call(command, ...values);
  } finally {
    redis.disconnect();
  }
}

const stopAll = (servers: readonly TestServer[]) => Promise.all(servers.map((server) => server.stop()));

export interface RedisCluster {
  readonly urls: readonly string[];
  /** Kills one node; its slots are then served by nobody. */
  break(): Promise<void>;
  stop(): Promise<void>;
}

/** Every slot is served by one of three servers, none has a replica. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const members = await Promise.all(
    [0, 1, 2].map(async () => {
      const bus = await freePort();
      const values = [
        ...['--cluster-enabled', 'yes', '--cluster-port', String(bus)],
        ...['--cluster-node-timeout', '2000'],
      ];
      return { bus, server: await startRedis({ own: true, values }) };
    }),
  );
  const [first] = members;
  for (const [which, { server, bus }] of members.entries()) {
    const from = Math.floor((SLOTS * which) / members.length);
    const to = Math.floor((SLOTS * (which + 1)) / members.length) - 1;
    await ask(server.url, 'CLUSTER', 'ADDSLOTSRANGE', from, to);
    if (first && server !== first.server)
      await ask(first.server.url, 'CLUSTER', 'MEET', '127.0.0.1', server.port ?? 0, bus);
  }
  for (const { server } of members) {
    await until('a node of the cluster', async () => {
      const info = String(await ask(server.url, 'CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
    });
  }
  const servers = members.map(({ server }) => server);
  return {
    urls: servers.map(({ url }) => url),
    break: async () => servers[2]?.stop(),
    stop: async () => void (await stopAll(servers)),
  };
}

export interface WatchedRedis {
  readonly master: string;
  /** URLs. */
  readonly sentinels: readonly string[];
  /** `kill -9` of the server that the Sentinels take for the primary. `replaced` resolves when they name another one. */
  kill(): Promise<{ replaced: Promise<void> }>;
  /** Starts the killed one again, as a replica, and waits until it has all. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/** `downAfter`: milliseconds without an answer after which a Sentinel takes the primary for dead. */
export async function startWatchedRedis({ downAfter }: { downAfter: number }): Promise<WatchedRedis> {
  const servers = [await startRedis({ own: true })];
  const replicaOf = (primary: number) =>
    startRedis({
      own: true,
      values: ['--replicaof', '127.0.0.1', String(primary), '--repl-diskless-sync-delay', '0'],
    });
  servers.push(await replicaOf(servers[0]?.port ?? 0));
  const watch = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${servers[0]?.port} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${downAfter}`,
    `sentinel failover-timeout ${MASTER} 5000`,
  ];
  const sentinels = await Promise.all([0, 1, 2].map(() => startSentinel(watch)));
  const urls = sentinels.map(({ url }) => url);
  const primary = async (url: string) => {
    const [, port] = (await ask(url, 'SENTINEL', 'get-master-addr-by-name', MASTER)) as string[];
    return Number(port);
  };
  /** Every Sentinel knows the others, and this replica as one that could take over: the dead ones count as replicas too. */
  const settled = (replica: number | undefined) =>
    until('the Sentinels with each other and the replica', async () => {
      const seen = await Promise.all(
        urls.map(async (url) => {
          const info = String(await ask(url, 'INFO', 'sentinel'));
          const replicas = (await ask(url, 'SENTINEL', 'REPLICAS', MASTER)) as string[][];
          return (
            /status=ok,[^\n]*sentinels=3/.test(info) && replicas.some((fields) => isReady(fields, replica))
          );
        }),
      );
      return !seen.includes(false);
    });
  await settled(servers[1]?.port);
  return {
    master: MASTER,
    sentinels: urls,
    async kill() {
      const before = await primary(urls[0] ?? '');
      const which = servers.findIndex(({ port }) => port === before);
      const [dead] = servers.splice(which, 1);
      await dead?.stop();
      const replaced = until('another primary', async () => (await primary(urls[0] ?? '')) !== before);
      replaced.catch(() => undefined);
      return { replaced };
    },
    async revive() {
      const now = await primary(urls[0] ?? '');
      const replica = await replicaOf(now);
      servers.push(replica);
      await until('the replica', async () =>
        String(await ask(replica.url, 'INFO', 'replication')).includes('master_link_status:up'),
      );
      await settled(replica.port);
    },
    stop: async () => void (await stopAll([...sentinels, ...servers])),
  };
}

/** `fields`: names and values in turn, as a Sentinel describes a replica. */
function isReady(fields: readonly string[], port: number | undefined): boolean {
  const told = (name: string) => fields[fields.indexOf(name) + 1];
  return told('port') === String(port) && told('flags') === 'slave' && told('master-link-status') === 'ok';
}

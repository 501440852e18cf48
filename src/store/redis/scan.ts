/**
 * Walks through all keys, server by server. A cursor is good only at the very process that gave it:
 * after a restart or a failover the walk begins again at that server's first key.
 */
import type { Redis } from 'ioredis';
import { primaries, type RedisConnection } from './connection.ts';
import { ask } from './fitness.ts';

const SAMPLE = 1000;

/** About `limit` keys. `after`: `next` of the batch before. */
export async function scan(
  redis: RedisConnection,
  start: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<{ keys: string[]; next?: string }> {
  const servers = await identified(redis);
  const [run, cursor = '0'] = after?.split(' ') ?? [];
  const known = servers.findIndex((server) => server.run === run);
  const at = Math.max(known, 0);
  const server = servers[at];
  if (server === undefined) return { keys: [] };
  const [next, keys] = await server.redis.scan(
    known < 0 ? '0' : cursor,
    'MATCH',
    `${start}*`,
    'COUNT',
    limit,
  );
  if (next !== '0') return { keys, next: `${server.run} ${next}` };
  const following = servers[at + 1];
  return { keys, ...(following && { next: `${following.run} 0` }) };
}

/** About how many keys begin with `start`: by their share of some that come first. */
export async function countKeys(redis: RedisConnection, start: string): Promise<number> {
  const counts = await Promise.all(
    primaries(redis).map(async (server) => {
      const [size, [, some]] = await Promise.all([server.dbsize(), server.scan('0', 'COUNT', SAMPLE)]);
      const share = some.filter((key) => key.startsWith(start)).length / Math.max(some.length, 1);
      return Math.round(size * share);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The servers that take writes, each with the name of its process, in an order that lasts as long as they do. */
async function identified(redis: RedisConnection): Promise<{ redis: Redis; run: string }[]> {
  const servers = await Promise.all(
    primaries(redis).map(async (server) => {
      const { host, port } = server.options;
      const { run_id: run = `${host}:${port}` } = (await ask(server, 'server')) ?? {};
      return { redis: server, run };
    }),
  );
  return servers.sort((one, two) => (one.run < two.run ? -1 : 1));
}

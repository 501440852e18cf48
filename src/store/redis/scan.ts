/**
 * Keys from one end to the other, server by server. A cursor is worth something on the very process that gave it:
 * after a restart or a failover the walk begins again at that server's first key.
 */
import type { Redis } from 'ioredis';
import { primaries, type RedisConnection } from './connection.ts';

/** About `limit` keys. `after`: `next` of the batch before. */
export async function scan(
  redis: RedisConnection,
  pattern: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<{ keys: string[]; next?: string }> {
  const servers = await identified(redis);
  const [run, cursor = '0'] = after?.split(' ') ?? [];
  const known = servers.findIndex((server) => server.run === run);
  const at = Math.max(known, 0);
  const server = servers[at];
  if (server === undefined) return { keys: [] };
  const [next, keys] = await server.redis.scan(known < 0 ? '0' : cursor, 'MATCH', pattern, 'COUNT', limit);
  if (next !== '0') return { keys, next: `${server.run} ${next}` };
  const following = servers[at + 1];
  return { keys, ...(following && { next: `${following.run} 0` }) };
}

/** Of all families. */
export async function countKeys(redis: RedisConnection): Promise<number> {
  const sizes = await Promise.all(primaries(redis).map((server) => server.dbsize()));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The servers that take writes, each with the name of its process, in an order that lasts as long as they do. */
async function identified(redis: RedisConnection): Promise<{ redis: Redis; run: string }[]> {
  const servers = await Promise.all(
    primaries(redis).map(async (server) => {
      const run = /^run_id:(\w+)/m.exec(await server.info('server'))?.[1] ?? '';
      return { redis: server, run };
    }),
  );
  return servers.sort((one, two) => (one.run < two.run ? -1 : 1));
}

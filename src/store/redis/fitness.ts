/**
 * Whether Redis is set up to keep what it is given, and how full it is. It says so in INFO, which managed
 * Redis answers where it refuses CONFIG GET.
 */
import type { Redis } from 'ioredis';
import { StoreUnavailable, StoreUnusable } from '../../core/errors.ts';
import type { Log } from '../../observe/log.ts';
import { primaries, type RedisConnection, translated } from './connection.ts';

/** Milliseconds that a figure stays good: what strangers can write meanwhile is little. */
const FRESH = 250;

type Info = Readonly<Record<string, string>>;

/**
 * Throws StoreUnusable for a Redis that may throw records out: a used code or a counted attempt that is
 * forgotten is good again. `mayEvict`: the operator knows.
 */
export async function refuseEviction(
  redis: RedisConnection,
  { mayEvict, log }: { mayEvict: boolean; log: Log },
): Promise<void> {
  for (const info of await infoOf(redis)) {
    const { maxmemory_policy: policy, aof_enabled: appends } = info ?? {};
    if (policy === undefined) {
      log.warn('Redis does not tell its maxmemory-policy. It must be noeviction: see docs/operations.md.');
    } else if (policy !== 'noeviction' && !mayEvict) {
      throw new StoreUnusable(
        'redis',
        `Redis has maxmemory-policy ${policy}: it may throw out used codes and counted attempts, which are ` +
          'good again then. Set it to noeviction. With store.redis.mayEvict: true Portico starts all the same.',
      );
    }
    if (appends === '0') {
      log.warn('Redis has appendonly off: a restart of Redis signs people out and forgets counted attempts.');
    }
  }
}

/** The share of the fullest server's maxmemory that is in use; 0 where there is none, or where it does not tell. */
export function createFullness(redis: RedisConnection): () => Promise<number> {
  let looked = Number.NEGATIVE_INFINITY;
  let share = Promise.resolve(0);
  return () => {
    if (performance.now() - looked >= FRESH) {
      looked = performance.now();
      share = infoOf(redis).then((infos) => Math.max(0, ...infos.map(shareOf)));
    }
    return share;
  };
}

function shareOf(info: Info | undefined): number {
  const most = Number(info?.maxmemory ?? 0);
  return most > 0 ? Number(info?.used_memory ?? 0) / most : 0;
}

/** Of every server that takes writes; undefined for one that does not tell. */
function infoOf(redis: RedisConnection): Promise<(Info | undefined)[]> {
  return Promise.all(
    primaries(redis).map(async (server) => {
      const [memory, persistence] = await Promise.all([ask(server, 'memory'), ask(server, 'persistence')]);
      return memory && { ...memory, ...persistence };
    }),
  );
}

/** Undefined for a server that does not tell. */
export async function ask(
  server: Redis,
  section: 'memory' | 'persistence' | 'server',
): Promise<Info | undefined> {
  try {
    const lines = (await server.info(section)).matchAll(/^(\w+):(.*?)\r?$/gm);
    return Object.fromEntries(Array.from(lines, (line) => line.slice(1)));
  } catch (error) {
    if (translated(error) instanceof StoreUnavailable) throw error;
    // A user without the right to ask, or a server that does not know the question.
    return undefined;
  }
}

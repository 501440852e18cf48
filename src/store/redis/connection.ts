/**
 * The connection to Redis, and what every call on it has in common: short time-outs, scripts by name, and
 * StoreUnavailable for whatever keeps the server from answering.
 */
import { randomUUID } from 'node:crypto';
import { Cluster, type RedisOptions as DriverOptions, Redis, ReplyError } from 'ioredis';
import { StoreUnavailable } from '../../core/errors.ts';
import type { Log } from '../../observe/log.ts';
import { type Guard, underGuard, within } from '../ports/guard.ts';
import { keyOf } from './keys.ts';

/** One server, the primary that Sentinels name, or a cluster: the stores do not tell them apart. */
export type RedisConnection = Redis | Cluster;

export interface RedisOptions {
  readonly url: string;
  /** URLs. */
  readonly sentinels?: readonly string[] | undefined;
  /** Default: mymaster. */
  readonly sentinelMaster?: string | undefined;
  /** URLs. */
  readonly cluster?: readonly string[] | undefined;
  /** Default: false. */
  readonly mayEvict?: boolean | undefined;
  readonly log: Log;
}

/** Milliseconds for one call; also for a connection, and after which calls no longer wait for one. */
const COMMAND = 2000;
/**
 * Milliseconds without a word from a server that owes an answer, after which its connection is given up. A
 * machine that dies says no goodbye, and the one that takes its address is only found by a new connection.
 */
const SILENCE = 3000;

/**
 * Milliseconds that Redis keeps a record after its expiry. Expiry is judged on read by the caller's clock;
 * Redis only cleans up, and a node whose clock is a little behind must still find what it may use.
 */
export const KEPT_AFTER_EXPIRY = 60_000;

export function connectRedis(options: RedisOptions): RedisConnection {
  const redis = connection(options);
  const { log } = options;
  let away = false;
  redis.on('error', (err) => {
    if (!away) log.error({ err }, 'Redis cannot be reached.');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('Redis is reached again.');
    away = false;
  });
  return redis;
}

const COMMON = {
  connectionName: 'portico',
  connectTimeout: COMMAND,
  commandTimeout: COMMAND,
  socketTimeout: SILENCE,
  maxRetriesPerRequest: 1,
  // A command whose reply was lost may have run. Sent again, "consume" would say that another caller
  // used the token, and the family of an honest client would die.
  autoResendUnfulfilledCommands: false,
};
const retryStrategy = (times: number) => Math.min(50 * times, 1000);

function connection({ url, sentinels, sentinelMaster, cluster }: RedisOptions): RedisConnection {
  if (cluster !== undefined) {
    return new Cluster(cluster.map(addressOf), {
      redisOptions: { ...COMMON, ...credentialsOf(url) },
      enableAutoPipelining: true,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: COMMAND,
      // As above: only a node that did not take the command may be followed by another one.
      retryDelayOnFailover: 0,
    });
  }
  const single = {
    ...COMMON,
    enableAutoPipelining: true,
    retryStrategy,
    // A primary that became a replica: the next look-up of the primary names another one.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
  if (sentinels === undefined) return new Redis(url, single);
  const { username, password, tls } = credentialsOf(sentinels[0] ?? '');
  return new Redis({
    ...single,
    ...credentialsOf(url),
    db: Number(new URL(url).pathname.slice(1)),
    sentinels: sentinels.map(addressOf),
    name: sentinelMaster ?? 'mymaster',
    sentinelRetryStrategy: retryStrategy,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
  });
}

function addressOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 6379) };
}

function credentialsOf(url: string): Pick<DriverOptions, 'username' | 'password' | 'tls'> {
  const { username, password, protocol } = new URL(url);
  return {
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: {} }),
  };
}

/** The servers that take writes. */
export function primaries(redis: RedisConnection): readonly Redis[] {
  return redis instanceof Redis ? [redis] : redis.nodes('master');
}

/** Keys of a look: in a cluster enough of them that every primary has some. */
const LOOKS = 16;
const LOOK_LIFE = 60_000;
const LOOK = `
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('GET', KEYS[1])`;

/** Writes and reads back. Rejects when a call would be refused. */
export function createLook(redis: RedisConnection): () => Promise<void> {
  const look = script<string | null>(redis, 'porticoLook', LOOK);
  const keys = Array.from({ length: redis instanceof Redis ? 1 : LOOKS }, (_, at) =>
    keyOf('health', String(at)),
  );
  return async () => {
    if (!(redis instanceof Redis) && !/^cluster_state:ok/m.test(String(await redis.cluster('INFO'))))
      throw new Error('The cluster does not serve every slot (CLUSTERDOWN).');
    const mark = randomUUID();
    const read = await Promise.all(keys.map((key) => look([key], [mark, LOOK_LIFE])));
    if (read.some((text) => text !== mark)) throw new Error('What was written could not be read back.');
  };
}

/** A Lua script: one atomic step on keys of one hash tag. `reply` is what the script returns. */
type Script<Reply> = (keys: readonly string[], values: readonly (string | number)[]) => Promise<Reply>;

/** `name` must be unique on the connection. ioredis sends the hash, and the text when the server lost it. */
export function script<Reply>(redis: RedisConnection, name: string, lua: string, keys = 1): Script<Reply> {
  redis.defineCommand(name, { numberOfKeys: keys, lua });
  return (names, values) => Reflect.get(redis, name).call(redis, ...names, ...values);
}

/**
 * Gives each method of a port the translation of errors, and a quick no while Redis is away: calls wait for a
 * short break, and not behind a long one. A command waits behind those that were sent before it, so its own
 * time-out is not all the time it takes.
 */
export function createGuard(redis: RedisConnection): <Port extends object>(port: Port) => Port {
  let awaySince: number | undefined;
  redis.on('close', () => {
    awaySince ??= performance.now();
  });
  redis.on('ready', () => {
    awaySince = undefined;
  });
  const isAway = () =>
    redis.status === 'end' || (awaySince !== undefined && performance.now() - awaySince > COMMAND);
  const guard: Guard = async (work) => {
    if (isAway()) throw new StoreUnavailable('redis', { cause: new Error('There is no connection.') });
    try {
      return await within(COMMAND, () => new Error('Redis timed out.'), work);
    } catch (error) {
      throw translated(error);
    }
  };
  return (port) => underGuard(port, guard);
}

/** StoreUnavailable for a server that is away or not ready; a fault of ours stays what it is. */
export function translated(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof ReplyError) {
    const passing =
      /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|OOM|MISCONF|BUSY|NOAUTH|WRONGPASS)\b/;
    return passing.test(error.message) ? new StoreUnavailable('redis', { cause: error }) : error;
  }
  const code = 'code' in error ? String(error.code) : '';
  const lost = /timed out|Connection is closed|max retries per request|Stream isn't writeable|ended/i;
  if (code.startsWith('E') || lost.test(error.message))
    return new StoreUnavailable('redis', { cause: error });
  return error;
}

/** Milliseconds for PEXPIRE, from the expiry by the node's clock. */
export function lifeOf(expiresAt: Date): number {
  return Math.max(0, expiresAt.getTime() - Date.now()) + KEPT_AFTER_EXPIRY;
}

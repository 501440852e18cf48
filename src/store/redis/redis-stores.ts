/**
 * The Redis half of the distributed store: what has a short life. Sessions, interactions, codes, short
 * access tokens, one-time codes, link tokens, counters, leases and presence. One file per port; connection.ts
 * holds what every call shares, keys.ts the form of the keys, membership.ts the sets of a grant's or an
 * account's records.
 *
 * Whatever must happen in one step is one Lua script on one key, which a Redis Cluster serves like a
 * single server. Redis forgets records by itself, a minute after their expiry; no answer depends on it.
 */
import { healthOf } from '../ports/guard.ts';
import { createCodeStore } from './codes.ts';
import { connectRedis, createGuard, createLook, type RedisOptions } from './connection.ts';
import { createFullness, refuseEviction } from './fitness.ts';
import { createLeaseStore } from './leases.ts';
import { createLinkTokenStore } from './link-tokens.ts';
import { createMemberships } from './membership.ts';
import { createOidcRecordStore } from './oidc-records.ts';
import { createPresenceStore } from './presence.ts';
import { createRateLimitStore } from './rate-limits.ts';

export type RedisStores = ReturnType<typeof openRedisStores>;

export function openRedisStores(options: RedisOptions) {
  const redis = connectRedis(options);
  const guarded = createGuard(redis);
  const memberships = createMemberships(redis);
  const { look, migrate, fullness } = guarded({
    look: createLook(redis),
    migrate: () => refuseEviction(redis, { mayEvict: options.mayEvict ?? false, log: options.log }),
    fullness: createFullness(redis),
  });
  return {
    oidcRecords: guarded(createOidcRecordStore(redis, memberships)),
    rateLimits: guarded(createRateLimitStore(redis)),
    codes: guarded(createCodeStore(redis, memberships)),
    linkTokens: guarded(createLinkTokenStore(redis, memberships)),
    leases: guarded(createLeaseStore(redis)),
    presence: guarded(createPresenceStore(redis)),
    migrate,
    health: () => healthOf('redis', look),
    fullness,
    async close() {
      try {
        await redis.quit();
      } catch {
        // It was away already.
        redis.disconnect();
      }
    },
  };
}

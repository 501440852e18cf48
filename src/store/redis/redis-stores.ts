/**
 * The Redis half of the distributed store: what has a short life. Sessions, interactions, codes, short
 * access tokens, one-time codes, link tokens, counters, claims and presence. One file per port; connection.ts
 * holds what every call shares, keys.ts the form of the keys, membership.ts the sets of a grant's or an
 * account's records.
 *
 * Whatever must happen in one step is one Lua script on one key, which a Redis Cluster serves like a
 * single server. Redis forgets records by itself, a minute after their expiry; no answer depends on it.
 */
import type { OidcRecordStore } from '../ports/oidc-records.ts';
import type { StoreHealth, Stores } from '../ports/stores.ts';
import { createCodeStore } from './codes.ts';
import { connectRedis, createLook, guarded, type RedisOptions } from './connection.ts';
import { createFullness, refuseEviction } from './fitness.ts';
import { createLeaseStore } from './leases.ts';
import { createLinkTokenStore } from './link-tokens.ts';
import { createMemberships } from './membership.ts';
import { createOidcRecordStore } from './oidc-records.ts';
import { createPresenceStore } from './presence.ts';
import { createRateLimitStore } from './rate-limits.ts';

/** `OIDC records` are the short-lived ones. */
export type RedisStores = Pick<
  Stores,
  'rateLimits' | 'codes' | 'linkTokens' | 'leases' | 'presence' | 'migrate' | 'health' | 'fullness' | 'close'
> & { readonly oidcRecords: OidcRecordStore };

export function openRedisStores(options: RedisOptions): RedisStores {
  const redis = connectRedis(options);
  const memberships = createMemberships(redis);
  const { look, migrate, fullness } = guarded(redis, {
    look: createLook(redis),
    migrate: () => refuseEviction(redis, { mayEvict: options.mayEvict ?? false, log: options.log }),
    fullness: createFullness(redis),
  });
  const health = async (): Promise<StoreHealth> => {
    try {
      await look();
      return { name: 'redis', ok: true };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      return { name: 'redis', ok: false, detail: cause instanceof Error ? cause.message : String(cause) };
    }
  };
  return {
    oidcRecords: guarded(redis, createOidcRecordStore(redis, memberships)),
    rateLimits: guarded(redis, createRateLimitStore(redis)),
    codes: guarded(redis, createCodeStore(redis, memberships)),
    linkTokens: guarded(redis, createLinkTokenStore(redis, memberships)),
    leases: guarded(redis, createLeaseStore(redis)),
    presence: guarded(redis, createPresenceStore(redis)),
    migrate,
    health: async () => [await health()],
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

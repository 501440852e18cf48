/**
 * The Redis half of the distributed store: what has a short life. Sessions, interactions, codes, short
 * access tokens, one-time codes, tickets, counters, claims and presence. One file per port; connection.ts
 * holds what every call shares, keys.ts the form of the keys, membership.ts the sets of a grant's or an
 * account's records.
 *
 * Whatever must happen in one step is one Lua script on one key, which a Redis Cluster serves like a
 * single server. Redis forgets records by itself, a minute after their expiry; no answer depends on it.
 */
import type { ArtifactStore } from '../ports/oidc-records.ts';
import type { StoreHealth, Stores } from '../ports/stores.ts';
import { createCodeStore } from './codes.ts';
import type { RedisOptions } from './connection.ts';
import { connectRedis, createLook, guarded } from './connection.ts';
import { createFullness, refuseEviction } from './fitness.ts';
import { createClaimStore } from './leases.ts';
import { createTicketStore } from './link-tokens.ts';
import { createMemberships } from './membership.ts';
import { createArtifactStore } from './oidc-records.ts';
import { createPresenceStore } from './presence.ts';
import { createAttemptStore } from './rate-limits.ts';

/** `artifacts` are the short-lived ones. */
export type RedisStores = Pick<
  Stores,
  'attempts' | 'codes' | 'tickets' | 'claims' | 'presence' | 'migrate' | 'health' | 'fullness' | 'close'
> & { readonly artifacts: ArtifactStore };

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
    artifacts: guarded(redis, createArtifactStore(redis, memberships)),
    attempts: guarded(redis, createAttemptStore(redis)),
    codes: guarded(redis, createCodeStore(redis, memberships)),
    tickets: guarded(redis, createTicketStore(redis, memberships)),
    claims: guarded(redis, createClaimStore(redis)),
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

import type { PresenceStore } from '../ports/presence.ts';
import { lifeOf, type RedisConnection } from './connection.ts';
import { keyOf } from './keys.ts';

const presenceKey = (accountId: string) => keyOf('presence', accountId);

export function createPresenceStore(redis: RedisConnection): PresenceStore {
  return {
    async put(accountId, { lastSeenAt, until }) {
      const text = JSON.stringify([lastSeenAt.getTime(), until.getTime()]);
      await redis.set(presenceKey(accountId), text, 'PX', lifeOf(until));
    },
    async read(accountId, now) {
      const text = await redis.get(presenceKey(accountId));
      if (text === null) return undefined;
      const [lastSeenAt, until] = JSON.parse(text) as [number, number];
      return until > now.getTime() ? { lastSeenAt: new Date(lastSeenAt), until: new Date(until) } : undefined;
    },
    async remove(accountId) {
      await redis.del(presenceKey(accountId));
    },
  };
}

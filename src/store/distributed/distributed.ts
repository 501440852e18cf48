/**
 * One store of two servers: MongoDB for what lasts, Redis for what has a short life. Only the OIDC records
 * lie on both sides, and this file knows which lies where.
 */

import { StoreUnavailable } from '../../core/errors.ts';
import type { MongoStores } from '../mongo/mongo-stores.ts';
import type { OidcRecordRecord, OidcRecordStore, StoredOidcRecord } from '../ports/oidc-records.ts';
import type { Stores } from '../ports/stores.ts';
import type { RedisStores } from '../redis/redis-stores.ts';

export function distributed(mongo: MongoStores, redis: RedisStores): Stores {
  return {
    ...mongo,
    ...redis,
    oidcRecords: oidcRecordsOfBoth(mongo.oidcRecords, redis.oidcRecords),
    async migrate() {
      await mongo.migrate();
      await redis.migrate();
    },
    health: async () => (await Promise.all([mongo.health(), redis.health()])).flat(),
    async close() {
      await Promise.all([mongo.close(), redis.close()]);
    },
  };
}

/** Kinds that lie on one side whatever the length of their life. All others are asked for on both. */
const IN_REDIS = new Set([
  'Session',
  'EndedSession',
  'Interaction',
  'AuthorizationCode',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PushedAuthorizationRequest',
  'ReplayDetection',
]);
const IN_MONGO = new Set([
  'Grant',
  'Consent',
  'RegisteredClient',
  'RefreshToken',
  'Client',
  'InitialAccessToken',
  'RegistrationAccessToken',
  'Adoption',
  'Gone',
  'UpstreamToken',
]);

function oidcRecordsOfBoth(lasting: OidcRecordStore, passing: OidcRecordStore): OidcRecordStore {
  /** Where records of a kind may lie, the likelier place first. */
  const places = (kind: string): readonly OidcRecordStore[] => {
    if (IN_REDIS.has(kind)) return [passing];
    return IN_MONGO.has(kind) ? [lasting] : [passing, lasting];
  };
  const placeOf = (kind: string, oidcRecord: OidcRecordRecord) => {
    if (IN_REDIS.has(kind)) return passing;
    return IN_MONGO.has(kind) || oidcRecord.durable ? lasting : passing;
  };
  const inOne = async (kind: string, change: (store: OidcRecordStore) => Promise<boolean>) =>
    (await firstMatch(places(kind), async (store) => (await change(store)) || undefined)) ?? false;
  const listFrom = async (kind: string, list: (store: OidcRecordStore) => Promise<StoredOidcRecord[]>) =>
    (await Promise.all(places(kind).map(list)))
      .flat()
      .sort((one, two) => two.createdAt.getTime() - one.createdAt.getTime());
  return {
    put: (kind, id, oidcRecord) => placeOf(kind, oidcRecord).put(kind, id, oidcRecord),
    async putAll(records) {
      await Promise.all(
        [lasting, passing].map((place) => {
          const here = records.filter(({ kind, record }) => placeOf(kind, record) === place);
          return here.length === 0 ? undefined : place.putAll(here);
        }),
      );
    },
    byId: (kind, id, now) => firstMatch(places(kind), (store) => store.byId(kind, id, now)),
    byUid: (kind, uid, now) => firstMatch(places(kind), (store) => store.byUid(kind, uid, now)),
    byUserCode: (kind, userCode, now) =>
      firstMatch(places(kind), (store) => store.byUserCode(kind, userCode, now)),
    consume: (kind, id, now) => inOne(kind, (store) => store.consume(kind, id, now)),
    remove: (kind, id) => inOne(kind, (store) => store.remove(kind, id)),
    async removeByGrant(kind, grantId) {
      const stores = kind === undefined ? [passing, lasting] : places(kind);
      const counts = await Promise.all(stores.map((store) => store.removeByGrant(kind, grantId)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    listByAccount: (kind, accountId, now) =>
      listFrom(kind, (store) => store.listByAccount(kind, accountId, now)),
    listGrantsOfClient: lasting.listGrantsOfClient,
    listByGrant: (kind, grantId, now) => listFrom(kind, (store) => store.listByGrant(kind, grantId, now)),
    async payloads({ after = 'lasting ', limit }) {
      const [, place, position] = /^(lasting|passing) (.*)$/s.exec(after) ?? [];
      const store = place === 'passing' ? passing : lasting;
      const { payloads, next } = await store.payloads({ after: position || undefined, limit });
      if (next !== undefined) return { payloads, next: `${place} ${next}` };
      return { payloads, ...(store === lasting && { next: 'passing ' }) };
    },
    countPayloads: async () => (await lasting.countPayloads()) + (await passing.countPayloads()),
    async replacePayloads(changes) {
      // Where a record lies is not told by its kind alone, and it has this payload on one side.
      const on = (store: OidcRecordStore) =>
        store.replacePayloads(changes.filter(({ kind }) => places(kind).includes(store)));
      await Promise.all([on(lasting), on(passing)]);
    },
  };
}

/**
 * Asks one place after the other. A long-lived token is found in MongoDB while Redis is away; where
 * nothing is found and a place did not answer, the result is unknown: StoreUnavailable.
 */
async function firstMatch<Result>(
  stores: readonly OidcRecordStore[],
  ask: (store: OidcRecordStore) => Promise<Result | undefined>,
): Promise<Result | undefined> {
  let unanswered: StoreUnavailable | undefined;
  for (const store of stores) {
    try {
      const result = await ask(store);
      if (result !== undefined) return result;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      unanswered = error;
    }
  }
  if (unanswered) throw unanswered;
  return undefined;
}

import type { OidcRecordStore, StoredOidcRecord } from '../ports/oidc-records.ts';
import { layer, type Memory } from './memory.ts';

type Kept = StoredOidcRecord & { readonly kind: string };

/** Kinds that a client shows the value of. */
const SHOWN = ['AccessToken', 'RefreshToken'];

/** Without `rotate`: a rotation is then several steps under a lease, which is forgotten like the rest. */
export function forgetfulOidcRecords(real: OidcRecordStore, memory: () => Memory): OidcRecordStore {
  const own = layer(
    () => memory().oidcRecords,
    ({ kind, id }: Kept) => `${kind}:${id}`,
    ({ kind, grantId }) =>
      memory().endedGrants.some((ended) => ended.grantId === grantId && (ended.kind ?? kind) === kind),
  );
  const isLive = ({ expiresAt }: StoredOidcRecord, now: Date) => expiresAt === undefined || expiresAt > now;
  const plain = (found: Kept | undefined): StoredOidcRecord | undefined => {
    if (found === undefined) return undefined;
    const { kind: _, ...stored } = found;
    return stored;
  };
  const one = async (
    kind: string,
    fits: (stored: Kept) => boolean,
    read: () => Promise<StoredOidcRecord | undefined>,
  ) =>
    own.one(
      (stored) => stored.kind === kind && fits(stored),
      async () => {
        const stored = await read();
        return stored && { ...stored, kind };
      },
    );
  const all = async (
    kind: string,
    fits: (stored: Kept) => boolean,
    read: () => Promise<StoredOidcRecord[]>,
  ) =>
    own.all(
      (stored) => stored.kind === kind && fits(stored),
      async () => (await read()).map((stored) => ({ ...stored, kind })),
    );
  const byId = (kind: string, id: string, now: Date) =>
    one(
      kind,
      (stored) => stored.id === id && isLive(stored, now),
      () => real.byId(kind, id, now),
    );
  const put: OidcRecordStore['put'] = async (kind, id, record) => {
    const before = await byId(kind, id, record.createdAt);
    const used = before?.consumedAt && { consumedAt: before.consumedAt };
    own.put({ ...record, ...used, kind, id });
  };
  const ofGrant = (kind: string, grantId: string, now: Date) =>
    all(
      kind,
      (stored) => stored.grantId === grantId && isLive(stored, now),
      () => real.listByGrant(kind, grantId, now),
    );
  const newestFirst = (records: Kept[]) =>
    records
      .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
      .flatMap((stored) => plain(stored) ?? []);
  return {
    put,
    async putAll(records) {
      for (const { kind, id, record } of records) await put(kind, id, record);
    },
    async byId(kind, id, now) {
      const found = await byId(kind, id, now);
      if (found === undefined && SHOWN.includes(kind)) memory().missed.add('token');
      return plain(found);
    },
    byUid: async (kind, uid, now) =>
      plain(
        await one(
          kind,
          (stored) => stored.uid === uid && isLive(stored, now),
          () => real.byUid(kind, uid, now),
        ),
      ),
    byUserCode: async (kind, userCode, now) =>
      plain(
        await one(
          kind,
          (stored) => stored.userCode === userCode && isLive(stored, now),
          () => real.byUserCode(kind, userCode, now),
        ),
      ),
    async consume(kind, id, now) {
      const found = await byId(kind, id, now);
      if (found === undefined || found.consumedAt !== undefined) return false;
      own.put({ ...found, consumedAt: now });
      return true;
    },
    remove: async (kind, id) => own.remove(await byId(kind, id, new Date(0))),
    async removeByGrant(kind, grantId) {
      const { oidcRecords, endedGrants } = memory();
      const mine = [...oidcRecords.values()].filter((stored) => stored !== undefined);
      const fits = mine.filter(
        (stored) => stored.grantId === grantId && (kind ?? stored.kind) === stored.kind,
      );
      const there = kind === undefined ? fits : await ofGrant(kind, grantId, new Date(0));
      endedGrants.push({ kind, grantId });
      return Math.max(fits.filter(own.remove).length, there.length);
    },
    listByAccount: async (kind, accountId, now) =>
      newestFirst(
        await all(
          kind,
          (stored) => stored.accountId === accountId && isLive(stored, now),
          () => real.listByAccount(kind, accountId, now),
        ),
      ),
    listByGrant: async (kind, grantId, now) => newestFirst(await ofGrant(kind, grantId, now)),
    payloads: (options) => real.payloads(options),
    countPayloads: () => real.countPayloads(),
    replacePayloads: async () => {},
    listGrantsOfClient: (clientId, limit, now) => real.listGrantsOfClient(clientId, limit, now),
  };
}

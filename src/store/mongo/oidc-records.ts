import type { UpdateFilter } from 'mongodb';
import type {
  OidcRecordInput,
  OidcRecordRecord,
  OidcRecordStore,
  StoredOidcRecord,
} from '../ports/oidc-records.ts';
import { defined } from '../ports/stores.ts';
import type { Collections, OidcRecordDocument } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

/** Matches what has no expiry, and what expires after `now`. */
const live = (now: Date) => ({ expiresAt: { $not: { $lte: now } } });

export function createOidcRecordStore({ oidcRecords }: Collections): OidcRecordStore {
  const newestFirst = async (filter: Partial<OidcRecordDocument>, now: Date) =>
    (await oidcRecords.find({ ...filter, ...live(now) }).toArray())
      .sort((one, two) => two.createdAt.getTime() - one.createdAt.getTime())
      .map(oidcRecordOf);
  return {
    put: (kind, id, record) => putAll(oidcRecords, [{ kind, id, record }]),
    putAll: (records) => putAll(oidcRecords, records),
    async byId(kind, id, now) {
      const document = await oidcRecords.findOne({ _id: keyOf(kind, id), ...live(now) });
      return document ? oidcRecordOf(document) : undefined;
    },
    byUid: async (kind, uid, now) => (await newestFirst({ uidKey: keyOf(uid), kind }, now))[0],
    byUserCode: async (kind, userCode, now) =>
      (await newestFirst({ userCodeKey: keyOf(userCode), kind }, now))[0],
    async consume(kind, id, now) {
      // Compare-and-set on one document: the server lets one caller find it without consumedAt.
      const { matchedCount } = await oidcRecords.updateOne(
        { _id: keyOf(kind, id), consumedAt: { $exists: false }, ...live(now) },
        { $set: { consumedAt: now } },
      );
      return matchedCount === 1;
    },
    async remove(kind, id) {
      return (await oidcRecords.deleteOne({ _id: keyOf(kind, id) })).deletedCount === 1;
    },
    async removeByGrant(kind, grantId) {
      const filter = { grantKey: keyOf(grantId), ...(kind === undefined ? {} : { kind }) };
      return (await oidcRecords.deleteMany(filter)).deletedCount;
    },
    listByAccount: (kind, accountId, now) => newestFirst({ accountKey: keyOf(accountId), kind }, now),
    listByGrant: (kind, grantId, now) => newestFirst({ grantKey: keyOf(grantId), kind }, now),
    async payloads({ after, limit }) {
      const documents = await oidcRecords
        .find(after === undefined ? {} : { _id: { $gt: after } }, {
          projection: { kind: 1, oidcRecordId: 1, payload: 1 },
        })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
      const last = documents.length < limit ? undefined : documents.at(-1);
      return {
        payloads: documents.map(({ kind, oidcRecordId: id, payload }) => ({ kind, id, payload })),
        ...(last && { next: last._id }),
      };
    },
    countPayloads: () => oidcRecords.estimatedDocumentCount(),
    async replacePayloads(changes) {
      const writes = changes.map(({ kind, id, payload, before }) => ({
        updateOne: { filter: { _id: keyOf(kind, id), payload: before }, update: { $set: { payload } } },
      }));
      if (writes.length > 0) await oidcRecords.bulkWrite(writes, { ordered: false });
    },
    async listGrantsOfClient(clientId, limit, now) {
      const filter = { clientKey: keyOf(clientId), ...live(now) };
      return (await oidcRecords.find(filter).limit(limit).toArray()).map(oidcRecordOf);
    },
  };
}

async function putAll(
  oidcRecords: Collections['oidcRecords'],
  records: readonly OidcRecordInput[],
): Promise<void> {
  const writes = records.map(({ kind, id, record }) => ({
    updateOne: { filter: { _id: keyOf(kind, id) }, update: changeTo(kind, id, record), upsert: true },
  }));
  const save = () => oidcRecords.bulkWrite(writes, { ordered: false });
  try {
    await save();
  } catch (error) {
    // Of two upserts that insert at once MongoDB may refuse one; now the document is there.
    if (!isDuplicate(error)) throw error;
    await save();
  }
}

function changeTo(kind: string, id: string, record: OidcRecordRecord): UpdateFilter<OidcRecordDocument> {
  const { payload, createdAt, expiresAt, grantId, accountId, clientId, uid, userCode } = record;
  const names = { grantId, accountId, clientId, uid, userCode };
  // consumedAt is not among them: a late save must not un-consume.
  const fields = {
    kind,
    oidcRecordId: id,
    payload,
    createdAt,
    expiresAt,
    ...names,
    grantKey: keyed(grantId),
    accountKey: keyed(accountId),
    uidKey: keyed(uid),
    userCodeKey: keyed(userCode),
    clientKey: kind === 'Grant' ? keyed(clientId) : undefined,
  };
  const missing = Object.entries(fields).filter(([, value]) => value === undefined);
  const unset = { $unset: Object.fromEntries(missing.map(([name]) => [name, '' as const])) };
  return { $set: defined(fields), ...(missing.length > 0 && unset) };
}

function keyed(name: string | undefined): string | undefined {
  return name === undefined ? undefined : keyOf(name);
}

function oidcRecordOf(document: OidcRecordDocument): StoredOidcRecord {
  const { _id, kind, oidcRecordId, grantKey, accountKey, uidKey, userCodeKey, clientKey, ...record } =
    document;
  return { ...record, id: oidcRecordId, durable: true };
}

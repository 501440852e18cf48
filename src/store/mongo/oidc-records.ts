import type { UpdateFilter } from 'mongodb';
import type {
  OidcRecordInput,
  OidcRecordRecord,
  OidcRecordStore,
  StoredOidcRecord,
} from '../ports/oidc-records.ts';
import type { Collections, OidcRecordDocument } from './collections.ts';
import { isDuplicate } from './connection.ts';
import { keyOf } from './keys.ts';

/** Matches what has no expiry, and what expires after `now`. */
const live = (now: Date) => ({ expiresAt: { $not: { $lte: now } } });

const OPTIONAL = ['expiresAt', 'grantId', 'accountId', 'clientId', 'uid', 'userCode'] as const;
/** Names that are looked up, and the field with their key. */
const KEYS = {
  grantId: 'grantKey',
  accountId: 'accountKey',
  uid: 'uidKey',
  userCode: 'userCodeKey',
} as const;

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
  const { payload, createdAt } = record;
  const set: Record<string, unknown> = { kind, oidcRecordId: id, payload, createdAt };
  const unset: Record<string, ''> = {};
  const assign = (field: string, value: unknown) => {
    if (value === undefined) unset[field] = '';
    else set[field] = value;
  };
  for (const field of OPTIONAL) assign(field, record[field]);
  for (const [name, field] of Object.entries(KEYS)) {
    const value = record[name as keyof typeof KEYS];
    assign(field, value === undefined ? undefined : keyOf(value));
  }
  // consumedAt is in neither: a late save must not un-consume.
  return { $set: set, ...(Object.keys(unset).length === 0 ? {} : { $unset: unset }) };
}

function oidcRecordOf(document: OidcRecordDocument): StoredOidcRecord {
  const {
    oidcRecordId,
    payload,
    createdAt,
    expiresAt,
    consumedAt,
    grantId,
    accountId,
    clientId,
    uid,
    userCode,
  } = document;
  return {
    id: oidcRecordId,
    payload,
    durable: true,
    createdAt,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(consumedAt === undefined ? {} : { consumedAt }),
    ...(grantId === undefined ? {} : { grantId }),
    ...(accountId === undefined ? {} : { accountId }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(uid === undefined ? {} : { uid }),
    ...(userCode === undefined ? {} : { userCode }),
  };
}

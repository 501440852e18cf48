import type { ArtifactRecord, ArtifactStore, StoredArtifact } from '../ports/oidc-records.ts';
import type { ArtifactDocument, Collections } from './collections.ts';
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

export function createArtifactStore({ artifacts }: Collections): ArtifactStore {
  const newestFirst = async (filter: Partial<ArtifactDocument>, now: Date) =>
    (await artifacts.find({ ...filter, ...live(now) }).toArray())
      .sort((one, two) => two.createdAt.getTime() - one.createdAt.getTime())
      .map(artifactOf);
  return {
    put: (kind, id, artifact) => put(artifacts, { kind, id, artifact }),
    async byId(kind, id, now) {
      const document = await artifacts.findOne({ _id: keyOf(kind, id), ...live(now) });
      return document ? artifactOf(document) : undefined;
    },
    byUid: async (kind, uid, now) => (await newestFirst({ uidKey: keyOf(uid), kind }, now))[0],
    byUserCode: async (kind, userCode, now) =>
      (await newestFirst({ userCodeKey: keyOf(userCode), kind }, now))[0],
    async consume(kind, id, now) {
      // Compare-and-set on one document: the server lets one caller find it without consumedAt.
      const { matchedCount } = await artifacts.updateOne(
        { _id: keyOf(kind, id), consumedAt: { $exists: false }, ...live(now) },
        { $set: { consumedAt: now } },
      );
      return matchedCount === 1;
    },
    async remove(kind, id) {
      return (await artifacts.deleteOne({ _id: keyOf(kind, id) })).deletedCount === 1;
    },
    async removeByGrant(kind, grantId) {
      const filter = { grantKey: keyOf(grantId), ...(kind === undefined ? {} : { kind }) };
      return (await artifacts.deleteMany(filter)).deletedCount;
    },
    listByAccount: (kind, accountId, now) => newestFirst({ accountKey: keyOf(accountId), kind }, now),
    listByGrant: (kind, grantId, now) => newestFirst({ grantKey: keyOf(grantId), kind }, now),
  };
}

async function put(
  artifacts: Collections['artifacts'],
  { kind, id, artifact }: { kind: string; id: string; artifact: ArtifactRecord },
): Promise<void> {
  const set: Record<string, unknown> = {
    kind,
    artifactId: id,
    payload: artifact.payload,
    createdAt: artifact.createdAt,
  };
  const unset: Record<string, ''> = {};
  const assign = (field: string, value: unknown) => {
    if (value === undefined) unset[field] = '';
    else set[field] = value;
  };
  for (const field of OPTIONAL) assign(field, artifact[field]);
  for (const [name, field] of Object.entries(KEYS)) {
    const value = artifact[name as keyof typeof KEYS];
    assign(field, value === undefined ? undefined : keyOf(value));
  }
  // consumedAt is in neither: a late save must not un-consume.
  const change = { $set: set, ...(Object.keys(unset).length === 0 ? {} : { $unset: unset }) };
  const save = () => artifacts.updateOne({ _id: keyOf(kind, id) }, change, { upsert: true });
  try {
    await save();
  } catch (error) {
    // Of two upserts that insert at once MongoDB may refuse one; now the document is there.
    if (!isDuplicate(error)) throw error;
    await save();
  }
}

function artifactOf(document: ArtifactDocument): StoredArtifact {
  const {
    artifactId,
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
    id: artifactId,
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

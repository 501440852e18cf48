/**
 * OIDC records between their two forms: what the provider and the grant issuer handle (a value and a payload),
 * and what the store keeps (an HMAC of the value and an encrypted payload). A dump of the store holds no token,
 * code, session id or grant that an attacker could use (security.md X1).
 */

import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { OidcRecordInput, OidcRecordStore, StoredOidcRecord } from '../../store/ports/oidc-records.ts';

/** What the provider stores of one record, by name. */
export type Payload = Record<string, unknown>;

export interface OidcRecord {
  /** The store's id. */
  readonly id: string;
  readonly payload: Payload;
  readonly consumedAt: Date | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

/** Longer than this and an access token is kept beside its grant, not in the short-lived store. Seconds. */
const SHORT_LIFE = 3600;

/** Kinds that must outlive a loss of the short-lived store. */
const DURABLE: ReadonlySet<string> = new Set([
  'Grant',
  'Consent',
  'RefreshToken',
  'InitialAccessToken',
  'RegistrationAccessToken',
]);

export interface UnsavedRecord {
  readonly kind: string;
  readonly value: string;
  readonly payload: Payload;
  readonly lifetime: number | undefined;
}

export interface OidcRecords {
  /** `lifetime`: seconds from now; undefined never expires. */
  save(kind: string, value: string, payload: Payload, lifetime: number | undefined): Promise<void>;
  /** As `save`, in one call to the store. */
  saveAll(records: readonly UnsavedRecord[]): Promise<void>;
  load(kind: string, value: string): Promise<OidcRecord | undefined>;
  loadByUid(kind: string, uid: string): Promise<OidcRecord | undefined>;
  loadByUserCode(kind: string, userCode: string): Promise<OidcRecord | undefined>;
  /** True for exactly one caller. */
  consume(kind: string, value: string): Promise<boolean>;
  remove(kind: string, value: string): Promise<boolean>;
  removeStored(kind: string, id: string): Promise<boolean>;
  /** Everything that hangs on a grant; the Grant itself stays. */
  endTokens(grantId: string): Promise<void>;
  /** The access and refresh tokens of a grant that stem from one code. */
  endFamily(grantId: string, family: string): Promise<void>;
  listByAccount(kind: string, accountId: string): Promise<OidcRecord[]>;
}

/**
 * The account that the record belongs to. A finished sign-in that waits for its browser to come back for the
 * session belongs to the account already: it must end with the account's sessions.
 */
function holderOf({ accountId, result }: Payload): unknown {
  return accountId ?? memberOf(memberOf(result, 'login'), 'accountId');
}

/** A member of a value that is an object; undefined for any other value. */
export function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

export function createOidcRecords(deps: {
  store: OidcRecordStore;
  secrets: Secrets;
  clock: Clock;
}): OidcRecords {
  const { store, secrets, clock } = deps;
  const idOf = (kind: string, value: string) => secrets.hmac(`artifact:${kind}`, value);
  const grantKey = (grantId: string) => secrets.hmac('artifact-grant', grantId);
  const open = (kind: string, stored: StoredOidcRecord): OidcRecord => ({
    id: stored.id,
    payload: JSON.parse(secrets.decrypt(stored.payload, `${kind}:${stored.id}`)),
    consumedAt: stored.consumedAt,
    createdAt: stored.createdAt,
    expiresAt: stored.expiresAt,
  });
  const openOne = (kind: string, stored: StoredOidcRecord | undefined) => stored && open(kind, stored);

  const stored = ({ kind, value, payload, lifetime }: UnsavedRecord): OidcRecordInput => {
    const id = idOf(kind, value);
    const now = clock.now();
    const { grantId, clientId, uid, userCode } = payload;
    const accountId = holderOf(payload);
    return {
      kind,
      id,
      record: {
        payload: secrets.encrypt(JSON.stringify(payload), `${kind}:${id}`),
        createdAt: now,
        durable: DURABLE.has(kind) || (kind === 'AccessToken' && (lifetime ?? 0) > SHORT_LIFE),
        ...(lifetime === undefined ? {} : { expiresAt: new Date(now.getTime() + lifetime * 1000) }),
        ...(typeof grantId === 'string' && { grantId: grantKey(grantId) }),
        ...(typeof accountId === 'string' && { accountId }),
        ...(typeof clientId === 'string' && { clientId }),
        ...(typeof uid === 'string' && { uid: secrets.hmac('artifact-uid', uid) }),
        ...(typeof userCode === 'string' && { userCode: secrets.hmac('artifact-user-code', userCode) }),
      },
    };
  };

  return {
    async save(kind, value, payload, lifetime) {
      const { id, record } = stored({ kind, value, payload, lifetime });
      await store.put(kind, id, record);
    },
    saveAll: (records) => store.putAll(records.map(stored)),
    load: async (kind, value) => openOne(kind, await store.byId(kind, idOf(kind, value), clock.now())),
    loadByUid: async (kind, uid) =>
      openOne(kind, await store.byUid(kind, secrets.hmac('artifact-uid', uid), clock.now())),
    loadByUserCode: async (kind, code) =>
      openOne(kind, await store.byUserCode(kind, secrets.hmac('artifact-user-code', code), clock.now())),
    consume: (kind, value) => store.consume(kind, idOf(kind, value), clock.now()),
    remove: (kind, value) => store.remove(kind, idOf(kind, value)),
    removeStored: (kind, id) => store.remove(kind, id),
    async endTokens(grantId) {
      // Refresh tokens go first: a refresh that runs beside this proves, after it has stored what it made,
      // that its own token is still there. In this order no new token escapes between the two.
      await store.removeByGrant('RefreshToken', grantKey(grantId));
      await store.removeByGrant(undefined, grantKey(grantId));
    },
    async endFamily(grantId, family) {
      for (const kind of ['RefreshToken', 'AccessToken']) {
        const stored = await store.listByGrant(kind, grantKey(grantId), clock.now());
        const members = stored.filter((one) => open(kind, one).payload.family === family);
        await Promise.all(members.map((one) => store.remove(kind, one.id)));
      }
    },
    async listByAccount(kind, accountId) {
      const stored = await store.listByAccount(kind, accountId, clock.now());
      return stored.map((one) => open(kind, one));
    },
  };
}

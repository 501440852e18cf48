/**
 * OIDC records between their two forms: what the provider and the grant issuer handle (a value and a payload),
 * and what the store keeps (an HMAC of the value and an encrypted payload). A dump of the store holds no token,
 * code, session id or grant that an attacker could use.
 */

import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type {
  OidcRecordInput,
  OidcRecordStore,
  Rotation,
  StoredOidcRecord,
} from '../../store/ports/oidc-records.ts';

/** What the provider stores of one record, by name. */
export type Payload = Record<string, unknown>;

/** `id` is the store's. */
export interface OidcRecord extends Pick<StoredOidcRecord, 'id' | 'consumedAt' | 'createdAt' | 'expiresAt'> {
  readonly payload: Payload;
}

/** Longer than this and an access token is kept beside its grant, not in the short-lived store. Seconds. */
const SHORT_LIFE = 3600;

/** Kinds that must outlive a loss of the short-lived store. */
const DURABLE: ReadonlySet<string> = new Set([
  'Grant',
  'Consent',
  'RegisteredClient',
  'RefreshToken',
  'InitialAccessToken',
  'RegistrationAccessToken',
  'Adoption',
]);

/** Tokens are found and ended by their grant, never by their account: that index would be written in vain. */
const NOT_BY_ACCOUNT: ReadonlySet<string> = new Set(['AccessToken', 'RefreshToken', 'AuthorizationCode']);

/**
 * Seconds after its end for which a code is kept: the provider tells an expired one from an unknown one, to a device
 * by `expired_token` (RFC 8628, 3.5) and to the operator in the audit trail.
 */
const KEPT_LONGER: Readonly<Record<string, number>> = { AuthorizationCode: 600, DeviceCode: 600 };

/** Kinds that the next request of the same sign-in reads. */
const READ_SOON: ReadonlySet<string> = new Set(['Interaction', 'AuthorizationCode', 'Grant']);
/** Most records that are kept as they were written or opened. */
const MOST_KEPT = 2000;

/** A record as this process wrote it (`text`) or opened it (`record`), to be used while the store has the same `encrypted`. */
interface Kept {
  readonly id: string;
  readonly encrypted: string;
  readonly text?: string;
  readonly record?: OidcRecord;
}

const ENDED = 'EndedSession';
/** Seconds for which the end of a session is noted: no request that read the session before takes longer. */
const LONGEST_REQUEST = 600;

/** `lifetime`: seconds from now; undefined never expires. */
export interface UnsavedRecord {
  readonly kind: string;
  readonly value: string;
  readonly payload: Payload;
  readonly lifetime: number | undefined;
}

export type OidcRecords = ReturnType<typeof createOidcRecords>;

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

export function createOidcRecords(deps: { store: OidcRecordStore; secrets: Secrets; clock: Clock }) {
  const { store, secrets, clock } = deps;
  /** By kind and value: the hash of a value that is kept is not made again. */
  const kept = new Map<string, Kept>();
  const nameOf = (kind: string, value: string) => `${kind} ${value}`;
  const idOf = (kind: string, value: string) =>
    kept.get(nameOf(kind, value))?.id ?? secrets.hmac(`artifact:${kind}`, value);
  /** Records that are stored together belong to one grant, whose hash is made once. */
  let last: { readonly grantId: string; readonly key: string } | undefined;
  const grantKey = (grantId: string) => {
    if (last?.grantId !== grantId) last = { grantId, key: secrets.hmac('artifact-grant', grantId) };
    return last.key;
  };
  const keep = (name: string, one: Kept) => {
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(name, one);
  };
  const open = (kind: string, stored: StoredOidcRecord, known?: Kept): OidcRecord => {
    const written = known?.encrypted === stored.payload ? known.text : undefined;
    const text = written ?? secrets.decrypt(stored.payload, `${kind}:${stored.id}`);
    return { ...stored, payload: JSON.parse(text) };
  };
  const openOne = (kind: string, stored: StoredOidcRecord | undefined, known?: Kept) =>
    stored && open(kind, stored, known);

  const stored = ({ kind, value, payload, lifetime }: UnsavedRecord): OidcRecordInput => {
    const id = idOf(kind, value);
    const text = JSON.stringify(payload);
    const encrypted = secrets.encrypt(text, `${kind}:${id}`);
    if (READ_SOON.has(kind)) keep(nameOf(kind, value), { id, encrypted, text });
    const now = clock.now();
    const { grantId, clientId, uid, userCode } = payload;
    const accountId = NOT_BY_ACCOUNT.has(kind) ? undefined : holderOf(payload);
    const seconds = lifetime && lifetime + (KEPT_LONGER[kind] ?? 0);
    return {
      kind,
      id,
      record: {
        payload: encrypted,
        createdAt: now,
        durable: DURABLE.has(kind) || (kind === 'AccessToken' && (lifetime ?? 0) > SHORT_LIFE),
        ...(seconds === undefined ? {} : { expiresAt: new Date(now.getTime() + seconds * 1000) }),
        ...(typeof grantId === 'string' && { grantId: grantKey(grantId) }),
        ...(typeof accountId === 'string' && { accountId }),
        ...(typeof clientId === 'string' && { clientId }),
        ...(typeof uid === 'string' && { uid: secrets.hmac('artifact-uid', uid) }),
        ...(typeof userCode === 'string' && { userCode: secrets.hmac('artifact-user-code', userCode) }),
      },
    };
  };

  /** Ends the tokens of the grants that were exchanged from this one: all, or those of one family. */
  async function endChildren(grantId: string, family?: string): Promise<void> {
    const children = await store.listByGrant('Grant', grantKey(grantId), clock.now());
    const payloads = children.map((child) => open('Grant', child).payload);
    const meant = payloads.filter((payload) => family === undefined || payload.family === family);
    await Promise.all(meant.map(({ jti }) => endTokens(String(jti))));
  }

  /** Children first. Child Grants go last, with everything else: without its Grant no token is valid. */
  async function endTokens(grantId: string): Promise<void> {
    await endChildren(grantId);
    // Then refresh tokens: a refresh that runs beside this proves, after it has stored what it made, that its
    // own token is still there; and so does an exchange. In this order no new token escapes.
    await store.removeByGrant('RefreshToken', grantKey(grantId));
    await store.removeByGrant('AccessToken', grantKey(grantId));
    await store.removeByGrant(undefined, grantKey(grantId));
  }

  /** Resolves with how many. */
  async function removeFamily(kind: string, grantId: string, family: string): Promise<number> {
    const stored = await store.listByGrant(kind, grantKey(grantId), clock.now());
    const members = stored.filter((one) => open(kind, one).payload.family === family);
    await Promise.all(members.map((one) => store.remove(kind, one.id)));
    return members.length;
  }

  return {
    async save(kind: string, value: string, payload: Payload, lifetime: number | undefined) {
      const { id, record } = stored({ kind, value, payload, lifetime });
      await store.put(kind, id, record);
    },
    /** As `save`, in one call to the store. */
    saveAll: (records: readonly UnsavedRecord[]) => store.putAll(records.map(stored)),
    rotatesAtOnce: store.rotate !== undefined,
    /** Of a refresh token: as the store's. False where it cannot. */
    async rotate(token: string, successors: readonly UnsavedRecord[], lease: Rotation['lease']) {
      const used = { kind: 'RefreshToken', id: idOf('RefreshToken', token) };
      return (await store.rotate?.({ used, successors: successors.map(stored), lease })) ?? false;
    },
    /** A code: consumed, and what it was redeemed for stored. False: it is gone, or another request was faster. */
    async redeem(code: string, successors: readonly UnsavedRecord[]): Promise<boolean> {
      const used = { kind: 'AuthorizationCode', id: idOf('AuthorizationCode', code) };
      const made = successors.map(stored);
      const now = clock.now();
      if (store.redeem !== undefined) return store.redeem({ used, successors: made, now });
      if (!(await store.consume(used.kind, used.id, now))) return false;
      await store.putAll(made);
      return true;
    },
    async load(kind: string, value: string) {
      const stored = await store.byId(kind, idOf(kind, value), clock.now());
      return openOne(kind, stored, kept.get(nameOf(kind, value)));
    },
    /** As `load`, to be read only: what was opened before comes back as long as the store has the same. */
    async read(kind: string, value: string): Promise<OidcRecord | undefined> {
      const name = nameOf(kind, value);
      const known = kept.get(name);
      const stored = await store.byId(kind, idOf(kind, value), clock.now());
      if (stored === undefined) return undefined;
      const isSame =
        known?.encrypted === stored.payload &&
        known.record?.consumedAt?.getTime() === stored.consumedAt?.getTime();
      if (known?.record && isSame) return known.record;
      const record = open(kind, stored, known);
      keep(name, { id: stored.id, encrypted: stored.payload, record });
      return record;
    },
    loadByUid: async (kind: string, uid: string) =>
      openOne(kind, await store.byUid(kind, secrets.hmac('artifact-uid', uid), clock.now())),
    loadByUserCode: async (kind: string, code: string) =>
      openOne(kind, await store.byUserCode(kind, secrets.hmac('artifact-user-code', code), clock.now())),
    /** True for exactly one caller. */
    consume: (kind: string, value: string) => store.consume(kind, idOf(kind, value), clock.now()),
    remove: (kind: string, value: string) => store.remove(kind, idOf(kind, value)),
    removeStored: (kind: string, id: string) => store.remove(kind, id),
    /** Called before a session is removed: a request that stores it again later finds this note, and removes it. */
    async noteEndOfSession(uid: string) {
      const { id, record } = stored({ kind: ENDED, value: uid, payload: {}, lifetime: LONGEST_REQUEST });
      await store.put(ENDED, id, record);
    },
    forgetEndOfSession: (uid: string) => store.remove(ENDED, idOf(ENDED, uid)),
    sessionHasEnded: async (uid: string) =>
      (await store.byId(ENDED, idOf(ENDED, uid), clock.now())) !== undefined,
    /** Ends everything that hangs on a grant, and what was exchanged from it; the Grant itself stays. */
    endTokens,
    /** Ends the access and refresh tokens of a grant that stem from one code, and what was exchanged from them. */
    async endFamily(grantId: string, family: string) {
      await endChildren(grantId, family);
      for (const kind of ['RefreshToken', 'AccessToken', 'Grant']) {
        // Again, until there is none: a refresh beside this may have stored a successor after the look.
        while ((await removeFamily(kind, grantId, family)) > 0);
      }
    },
    /** Without what is in them. */
    listByGrant: (kind: string, grantId: string) => store.listByGrant(kind, grantKey(grantId), clock.now()),
    /** At most `limit`. */
    async grantsOfClient(clientId: string, limit: number) {
      const stored = await store.listGrantsOfClient(clientId, limit, clock.now());
      return stored.map((one) => open('Grant', one));
    },
    /** How many, without reading what is in them. */
    countByAccount: async (kind: string, accountId: string) =>
      (await store.listByAccount(kind, accountId, clock.now())).length,
    async listByAccount(kind: string, accountId: string) {
      const stored = await store.listByAccount(kind, accountId, clock.now());
      return stored.map((one) => open(kind, one));
    },
  };
}

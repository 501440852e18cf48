/**
 * JWKS rotation: the keys that sign tokens, an RS256 pair and an ES256 pair. ID tokens are signed with RS256 and
 * access tokens with ES256, unless a client or an API chooses the other. The keys live encrypted in the keyring, as
 * one document that every node reads and one compare-and-set changes.
 *
 * A pair is `next` (published, so that relying parties know it before it signs), `current` (signs),
 * `previous` (published until the longest token it signed has ended), then `retired` (gone from the
 * JWKS, its private half destroyed).
 */
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { Log } from '../../observe/log.ts';
import type { KeyringStore } from '../../store/ports/installation.ts';
import { type PrivateKey, privateKeyOf } from './private-key.ts';

export type KeyAlgorithm = 'ES256' | 'RS256';
export type KeyState = 'next' | 'current' | 'previous' | 'retired';

export interface SigningKey {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  readonly state: KeyState;
  /** Private, but for retired keys. */
  readonly jwk: JWK;
  /** Epoch seconds at which the key came into its state. */
  readonly since: number;
}

export interface Keyring {
  readonly version: number;
  readonly keys: readonly SigningKey[];
}

export type SigningKeys = Awaited<ReturnType<typeof openSigningKeys>>;

/** Seconds. */
export interface KeySchedule {
  /** How long a pair signs. */
  readonly rotation: number;
  /** How long a pair is published before it signs. */
  readonly overlap: number;
  /** How long a pair is published after it signed last: no token lives longer. */
  readonly longestToken: number;
}

const ALGORITHMS: readonly KeyAlgorithm[] = ['ES256', 'RS256'];
/** The encryption context of the keyring. */
const CONTEXT = 'keyring';
/** Retired keys stay in the document for the operator's list. Seconds. */
const REMEMBERED = 30 * 86_400;

export async function openSigningKeys(deps: {
  store: KeyringStore;
  secrets: Secrets;
  clock: Clock;
  log: Log;
  schedule: KeySchedule;
}) {
  const { store, secrets, clock, log, schedule } = deps;
  const now = () => Math.floor(clock.now().getTime() / 1000);

  const read = async (): Promise<Keyring | undefined> => {
    const stored = await store.read();
    if (stored === undefined) return undefined;
    return { version: stored.version, keys: JSON.parse(secrets.decrypt(stored.encrypted, CONTEXT)) };
  };
  const write = (keys: readonly SigningKey[], expected: number) =>
    store.write(secrets.encrypt(JSON.stringify(keys), CONTEXT), expected);

  async function readOrMake(): Promise<Keyring> {
    const { version, keys } = (await read()) ?? { version: 0, keys: [] };
    const missing = ALGORITHMS.filter((alg) => !keys.some((key) => signsWith(key, alg)));
    if (missing.length === 0) return { version, keys };
    // Of several nodes that start together one wins; the others take what it wrote.
    await write([...keys, ...(await makeKeys('current', { since: now(), algorithms: missing }))], version);
    return readOrMake();
  }

  let ring = await readOrMake();
  return {
    /** As last read. */
    get ring() {
      return ring;
    },
    /** The keys, each with the moment at which it comes into its next state. */
    list: () => ring.keys.map((key) => ({ ...key, until: endOf(key, ring.keys, schedule) })),
    /** Reads the store; true when another node changed the keys. */
    async refresh() {
      const stored = await readOrMake();
      if (stored.version === ring.version) return false;
      ring = stored;
      return true;
    },
    /** Takes every step that is due; with `force` a new pair signs at once. True when something changed. */
    async rotate({ force }: { force: boolean }) {
      const stored = await readOrMake();
      const keys = await advance({ keys: stored.keys, now: now(), schedule, force });
      if (keys === undefined) return false;
      const written = await write(keys, stored.version);
      if (written)
        log.info({ keys: keys.map(({ kid, alg, state }) => ({ kid, alg, state })) }, 'signing keys rotated');
      ring = await readOrMake();
      return true;
    },
  };
}

async function makeKeys(
  state: KeyState,
  { since, algorithms = ALGORITHMS }: { since: number; algorithms?: readonly KeyAlgorithm[] },
): Promise<SigningKey[]> {
  return Promise.all(
    algorithms.map(async (alg) => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: 3072 });
      const jwk = await exportJWK(privateKey);
      const kid = await calculateJwkThumbprint(jwk);
      return { kid, alg, state, since, jwk: { ...jwk, kid, alg, use: 'sig' } };
    }),
  );
}

/** The keys after the steps that are due; undefined when none is. */
async function advance(context: {
  keys: readonly SigningKey[];
  now: number;
  schedule: KeySchedule;
  force: boolean;
}): Promise<SigningKey[] | undefined> {
  const { now, schedule, force } = context;
  const age = (state: KeyState, keys: readonly SigningKey[]) =>
    now - Math.min(now, ...keys.filter((key) => key.state === state).map((key) => key.since));
  const has = (state: KeyState) => keys.some((key) => key.state === state);
  const move = (from: KeyState, to: KeyState, due: (key: SigningKey) => boolean = () => true) => {
    keys = keys.map((key) => (key.state === from && due(key) ? { ...key, state: to, since: now } : key));
  };

  let keys = [...context.keys];
  if (!has('next') && (force || age('current', keys) >= schedule.rotation - schedule.overlap)) {
    keys.push(...(await makeKeys('next', { since: now })));
  }
  const ready = age('current', keys) >= schedule.rotation && age('next', keys) >= schedule.overlap;
  if (has('next') && (force || ready)) {
    move('current', 'previous');
    move('next', 'current');
  }
  move('previous', 'retired', (key) => now - key.since >= schedule.longestToken);
  keys = keys
    .filter((key) => key.state !== 'retired' || now - key.since < REMEMBERED)
    .map((key) => (key.state === 'retired' ? { ...key, jwk: publicHalf(key.jwk) } : key));
  const same = JSON.stringify(keys) === JSON.stringify(context.keys);
  return same ? undefined : keys;
}

/** When a key leaves its state, as `advance` would have it. Epoch seconds. */
function endOf(key: SigningKey, keys: readonly SigningKey[], schedule: KeySchedule): number {
  const { rotation, overlap, longestToken } = schedule;
  const signing = keys.filter(({ state }) => state === 'current').map(({ since }) => since + rotation);
  const ends: Record<KeyState, number> = {
    next: Math.max(key.since + overlap, ...signing),
    current: key.since + rotation,
    previous: key.since + longestToken,
    retired: key.since + REMEMBERED,
  };
  return ends[key.state];
}

function publicHalf(jwk: JWK): JWK {
  const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...rest } = jwk;
  return rest;
}

/** What the provider publishes and signs with: the first key that fits signs, so the current ones lead. */
export function providerKeys(ring: Keyring): { keys: PrivateKey[] } {
  const order: readonly KeyState[] = ['current', 'next', 'previous'];
  return {
    keys: order.flatMap((state) => ring.keys.filter((key) => key.state === state).map(privateKeyOf)),
  };
}

function signsWith({ state, alg }: SigningKey, algorithm: KeyAlgorithm): boolean {
  return state === 'current' && alg === algorithm;
}

/** The key that signs with `alg` now. */
export function currentKey(ring: Keyring, alg: KeyAlgorithm): SigningKey {
  const key = ring.keys.find((one) => signsWith(one, alg));
  if (!key) throw new Error(`The keyring has no current ${alg} key.`);
  return key;
}

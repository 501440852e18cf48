/**
 * The server keys and the cookie keys of this process, held against what the store knows of them. A process
 * that would write what others cannot read, or that cannot read what is there, is refused with what to do.
 *
 * key-record.ts is what the store knows, re-encryption.ts brings everything under one key, keys-status.ts
 * says how far that is. docs/decisions/0013-server-key-rotation.md says why it is done in this way.
 */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { serverKeys } from '../config/server-key.ts';
import type { Clock } from '../core/clock.ts';
import { DecryptionFailed, keyId, lookupKeyOf, type ServerKeys, secretsFrom } from '../core/crypto.ts';
import { OperatorError } from '../core/errors.ts';
import type { KeyringStore, MetadataStore } from '../store/ports/installation.ts';
import {
  changeKeyRecord,
  isFull,
  type KeyRecord,
  type KnownNode,
  liveNodes,
  makeKeyRecord,
  readKeyRecord,
  silenceOver,
  withoutDeadNodes,
  withUse,
} from './key-record.ts';

/** The keys of this configuration must not be used on this store; the message says what to do. */
export class KeysRefused extends OperatorError {
  override readonly name = 'KeysRefused';
}

export interface KeyDeps {
  readonly config: Pick<Config, 'keys' | 'environment'>;
  readonly stores: { readonly metadata: MetadataStore; readonly keyring: Pick<KeyringStore, 'read'> };
  readonly clock: Clock;
}

/** The encryption contexts of the look-up key and of the keyring (oidc/persistence/signing-keys.ts). */
export const LOOKUP_KEY = 'lookup-key';
export const KEYRING = 'keyring';

/** Throws KeysRefused; DecryptionFailed when the store was made under another server key. */
export async function openKeys({ config, stores, clock }: KeyDeps) {
  const { metadata } = stores;
  const keys = serverKeys(config);
  const record = (await readKeyRecord(metadata)) ?? (await firstRecord({ keys, stores, clock }));
  const secrets = secretsFor(keys, record);
  // Without cookie keys of the configuration they come from the server keys, so that every node signs alike.
  const cookieKeys = config.keys.cookies.length > 0 ? config.keys.cookies : secrets.cookieKeys;
  const ids = { server: secrets.ids, cookies: cookieKeys.map((key) => keyId(key)) };
  const used = (present: KeyRecord) => {
    const now = clock.now();
    refuseMissing(present, ids.server);
    refuseUnsafe(present, { ids, now });
    const server = withUse(present.server, ids.server, now);
    const cookies = withUse(present.cookies, ids.cookies, now);
    return { ...withoutDeadNodes(present, now), server, cookies };
  };
  await changeKeyRecord(metadata, used);

  const name = randomUUID();
  return {
    secrets,
    cookieKeys,
    ids,
    /** Tells the other nodes that this one serves, and with which keys. Again each minute. */
    async serve() {
      await changeKeyRecord(metadata, (present) => {
        const { nodes, ...rest } = used(present);
        return { ...rest, nodes: { ...nodes, [name]: { ...ids, seenAt: clock.now().toISOString() } } };
      });
    },
    /** It does not serve any more. */
    async leave() {
      await changeKeyRecord(metadata, ({ nodes: { [name]: gone, ...nodes }, ...rest }) =>
        gone === undefined
          ? undefined
          : {
              ...{ ...rest, nodes },
              server: withUse(rest.server, ids.server, clock.now()),
              cookies: withUse(rest.cookies, ids.cookies, clock.now()),
            },
      );
    },
  };
}

/** For a store without such a record: it has known one server key only. */
async function firstRecord(deps: Omit<KeyDeps, 'config'> & { keys: ReturnType<typeof serverKeys> }) {
  const { keys, stores, clock } = deps;
  const keyring = await stores.keyring.read();
  const opens = (key: Buffer) =>
    keyring === undefined || secretsFrom(key).keyOf(keyring.encrypted, KEYRING) !== undefined;
  const key = keys.find(opens);
  if (key === undefined) throw new DecryptionFailed('No server key of the configuration opens the keyring.');
  const lookupKey = secretsFrom(key).encrypt(lookupKeyOf(key).toString('base64url'), LOOKUP_KEY);
  const server = withUse([], [keyId(key)], clock.now());
  const record: KeyRecord = { lookupKey, server, cookies: [], nodes: {} };
  if (await makeKeyRecord(stores.metadata, record)) return record;
  return (await readKeyRecord(stores.metadata)) ?? record;
}

/** Throws KeysRefused where a key is missing. */
function secretsFor([first, ...others]: ReturnType<typeof serverKeys>, record: KeyRecord): ServerKeys {
  const without = secretsFrom(first, { others });
  refuseMissing(record, without.ids);
  const lookupKey = Buffer.from(without.decrypt(record.lookupKey, LOOKUP_KEY), 'base64url');
  return secretsFrom(first, { others, lookupKey });
}

function refuseMissing({ server }: KeyRecord, ids: readonly string[]): void {
  const missing = server.find((key) => isFull(key) && !ids.includes(key.id));
  if (missing === undefined) return;
  throw new KeysRefused(
    `The store was made under another server key, or is changing it: it holds records under the key ${missing.id}, ` +
      `in use since ${missing.usedSince}. This configuration has ${ids.join(', ')}. Put that key back: into ` +
      'keys.encryption, or into keys.decryption (PORTICO_KEYS__DECRYPTION) beside the new one. `portico keys status` ' +
      'says when it is needed no more.',
  );
}

interface KeyIds {
  readonly server: readonly string[];
  readonly cookies: readonly string[];
}

/** A node that serves could not read what this process would write, or verify what it would sign. */
function refuseUnsafe(record: KeyRecord, { ids, now }: { ids: KeyIds; now: Date }): void {
  const nodes = liveNodes(record, now);
  for (const kind of ['server', 'cookies'] as const) {
    const [first = ''] = ids[kind];
    const lacking = nodes.filter((node) => !node[kind].includes(first));
    if (lacking.length > 0) throw new KeysRefused(order(kind, { first, lacking }));
  }
}

function order(
  kind: keyof KeyIds,
  { first, lacking }: { first: string; lacking: readonly KnownNode[] },
): string {
  const what =
    kind === 'server'
      ? `the server key ${first} and could not read what is encrypted under it. Put it into keys.decryption`
      : `the cookie key ${first} and would sign people out. Put it behind the present one in keys.cookies`;
  const then = kind === 'server' ? 'make it keys.encryption' : 'put it in front';
  return (
    `${lacking.length} of the nodes that serve on this store do not know ${what} of every node first and ` +
    `restart them one by one, then ${then}. (A node that was killed counts until ${silenceOver(lacking).toISOString()}.)`
  );
}

/**
 * Everything that keeps a stored value useless to a thief, under keys derived from the server key
 * (`keys.encryption`, 32 bytes, kept outside the store): HMAC for what is looked up, AES-256-GCM for what
 * must be read back, and random texts. Like the clock, a value that is passed, not a module that is asked.
 *
 * While the server key changes there are several: the first encrypts and signs, all decrypt and verify. What is
 * looked up is hashed under a key of its own that never changes (docs/decisions/0013-server-key-rotation.md).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomInt,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';

/** What an HMAC is for. Part of what is stored: a purpose keeps its spelling for as long as its records. */
export type HmacPurpose =
  | 'adoption'
  | 'api-key'
  | 'api-key-digest'
  | 'api-secret'
  | 'app-password'
  | `artifact:${string}`
  | `artifact-${'grant' | 'uid' | 'user-code'}`
  | 'attempts'
  | 'audit-name'
  | 'browser-ticket'
  | 'child-grant'
  | 'client-secret'
  | 'code'
  | `code-${'asker' | 'owner' | 'sent'}`
  | 'consent-registration'
  | `device-${'confirmed' | 'poll'}`
  | 'dialect-limit'
  | 'email-budget'
  | 'family'
  | 'half-proof'
  | 'learned'
  | 'legacy-code'
  | 'legacy-link'
  | 'legacy-via'
  | 'legacy-yes'
  | 'letters'
  | 'logout-delivery'
  | 'pairwise'
  | `passkey-${'challenge' | 'user'}`
  | 'proof'
  | 'recovery-code'
  | `remembered-${'device' | 'cookie'}`
  | 'rotation'
  | 'state'
  | 'usage-person'
  | 'strangers'
  | 'ticket'
  | 'totp'
  | 'upstream-names'
  | 'wrong-codes';

/** What a browser brings back, signed. Nothing of it is stored. */
export type SignedPurpose = 'form' | 'sign-in' | 'way-back';

export interface Secrets {
  /** HMAC-SHA256 of `text`, bound to `purpose`; base64url, 43 characters. The same whatever the server key is. */
  hmac(purpose: HmacPurpose, text: string): string;
  /** As `hmac`, under the first server key. */
  sign(purpose: SignedPurpose, text: string): string;
  /** True when `signature` is one under any of the server keys. */
  verify(purpose: SignedPurpose, text: string, signature: string): boolean;
  /** Encrypts with a fresh nonce; `context` must be given again to open it. */
  encrypt(text: string, context: string): string;
  /** Throws DecryptionFailed when the text, the context or the key is another. */
  decrypt(encrypted: string, context: string): string;
}

/** What only the rotation of the server key asks for. */
export interface ServerKeys extends Secrets {
  /** The ids of the server keys, the first key's first. */
  readonly ids: readonly string[];
  /** One for each server key: the first signs, all verify. */
  readonly cookieKeys: readonly string[];
  /** The id of the key that opens the text; undefined: none of these keys does. */
  keyOf(encrypted: string, context: string): string | undefined;
  /** The text encrypted anew under the first key; undefined: it is under that key. Throws DecryptionFailed. */
  renew(encrypted: string, context: string): string | undefined;
}

export class DecryptionFailed extends Error {
  override readonly name = 'DecryptionFailed';
}

/** Undefined: the text, the context or the key is another. */
export function tryDecrypt(secrets: Secrets, encrypted: string, context: string): string | undefined {
  try {
    return secrets.decrypt(encrypted, context);
  } catch (error) {
    if (error instanceof DecryptionFailed) return undefined;
    throw error;
  }
}

/** Bytes, at the beginning of what is encrypted. */
const NONCE = 12;
/** Stands between a key's id and the encrypted text; not a character of base64url. */
const BORDER = '.';
const ID_LENGTH = 8;

/**
 * `key`: 32 bytes. `others`: keys that decrypt and verify only. `lookupKey`: what hashes, in stores that have seen
 * another server key before; default: the one that comes from `key`.
 */
export function secretsFrom(
  key: Uint8Array,
  { others = [], lookupKey }: { others?: readonly Uint8Array[]; lookupKey?: Uint8Array | undefined } = {},
): ServerKeys {
  const keys = [key, ...others].map(serverKeyFrom);
  const [first = serverKeyFrom(key)] = keys;
  const hmacKey = createSecretKey(Buffer.from(lookupKey ?? lookupKeyOf(key)));

  /** The keys that may open a text, and its bytes. A text without a key's id is tried with every key: GCM tells. */
  const taken = (encrypted: string) => {
    const named = encrypted[ID_LENGTH] === BORDER;
    const id = named ? encrypted.slice(0, ID_LENGTH) : undefined;
    const bytes = Buffer.from(named ? encrypted.slice(ID_LENGTH + 1) : encrypted, 'base64url');
    if (bytes.byteLength < 28) throw new DecryptionFailed('The encrypted value is too short.');
    return { able: named ? keys.filter((each) => each.id === id) : keys, bytes };
  };
  const open = (encrypted: string, context: string) => {
    const { able, bytes } = taken(encrypted);
    let cause: unknown;
    for (const { id, encryption } of able) {
      try {
        return { id, text: decrypted(bytes, { key: encryption, context }) };
      } catch (error) {
        cause = error;
      }
    }
    throw new DecryptionFailed('The encrypted value does not open: another key or another context.', {
      cause,
    });
  };
  const encrypt = (text: string, context: string) => {
    const encrypted = encryptedUnder(first.encryption, { nonce: freshBytes(NONCE), text, context });
    // Without an id as long as there is one key, as in stores that never saw another.
    return keys.length === 1 ? encrypted : `${first.id}${BORDER}${encrypted}`;
  };

  return {
    ids: keys.map(({ id }) => id),
    cookieKeys: keys.map(({ signing }) => hmacOf(signing, 'cookie-key', 'cookies')),
    hmac: (purpose, text) => hmacOf(hmacKey, purpose, text),
    sign: (purpose, text) => hmacOf(first.signing, purpose, text),
    verify: (purpose, text, signature) =>
      keys.some(({ signing }) => sameText(signature, hmacOf(signing, purpose, text))),
    encrypt,
    decrypt: (encrypted, context) => open(encrypted, context).text,
    keyOf(encrypted, context) {
      try {
        return open(encrypted, context).id;
      } catch (error) {
        if (error instanceof DecryptionFailed) return undefined;
        throw error;
      }
    },
    renew(encrypted, context) {
      if (encrypted.startsWith(`${first.id}${BORDER}`)) return undefined;
      const { id, text } = open(encrypted, context);
      return id === first.id ? undefined : encrypt(text, context);
    },
  };
}

/** What hashes in a store that began with this server key. */
export function lookupKeyOf(serverKey: Uint8Array): Buffer {
  return derived(serverKey, 'portico/mac');
}

/** A few characters that tell one key from another, and nothing about either. */
export function keyId(key: Uint8Array | string): string {
  return derived(key, 'portico/key-id').toString('hex').slice(0, ID_LENGTH);
}

function derived(key: Uint8Array | string, use: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', use, 32));
}

/** KeyObjects are made once: Node would make them from bytes at every call, which takes ten times as long. */
function serverKeyFrom(key: Uint8Array) {
  if (key.byteLength !== 32) throw new RangeError('The encryption key must be 32 bytes.');
  return {
    id: keyId(key),
    signing: createSecretKey(lookupKeyOf(key)),
    encryption: createSecretKey(derived(key, 'portico/seal')),
  };
}

function hmacOf(key: KeyObject, purpose: string, text: string): string {
  // The length keeps ("a", "bc") and ("ab", "c") apart.
  return createHmac('sha256', key).update(`${purpose.length}:${purpose}${text}`).digest('base64url');
}

/** Random bytes that were drawn in advance and are not given out yet. */
let left = Buffer.alloc(0);

/** No byte is given out twice. Asking the system for a few takes as long as for thousands. */
function freshBytes(count: number): Buffer {
  if (left.length < count) left = randomBytes(Math.max(count, 4096));
  const fresh = left.subarray(0, count);
  left = left.subarray(count);
  return fresh;
}

function encryptedUnder(
  key: KeyObject,
  { nonce, text, context }: { nonce: Buffer; text: string; context: string },
): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
}

function decrypted(bytes: Buffer, { key, context }: { key: KeyObject; context: string }): string {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE, -16)), decipher.final()]).toString('utf8');
}

/** A random text: `prefix`, then `length` signs of `alphabet`, the first of `first` where that is given. */
export interface RandomForm {
  readonly prefix?: string;
  readonly alphabet: string;
  readonly length: number;
  readonly first?: string;
}

/** Uniform over the alphabet, from the system's CSPRNG. */
export function randomText(form: RandomForm): string {
  let text = form.prefix ?? '';
  for (let i = 0; i < form.length; i += 1) {
    const alphabet = i === 0 && form.first !== undefined ? form.first : form.alphabet;
    text += alphabet.charAt(randomInt(alphabet.length));
  }
  return text;
}

/** 256 random bits as 43 base64url characters, behind a prefix that makes a leaked one easy to spot. */
export function randomToken(prefix = ''): string {
  return prefix + randomValue(32);
}

/** This many random bytes, as base64url. */
export function randomValue(bytes: number): string {
  return freshBytes(bytes).toString('base64url');
}

export { randomUUID };

/** Compares without telling by time where two texts differ. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

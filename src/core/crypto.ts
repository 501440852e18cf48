/**
 * Everything that keeps a stored value useless to a thief, under keys derived from one server key
 * (`keys.encryption`, 32 bytes, kept outside the store): HMAC for what is looked up, AES-256-GCM for what
 * must be read back, and random texts. Like the clock, a value that is passed, not a module that is asked.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  randomInt,
  randomUUID,
  timingSafeEqual,
} from 'node:crypto';

/** What an HMAC is for. Part of what is stored: a purpose keeps its spelling for as long as its records. */
export type HmacPurpose =
  | 'api-key'
  | 'api-secret'
  | `artifact:${string}`
  | `artifact-${'grant' | 'uid' | 'user-code'}`
  | 'attempts'
  | 'audit-name'
  | 'browser-ticket'
  | 'client-secret'
  | 'code'
  | `code-${'asker' | 'owner' | 'sent'}`
  | 'consent-registration'
  | 'cookie-key'
  | `device-${'confirmed' | 'poll'}`
  | 'dialect-limit'
  | 'email-budget'
  | 'family'
  | 'form'
  | 'letters'
  | 'proof'
  | 'rotation'
  | 'sign-in'
  | 'state'
  | 'strangers'
  | 'ticket'
  | 'upstream-names'
  | 'way-back'
  | 'wrong-codes';

export interface Secrets {
  /** HMAC-SHA256 of `text`, bound to `purpose`; base64url, 43 characters. */
  hmac(purpose: HmacPurpose, text: string): string;
  /** Encrypts with a fresh nonce; `context` must be given again to open it. */
  encrypt(text: string, context: string): string;
  /** Throws DecryptionFailed when the text, the context or the key is another. */
  decrypt(encrypted: string, context: string): string;
}

export class DecryptionFailed extends Error {
  override readonly name = 'DecryptionFailed';
}

/** `key`: 32 bytes. */
export function secretsFrom(key: Uint8Array): Secrets {
  if (key.byteLength !== 32) throw new RangeError('The encryption key must be 32 bytes.');
  // Made into keys once: given as bytes they are made into keys at every call, which takes ten times as long.
  const keyFor = (use: string) => createSecretKey(Buffer.from(hkdfSync('sha256', key, '', use, 32)));
  const hmacKey = keyFor('portico/mac');
  const encryptionKey = keyFor('portico/seal');
  return {
    hmac(purpose, text) {
      // The length keeps ("a", "bc") and ("ab", "c") apart.
      return createHmac('sha256', hmacKey)
        .update(`${purpose.length}:${purpose}`)
        .update(text)
        .digest('base64url');
    },
    encrypt(text, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', encryptionKey, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([
        nonce,
        cipher.update(text, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]).toString('base64url');
    },
    decrypt(encrypted, context) {
      const bytes = Buffer.from(encrypted, 'base64url');
      if (bytes.byteLength < 28) throw new DecryptionFailed('The sealed value is too short.');
      const decipher = createDecipheriv('aes-256-gcm', encryptionKey, bytes.subarray(0, 12))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-16));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new DecryptionFailed('The sealed value does not open: another key or another context.', {
          cause,
        });
      }
    },
  };
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
  return prefix + randomBytes(32).toString('base64url');
}

export { randomUUID };

/** Compares without telling by time where two texts differ. */
export function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

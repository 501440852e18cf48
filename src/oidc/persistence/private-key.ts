/**
 * A key that signs tokens: read once, used by the provider and by dialects. Node's own signatures cost a quarter
 * of jose's, which hands each to a thread and waits.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { ExternalSigningKey } from 'oidc-provider';
import type { SigningKey } from './signing-keys.ts';

const signInThread = promisify(sign);

export class PrivateKey extends ExternalSigningKey {
  readonly #of: Pick<SigningKey, 'kid' | 'alg'>;
  override readonly sign: ExternalSigningKey['sign'];
  override readonly keyObject: ExternalSigningKey['keyObject'];

  constructor({ kid, alg, jwk }: SigningKey) {
    super();
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const publicKey = createPublicKey(key);
    this.#of = { kid, alg };
    this.keyObject = () => publicKey;
    // An ES256 signature takes less than a thread's round trip, an RS256 one too long to hold up other requests.
    this.sign =
      alg === 'ES256'
        ? (data) => withoutDer(sign('sha256', data, key))
        : (data) => signInThread('sha256', data, key);
  }

  override get kid() {
    return this.#of.kid;
  }

  override get alg() {
    return this.#of.alg;
  }

  async jwt(typ: string | undefined, claims: object): Promise<string> {
    const { kid, alg } = this;
    const signed = [{ alg, typ, kid }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${signed}.${Buffer.from(await this.sign(Buffer.from(signed))).toString('base64url')}`;
  }
}

/**
 * The two numbers of an ECDSA signature, 32 bytes each (RFC 7518, 3.4). Node makes them itself where it gets options
 * beside the key, and takes twice as long: it tries whether the options are a key.
 */
function withoutDer(der: Buffer): Buffer {
  const numbers = Buffer.alloc(64);
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0;
    // One that begins with a set bit has a zero before it; one that begins with zeros is shorter.
    const number = der.subarray(at + 2, at + 2 + length).subarray(-32);
    numbers.set(number, end - number.length);
    at += 2 + length;
  }
  return numbers;
}

const known = new WeakMap<SigningKey, PrivateKey>();

export function privateKeyOf(key: SigningKey): PrivateKey {
  const made = known.get(key) ?? new PrivateKey(key);
  known.set(key, made);
  return made;
}

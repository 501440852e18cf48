/**
 * An authenticator in memory (W3C WebAuthn level 3, 6): passkeys with ES256 keys, answers to the options of a page as
 * the browser's package sends them. What an honest one never does can be asked of it, member by member.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Authenticator {
  /** Answers the options of a page that registers: the text of the form's field `response`. */
  create(options: string, twist?: Twist): string;
  /** Answers the options of a page that signs in. */
  get(options: string, twist?: Twist): string;
  /** The ids of its passkeys, the first made first. */
  readonly ids: readonly string[];
}

export interface Twist {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  readonly type?: string;
  /** Whether it asked who is there; default: yes. */
  readonly verified?: boolean;
  readonly present?: boolean;
  readonly counter?: number;
  readonly backedUp?: boolean;
  readonly backupEligible?: boolean;
  readonly id?: string;
  readonly userHandle?: string;
  /** Signs with a key of its own. */
  readonly forged?: boolean;
}

interface Credential {
  readonly id: string;
  readonly userHandle: string;
  readonly key: KeyObject;
}

/** `origin`: of the page. `counts`: it has a sign counter. `synced`: its passkeys may be copied to other devices. */
export function createAuthenticator({
  origin,
  counts = true,
  synced = false,
}: {
  origin: string;
  counts?: boolean;
  synced?: boolean;
}): Authenticator {
  const credentials: Credential[] = [];
  let counter = 0;

  const dataOf = (rpId: string, twist: Twist, attested?: Buffer) => {
    if (counts) counter += 1;
    const { verified = true, present = true, backupEligible = synced, backedUp = synced } = twist;
    const bits = [present, false, verified, backupEligible, backedUp, false, attested !== undefined];
    const flags = bits.reduce((sum, on, bit) => sum + (on ? 1 << bit : 0), 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(twist.counter ?? counter);
    return Buffer.concat([
      sha256(twist.rpId ?? rpId),
      Buffer.from([flags]),
      count,
      attested ?? Buffer.alloc(0),
    ]);
  };
  const clientData = (type: string, challenge: string, twist: Twist) =>
    Buffer.from(
      JSON.stringify({
        type: twist.type ?? type,
        challenge: twist.challenge ?? challenge,
        origin: twist.origin ?? origin,
        crossOrigin: false,
      }),
    );
  const answer = (id: string, response: Readonly<Record<string, unknown>>) =>
    JSON.stringify({
      ...{ id, rawId: id, type: 'public-key', authenticatorAttachment: 'platform' },
      ...{ response, clientExtensionResults: {} },
    });

  return {
    get ids() {
      return credentials.map(({ id }) => id);
    },
    create(options, twist = {}) {
      const { challenge, rp, user } = JSON.parse(options);
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const id = twist.id ?? randomBytes(16).toString('base64url');
      credentials.push({ id, userHandle: user.id, key: privateKey });
      const raw = Buffer.from(id, 'base64url');
      const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
      const length = Buffer.alloc(2);
      length.writeUInt16BE(raw.length);
      const authData = dataOf(rp.id, twist, Buffer.concat([Buffer.alloc(16), length, raw, coseKey(x, y)]));
      const attestation = Buffer.concat([
        Buffer.from([0xa3]),
        ...[cborText('fmt'), cborText('none'), cborText('attStmt'), Buffer.from([0xa0])],
        ...[cborText('authData'), cborBytes(authData)],
      ]);
      return answer(id, {
        clientDataJSON: clientData('webauthn.create', challenge, twist).toString('base64url'),
        attestationObject: attestation.toString('base64url'),
        transports: ['internal'],
      });
    },
    get(options, twist = {}) {
      const { challenge, rpId, allowCredentials } = JSON.parse(options);
      const allowed = (allowCredentials as { id: string }[] | undefined)?.map(({ id }) => id);
      const credential = credentials.find(({ id }) => allowed?.includes(id) ?? true) ?? credentials[0];
      if (credential === undefined) throw new Error('The authenticator has no passkey.');
      const data = dataOf(rpId, twist);
      const client = clientData('webauthn.get', challenge, twist);
      const key = twist.forged
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
        : credential.key;
      return answer(twist.id ?? credential.id, {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: sign('sha256', Buffer.concat([data, sha256(client)]), key).toString('base64url'),
        userHandle: twist.userHandle ?? credential.userHandle,
      });
    },
  };
}

/** The options that a page asks with, from the attribute of its form. */
export function passkeyOptions(body: string, attribute: 'request' | 'creation' = 'request'): string {
  const [, escaped = ''] = new RegExp(`data-${attribute}="([^"]*)"`).exec(body) ?? [];
  if (escaped === '') throw new Error(`The page asks for no passkey (${attribute}).`);
  return escaped.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&');
}

function sha256(bytes: Buffer | string): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** RFC 9053: kty EC2, alg ES256, crv P-256. */
function coseKey(x: string, y: string): Buffer {
  return Buffer.concat([
    Buffer.from([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]),
    cborBytes(Buffer.from(x, 'base64url')),
    Buffer.from([0x22]),
    cborBytes(Buffer.from(y, 'base64url')),
  ]);
}

function cborText(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x60 + text.length]), Buffer.from(text)]);
}

function cborBytes(bytes: Buffer): Buffer {
  const head = bytes.length < 256 ? [0x58, bytes.length] : [0x59, bytes.length >> 8, bytes.length & 255];
  return Buffer.concat([Buffer.from(head), bytes]);
}

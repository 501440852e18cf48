/**
 * Access tokens that an API must refuse: what attackers send, and what the server's own keys have signed for
 * another purpose, place or time. Each differs from a genuine token in what its name says.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto';

export interface Genuine {
  /** A JWT access token that is good, signed with ES256. */
  readonly token: string;
  /** Another one. */
  readonly other: string;
  readonly idToken: string;
  readonly refreshToken: string;
  /** The server's private keys: ES256 and RS256. */
  readonly keys: Readonly<Record<'ES256' | 'RS256', JsonWebKey & { kid: string }>>;
}

type Table = Record<string, unknown>;

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
const part = (value: unknown) => Buffer.from(text(value)).toString('base64url');
const tableOf = (segment = ''): Table => JSON.parse(Buffer.from(segment, 'base64url').toString());

function sign(header: unknown, payload: unknown, key: KeyObject): string {
  const data = `${part(header)}.${part(payload)}`;
  const options = key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' as const } : key;
  return `${data}.${signBytes('sha256', Buffer.from(data), options).toString('base64url')}`;
}

function mac(header: unknown, payload: unknown, secret: string | Buffer): string {
  const data = `${part(header)}.${part(payload)}`;
  return `${data}.${createHmac('sha256', secret).update(data).digest('base64url')}`;
}

/** Name -> token. */
export function hostileTokens(genuine: Genuine): Record<string, string> {
  const [head = '', body = '', signature = ''] = genuine.token.split('.');
  const context = { genuine, header: tableOf(head), payload: tableOf(body), head, body, signature };
  return {
    ...unsigned(context),
    ...signedWithWhatIsPublic(context),
    ...signedByAnother(context),
    ...changedAfterSigning(context),
    ...signedForAnotherPurpose(context),
    ...misshapen(context),
  };
}

interface Context {
  readonly genuine: Genuine;
  readonly header: Table;
  readonly payload: Table;
  readonly head: string;
  readonly body: string;
  readonly signature: string;
}

function unsigned({ header, head, body, signature }: Context): Record<string, string> {
  const { alg: _alg, ...bare } = header;
  return {
    'alg none': `${part({ ...header, alg: 'none' })}.${body}.`,
    'alg None': `${part({ ...header, alg: 'None' })}.${body}.`,
    'alg NONE': `${part({ ...header, alg: 'NONE' })}.${body}.`,
    'alg none, with a signature': `${part({ ...header, alg: 'none' })}.${body}.${signature}`,
    'no alg': `${part(bare)}.${body}.${signature}`,
    'an empty alg': `${part({ ...header, alg: '' })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'no payload between its parts': `${head}..${signature}`,
  };
}

function signedWithWhatIsPublic({ genuine, header, payload }: Context): Record<string, string> {
  const published = createPublicKey({ key: genuine.keys.ES256, format: 'jwk' });
  const rsa = createPublicKey({ key: genuine.keys.RS256, format: 'jwk' });
  const hs = { ...header, alg: 'HS256' };
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
  return {
    'HS256 with the public key as PEM': mac(hs, payload, pem(published)),
    'HS256 with the public RSA key as PEM': mac({ ...hs, kid: genuine.keys.RS256.kid }, payload, pem(rsa)),
    'HS256 with the public key as DER': mac(hs, payload, published.export({ type: 'spki', format: 'der' })),
    'HS256 with the public key as JWK': mac(hs, payload, JSON.stringify(published.export({ format: 'jwk' }))),
    'HS256 with an empty secret': mac(hs, payload, ''),
    'HS256 with the kid': mac(hs, payload, genuine.keys.ES256.kid),
    'HS256 with a kid that is a path': mac({ ...hs, kid: '../../../../dev/null' }, payload, ''),
  };
}

function signedByAnother({ header, payload, genuine }: Context): Record<string, string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = publicKey.export({ format: 'jwk' });
  const { kid: _kid, ...nameless } = header;
  const forged = (changes: Table) => sign({ ...header, ...changes }, payload, privateKey);
  return {
    'another key under the kid of the server': forged({}),
    'another key under a kid of its own': forged({ kid: 'mine' }),
    'another key without a kid': sign(nameless, payload, privateKey),
    'another key that the token brings along': forged({ jwk }),
    'another key that the token brings along, with its kid': forged({
      kid: 'mine',
      jwk: { ...jwk, kid: 'mine' },
    }),
    'another key behind a jku': forged({ kid: 'mine', jku: 'https://attacker.test/jwks' }),
    'another key behind an x5u': forged({ kid: 'mine', x5u: 'https://attacker.test/chain.pem' }),
    'another key in an x5c': forged({
      x5c: [publicKey.export({ type: 'spki', format: 'der' }).toString('base64')],
    }),
    'a kid that is a query': forged({ kid: "' OR '1'='1" }),
    'another RSA key under the kid of the server': sign(
      { ...header, alg: 'RS256', kid: genuine.keys.RS256.kid },
      payload,
      rsa.privateKey,
    ),
    'the alg twice': sign(text(header).replace('{', '{"alg":"none",'), payload, privateKey),
  };
}

function changedAfterSigning(context: Context): Record<string, string> {
  const { genuine, header, payload, head, body, signature } = context;
  const bytes = Buffer.from(signature, 'base64url');
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(5) ^ 1, 5);
  const data = Buffer.from(`${head}.${body}`);
  const der = signBytes('sha256', data, createPrivateKey({ key: genuine.keys.ES256, format: 'jwk' }));
  const other = genuine.other.split('.')[2];
  return {
    'the signature of another token': `${head}.${body}.${other}`,
    'a signature of zeros': `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`,
    'a signature as DER': `${head}.${body}.${der.toString('base64url')}`,
    'a bit of the signature flipped': `${head}.${body}.${flipped.toString('base64url')}`,
    'half a signature': `${head}.${body}.${bytes.subarray(0, 32).toString('base64url')}`,
    'a signature turned round': `${head}.${body}.${Buffer.from(bytes).reverse().toString('base64url')}`,
    'another subject': `${head}.${part({ ...payload, sub: 'admin' })}.${signature}`,
    'another scope': `${head}.${part({ ...payload, scope: 'everything' })}.${signature}`,
    'a later end': `${head}.${part({ ...payload, exp: Number(payload.exp) + 9_999 })}.${signature}`,
    'the subject twice': `${head}.${part(text(payload).replace('{', '{"sub":"admin",'))}.${signature}`,
    'another alg in the header': `${part({ ...header, alg: 'RS256' })}.${body}.${signature}`,
    'the kid of the other key': `${part({ ...header, kid: genuine.keys.RS256.kid })}.${body}.${signature}`,
  };
}

/** By the server's own key: an API would refuse it although the signature is right. */
function signedForAnotherPurpose({ genuine, header, payload }: Context): Record<string, string> {
  const key = createPrivateKey({ key: genuine.keys.ES256, format: 'jwk' });
  const { typ: _typ, ...typeless } = header;
  const now = Math.floor(Date.now() / 1000);
  const own = (claims: Table, changes: Table = {}) =>
    sign({ ...header, ...changes }, { ...payload, ...claims }, key);
  const without = (name: string) => own({ [name]: undefined });
  return {
    'typ JWT': own({}, { typ: 'JWT' }),
    'typ logout+jwt': own({}, { typ: 'logout+jwt' }),
    'no typ': sign(typeless, payload, key),
    'another audience': own({ aud: 'https://elsewhere.test' }),
    'an audience that begins alike': own({ aud: `${payload.aud}.attacker.test` }),
    'no audience': without('aud'),
    'an empty list of audiences': own({ aud: [] }),
    'another issuer': own({ iss: 'https://attacker.test' }),
    'an issuer that begins alike': own({ iss: `${payload.iss}/` }),
    'no issuer': without('iss'),
    'an end that is over': own({ iat: now - 7_200, exp: now - 3_600 }),
    'no end': without('exp'),
    'a beginning that is to come': own({ nbf: now + 3_600 }),
    'no subject': without('sub'),
    'no client': without('client_id'),
    'no id': without('jti'),
    'an unknown critical extension': own({}, { crit: ['exp2'], exp2: 1 }),
    'an ID token': genuine.idToken,
  };
}

function misshapen({ genuine, head, body, signature }: Context): Record<string, string> {
  const key = createPrivateKey({ key: genuine.keys.ES256, format: 'jwk' });
  return {
    'two parts': `${head}.${body}`,
    'four parts': `${genuine.token}.${signature}`,
    'five parts': `${head}.${body}.${body}.${body}.${signature}`,
    'the JSON form': JSON.stringify({ protected: head, payload: body, signature }),
    'a payload that is no JSON': sign(Buffer.from(head, 'base64url').toString(), 'hello', key),
    'a payload that is a list': sign(Buffer.from(head, 'base64url').toString(), '[]', key),
    'a header that is no JSON': `${part('hello')}.${body}.${signature}`,
    'a refresh token': genuine.refreshToken,
    'no token at all': 'no token at all',
  };
}

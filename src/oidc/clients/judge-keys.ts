/**
 * Whether a client has the public keys that its metadata call for: for answers that are encrypted for it, and for
 * the request objects that it signs. The provider looks for them when it needs them.
 */
import type { Issue } from '../../config/issues.ts';
import type { Json } from '../../model/json.ts';
import { ASSERTION_ALGORITHMS } from './jose-algorithms.ts';

type Metadata = Readonly<Record<string, Json>>;

const ENCRYPTED = ['id_token', 'userinfo', 'introspection'].map((name) => `${name}_encrypted_response_alg`);

/** What is published under `jwks_uri` may change any day, and is not looked at. */
export function* keyIssues(metadata: Metadata): Iterable<Issue> {
  const { jwks, jwks_uri: published, request_object_signing_alg: signing } = metadata;
  if (metadata.require_signed_request_object === true && jwks === undefined && published === undefined) {
    yield { path: 'require_signed_request_object', message: 'must stand beside jwks or jwks_uri' };
  }
  const keys: unknown = Object(jwks).keys;
  if (!Array.isArray(keys)) return;
  yield* credentialIssues(metadata.token_endpoint_auth_method, keys.map(Object));
  for (const member of ENCRYPTED) {
    const algorithm = metadata[member];
    if (typeof algorithm !== 'string' || encrypts(keys.map(Object), algorithm)) continue;
    const kinds = algorithm.startsWith('RSA') ? 'kty RSA' : 'kty EC, or OKP of X25519';
    const message = `jwks has no key that encrypts with it (${kinds}, use enc or none)`;
    yield { path: member, value: JSON.stringify(algorithm), message };
  }
  const all = typeof signing === 'string' ? [signing] : ASSERTION_ALGORITHMS;
  const signs = metadata.require_signed_request_object === true || signing !== undefined;
  if (signs && !all.some((algorithm) => keys.some((key) => verifies(Object(key), algorithm)))) {
    const path = signing === undefined ? 'require_signed_request_object' : 'request_object_signing_alg';
    yield { path, message: `jwks has no key that verifies ${all.join(', ')}` };
  }
}

type Key = Readonly<Record<string, unknown>>;

/** Keys with which the server could verify no credential of the client. */
function* credentialIssues(method: unknown, keys: readonly Key[]): Iterable<Issue> {
  const isVerifiable = ASSERTION_ALGORITHMS.some((algorithm) => keys.some((key) => verifies(key, algorithm)));
  if (method === 'private_key_jwt' && !isVerifiable) {
    yield { path: 'jwks', message: `must have a key that verifies ${ASSERTION_ALGORITHMS.join(', ')}` };
  }
  if (method === 'self_signed_tls_client_auth' && !keys.some((key) => key.x5c ?? key['x5t#S256'])) {
    yield { path: 'jwks', message: 'must have a key with the certificate of the client (x5c)' };
  }
}

/** Of the keys that seem to fit, the provider takes the one that says most of itself, and then the first. */
function encrypts(keys: readonly Key[], algorithm: string): boolean {
  const kinds = algorithm.startsWith('RSA') ? ['RSA'] : ['EC', 'OKP'];
  const says = ({ alg, use }: Key) => Number(alg !== undefined) + Number(use !== undefined);
  const [taken] = keys
    .filter(({ kty }) => kinds.includes(String(kty)))
    .filter(({ use = 'enc', alg = algorithm }) => use === 'enc' && alg === algorithm)
    .toSorted((one, other) => says(other) - says(one));
  return taken !== undefined && (taken.kty !== 'OKP' || taken.crv === 'X25519');
}

function verifies({ kty, crv, use = 'sig', alg }: Key, algorithm: string): boolean {
  if (use !== 'sig' || (alg !== undefined && alg !== algorithm)) return false;
  if (algorithm === 'ES256') return kty === 'EC' && crv === 'P-256';
  return algorithm === 'EdDSA' ? kty === 'OKP' && crv === 'Ed25519' : kty === 'RSA';
}

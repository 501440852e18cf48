/**
 * `profile: fapi2` of a client: the FAPI 2.0 Security Profile (Final, February 2025). The profile is a set of
 * defaults for the client's other members, and of rules that they must keep; what the client says itself stays, and
 * is judged. The judge and the provider ask the same rules.
 */
import type { Client } from 'oidc-provider';
import type { Issue } from '../../config/issues.ts';
import { DEVICE_CODE } from '../../model/client.ts';
import { type Json, textsOf } from '../../model/json.ts';

type Metadata = Readonly<Record<string, unknown>>;

export const FAPI2 = 'fapi2';

/** Of every JWT that the client signs or is sent (5.4.1). */
const ALGORITHMS: readonly unknown[] = ['PS256', 'ES256', 'EdDSA'];
const METHODS: readonly unknown[] = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'];
const BOUND_BY_CERTIFICATE = 'tls_client_certificate_bound_access_tokens';

const SIGNED = [
  'token_endpoint_auth_signing_alg',
  'id_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'introspection_signed_response_alg',
  'authorization_signed_response_alg',
  'request_object_signing_alg',
] as const;

/** What `portico client check` tells of the profile, by the member that it is about. */
const SETS: readonly (readonly [member: string, sets: string])[] = [
  [
    'token_endpoint_auth_method',
    'confidential: private_key_jwt, tls_client_auth or self_signed_tls_client_auth',
  ],
  [
    'token_endpoint_auth_signing_alg',
    'assertions have the issuer as their only audience (a text), are signed with PS256, ES256 or EdDSA, and are good once; nbf and iat may be 10 s ahead',
  ],
  [
    'require_pushed_authorization_requests',
    'every authorization request is pushed (/par) and its request_uri good once, for 60 s; what else the address has is ignored',
  ],
  [
    'grant_types',
    'PKCE with S256 in every request; a code is good once, for 60 s at most; client_credentials for bound tokens only',
  ],
  [
    'dpop_bound_access_tokens',
    'every access token is bound to the client’s DPoP key, or to its certificate with tls_client_certificate_bound_access_tokens',
  ],
  ['id_token_signed_response_alg', 'ES256 unless the client says otherwise'],
  ['redirect_uris', 'https only; answers come by redirect 303, with iss'],
  ['rotate_refresh_tokens', 'refresh tokens are not rotated: the client has proved itself at each use'],
];

export function isFapi2(client: Client | undefined): boolean {
  return client !== undefined && Reflect.get(client, 'profile') === FAPI2;
}

export function isAllowedAlgorithm(alg: unknown): boolean {
  return ALGORITHMS.includes(alg);
}

/** What the profile sets where the client says nothing. */
export function profileDefaults({ profile, ...metadata }: Metadata): Record<string, Json> {
  if (profile !== FAPI2) return {};
  return {
    require_pushed_authorization_requests: true,
    id_token_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
    authorization_signed_response_alg: 'ES256',
    rotate_refresh_tokens: false,
    ...(metadata[BOUND_BY_CERTIFICATE] !== true && { dpop_bound_access_tokens: true }),
  };
}

/** What a client with a profile would be refused for, with the defaults filled in. */
export function* profileIssues(metadata: Metadata): Iterable<Issue> {
  const { profile } = metadata;
  if (profile === undefined) return;
  if (profile === FAPI2) yield* [...credentials(metadata), ...requests(metadata), ...algorithms(metadata)];
  else yield { path: 'profile', value: JSON.stringify(profile), message: `must be ${FAPI2}` };
}

function* credentials(metadata: Metadata): Iterable<Issue> {
  const { token_endpoint_auth_method: method = 'client_secret_basic', jwks, jwks_uri: uri } = metadata;
  if (!METHODS.includes(method)) {
    const message = `must be ${METHODS.join(', ').replace(/, (\w+)$/, ' or $1')} for the profile ${FAPI2}`;
    yield { path: 'token_endpoint_auth_method', value: JSON.stringify(method), message };
  }
  if (method !== 'tls_client_auth' && jwks === undefined && uri === undefined) {
    yield {
      path: 'jwks',
      message: `or jwks_uri must be set: a client of the profile ${FAPI2} has keys of its own`,
    };
  }
  for (const [place, key] of keysIn(jwks).entries()) {
    const bits = typeof key.n === 'string' ? Buffer.from(key.n, 'base64url').length * 8 : undefined;
    if (bits !== undefined && bits < 2048)
      yield { path: `jwks.keys.${place}.n`, message: 'must have 2048 bits or more' };
  }
}

function keysIn(jwks: unknown): { n?: unknown }[] {
  const { keys } = Object(jwks);
  return Array.isArray(keys) ? keys.map((key) => Object(key)) : [];
}

function* requests(metadata: Metadata): Iterable<Issue> {
  const required = `for the profile ${FAPI2}`;
  if (metadata.require_pushed_authorization_requests !== true) {
    yield { path: 'require_pushed_authorization_requests', message: `must be true ${required}` };
  }
  if (metadata.dpop_bound_access_tokens !== true && metadata[BOUND_BY_CERTIFICATE] !== true) {
    yield {
      path: 'dpop_bound_access_tokens',
      message: `or ${BOUND_BY_CERTIFICATE} must be true ${required}`,
    };
  }
  if (metadata.rotate_refresh_tokens !== false) {
    yield { path: 'rotate_refresh_tokens', message: `must be false ${required}` };
  }
  const device = textsOf(metadata.grant_types).indexOf(DEVICE_CODE);
  if (device >= 0) {
    const message = `must not be the device flow ${required}: it cannot push its request`;
    yield { path: `grant_types.${device}`, value: JSON.stringify(DEVICE_CODE), message };
  }
  for (const [place, uri] of textsOf(metadata.redirect_uris).entries()) {
    if (/^https:\/\//i.test(uri)) continue;
    const message = `must begin with https:// ${required}`;
    yield { path: `redirect_uris.${place}`, value: JSON.stringify(uri), message };
  }
}

function* algorithms(metadata: Metadata): Iterable<Issue> {
  for (const member of SIGNED) {
    const value = metadata[member];
    if (value === undefined || isAllowedAlgorithm(value)) continue;
    const message = `must be PS256, ES256 or EdDSA for the profile ${FAPI2}`;
    yield { path: member, value: JSON.stringify(value), message };
  }
}

export interface ProfileSetting {
  readonly member: string;
  readonly message: string;
}

/** In words, for the client's operator; none: the client has no profile. */
export function explainProfile({ profile }: Metadata): ProfileSetting[] {
  if (profile !== FAPI2) return [];
  return SETS.map(([member, sets]) => ({ member, message: `${FAPI2}: ${sets}` }));
}

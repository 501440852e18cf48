/**
 * What a client may register about itself. From its body, what is listed here is taken, within the limits of the
 * configuration or of its initial access token; all else is not read. What is Portico's own (first_party, apis,
 * organizations, ...) is the operator's, and is never taken. The provider and the judge of clients judge the rest.
 */
import type { Config } from '../../config/schema.ts';
import type { RegistrationLimits } from '../../model/client.ts';
import { textsOf } from '../../model/json.ts';
import { type Body, isTable } from './body.ts';
import { takeClientName } from './client-name.ts';
import { areNative, issueOfRedirectUri } from './redirect-uris.ts';
import { RegistrationRefused } from './refused.ts';

const REDIRECTS = ['redirect_uris', 'post_logout_redirect_uris'] as const;

/** The server calls them, through the guard of outbound requests. */
const CALLED = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri'];

/** The others are links for people, and never fetched. */
const URLS = [...CALLED, 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri'];

const TEXTS = [
  ...['application_type', 'scope', 'subject_type', 'token_endpoint_auth_method'],
  ...['token_endpoint_auth_signing_alg', 'id_token_signed_response_alg', 'userinfo_signed_response_alg'],
  ...['request_object_signing_alg', 'authorization_signed_response_alg', 'introspection_signed_response_alg'],
  ...['id_token', 'userinfo', 'introspection'].flatMap((answer) => [
    ...[`${answer}_encrypted_response_alg`, `${answer}_encrypted_response_enc`],
  ]),
  'client_name',
];

const LISTS = ['grant_types', 'response_types', 'contacts', 'default_acr_values'];

const FLAGS = [
  ...['require_auth_time', 'require_pushed_authorization_requests', 'require_signed_request_object'],
  ...['dpop_bound_access_tokens', 'backchannel_logout_session_required'],
];

/** Members that a client may register. */
export const REGISTRABLE: ReadonlySet<string> = new Set([
  ...[...REDIRECTS, ...URLS, ...TEXTS, ...LISTS, ...FLAGS],
  ...['jwks', 'default_max_age'],
]);

/** Characters of a text, and members of a list. */
const LONGEST = 2048;
const MOST = 20;

const METHODS = ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'];

export interface Policy extends RegistrationLimits {
  readonly scopes: readonly string[];
  readonly grantTypes: readonly string[];
  /** Plain http is for development. */
  readonly httpsOnly: boolean;
  /** Why the server would not call a URL; undefined: it would. */
  readonly refusesToFetch: (url: URL) => string | undefined;
}

/** The configuration, and over it what the initial access token says. */
export function policyOf(
  {
    config: { oidc, environment },
    refusesToFetch,
  }: { config: Pick<Config, 'oidc' | 'environment'>; refusesToFetch: Policy['refusesToFetch'] },
  limits: RegistrationLimits | undefined,
): Policy {
  const { scopes, grantTypes } = oidc.registration;
  return {
    ...{ scopes, grantTypes },
    httpsOnly: environment === 'production',
    refusesToFetch,
    ...limits,
  };
}

/** What of the body is registered. Throws RegistrationRefused. */
export function judgeBody(body: Body, policy: Policy): Body {
  if (body.software_statement !== undefined) {
    throw new RegistrationRefused('unapproved_software_statement', 'software statements are not accepted');
  }
  const taken: Record<string, unknown> = {};
  for (const member of REGISTRABLE) {
    // RFC 7592: null takes a member away.
    const value = Object.hasOwn(body, member) ? body[member] : undefined;
    if (value !== undefined && value !== null) taken[member] = judgeMember(member, value, policy);
  }
  return { ...taken, ...kindOf(taken), scope: scopeOf(taken, policy) };
}

function judgeMember(member: string, value: unknown, policy: Policy): unknown {
  if (REDIRECTS.some((name) => name === member)) return redirectsIn(member, value, policy);
  if (URLS.includes(member)) return urlIn(member, value, policy);
  if (LISTS.includes(member)) return listIn(member, value, policy);
  if (TEXTS.includes(member)) return textIn(member, value);
  if (FLAGS.includes(member) && typeof value !== 'boolean') throw refused(member, 'must be a boolean');
  if (member === 'default_max_age' && !Number.isSafeInteger(value)) throw refused(member, 'must be a number');
  return member === 'jwks' ? keysIn(member, value) : value;
}

function textIn(member: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw refused(member, 'must be a text that is not empty');
  if (value.length > LONGEST) throw refused(member, `must have ${LONGEST} characters or fewer`);
  if (member === 'token_endpoint_auth_method' && !METHODS.includes(value)) {
    throw refused(member, `must be one of ${METHODS.join(', ')}`);
  }
  if (member !== 'client_name') return value;
  try {
    return takeClientName(value);
  } catch (error) {
    if (error instanceof RangeError) throw refused(member, error.message);
    throw error;
  }
}

function textsIn(member: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw refused(member, 'must be a list');
  if (value.length > MOST) throw refused(member, `must have ${MOST} members or fewer`);
  return value.map((text: unknown) => textIn(member, text));
}

function listIn(member: string, value: unknown, { grantTypes }: Policy): string[] {
  const texts = textsIn(member, value);
  if (member === 'grant_types' && texts.some((type) => !grantTypes.includes(type))) {
    throw refused(member, `must only have ${grantTypes.join(', ')}`);
  }
  return texts;
}

function redirectsIn(member: string, value: unknown, { redirectHosts }: Policy): string[] {
  const uris = textsIn(member, value);
  for (const uri of uris) {
    const issue = issueOfRedirectUri(uri, redirectHosts);
    if (issue !== undefined) throw new RegistrationRefused('invalid_redirect_uri', `${member} ${issue}`);
  }
  return uris;
}

function urlIn(member: string, value: unknown, { httpsOnly, refusesToFetch }: Policy): string {
  const text = textIn(member, value);
  const url = /^[\x21-\x7e]+$/.test(text) && !text.includes('\\') ? URL.parse(text) : null;
  const schemes = httpsOnly ? ['https:'] : ['https:', 'http:'];
  if (url === null || !schemes.includes(url.protocol)) throw refused(member, 'must begin with https://');
  if (url.username !== '' || url.password !== '') throw refused(member, 'must not have a user or a password');
  const refusal = CALLED.includes(member) ? refusesToFetch(url) : undefined;
  if (refusal !== undefined) throw refused(member, `cannot be called: ${refusal}`);
  return text;
}

function keysIn(member: string, value: unknown): Body {
  const keys = isTable(value) ? value.keys : undefined;
  if (!Array.isArray(keys) || !keys.every(isKey)) throw refused(member, 'must be a JSON Web Key Set');
  if (keys.length > MOST) throw refused(member, `must have ${MOST} keys or fewer`);
  return { keys };
}

/** No member of a key is deeper than a list of texts (`x5c`). */
function isKey(value: unknown): boolean {
  const isPlain = (part: unknown) => ['string', 'number', 'boolean'].includes(typeof part);
  return isTable(value) && Object.values(value).flat().every(isPlain);
}

/** Applications on a person's machine rarely say so, and could then not choose a port (RFC 8252, 7.3). */
function kindOf({ application_type: type, redirect_uris: uris }: Body): Body {
  const registered = textsOf(uris);
  return type === undefined && registered.length > 0 && areNative(registered)
    ? { application_type: 'native' }
    : {};
}

/** Of those that it asks for, what it may have; all of that where nothing is left. */
function scopeOf({ scope = '' }: Body, { scopes }: Policy): string {
  const asked = String(scope).split(' ');
  const left = scopes.filter((name) => asked.includes(name));
  return (left.length > 0 ? left : scopes).join(' ');
}

function refused(member: string, message: string): RegistrationRefused {
  return new RegistrationRefused('invalid_client_metadata', `${member} ${message}`);
}

/**
 * What a client would be refused for. The provider judges a client's metadata whenever it uses them, long after
 * an operator has written them down; the judge asks the same code (`validate`) before they are stored, so that
 * the two cannot differ. Beside it stand Portico's own rules, about what the provider takes and no request can use.
 */
import { errors } from 'oidc-provider';
import type { Issue } from '../../config/issues.ts';
import { type ClientRecord, TOKEN_EXCHANGE } from '../../model/client.ts';
import { type Json, textsOf } from '../../model/json.ts';
import { profileIssues } from '../profiles/fapi2.ts';
import { metadataOf } from './clients.ts';
import { keyIssues } from './judge-keys.ts';
import { type SectorFetch, sectorIssues } from './judge-sector.ts';

type Metadata = Record<string, Json>;

export interface ClientRules {
  /** Rejects with InvalidClientMetadata, as every request of the client would. */
  validate(metadata: Metadata): Promise<void>;
  /** Those that a client may have in `scope`. */
  scopes(): readonly string[];
  /** Why the server would not call a URL; undefined: it would. */
  refusesToFetch(url: URL): string | undefined;
  /** Guarded against SSRF. */
  readonly fetch: SectorFetch;
}

/** Every issue, with its path in the client's metadata; none: the client can be used. */
export async function judgeClient(record: ClientRecord, rules: ClientRules): Promise<Issue[]> {
  const { profile: _judged, ...metadata } = metadataOf(record);
  const own = [
    ...ownIssues(record, rules),
    ...profileIssues(metadataOf(record)),
    ...keyIssues(record.metadata),
  ];
  for await (const issue of sectorIssues(record.metadata, rules.fetch)) own.push(issue);
  const named = new Set(own.map(({ path }) => path));
  const provider = await providerIssues(metadata, rules);
  const isTold = ({ path }: Issue) => provider.some((issue) => issue.path.startsWith(`${path}.`));
  // The provider asks for a secret also because of a symmetric algorithm, which is the issue then.
  if (isSecretless(methodOf(record.metadata)) || named.has('token_endpoint_auth_method'))
    named.add('client_secret');
  return [...own.filter((issue) => !isTold(issue)), ...provider.filter(({ path }) => !named.has(path))];
}

function methodOf({ token_endpoint_auth_method: method = 'client_secret_basic' }: Metadata): Json {
  return method;
}

function isSecretless(method: Json): boolean {
  return !String(method).startsWith('client_secret');
}

function* ownIssues(
  { metadata, secretHash, introspects, revokes, registered, firstParty }: ClientRecord,
  rules: Pick<ClientRules, 'scopes' | 'refusesToFetch'>,
): Iterable<Issue> {
  const method = methodOf(metadata);
  const grants = textsOf(metadata.grant_types ?? ['authorization_code']);
  const responses = textsOf(metadata.response_types ?? ['code']);
  if (secretHash !== undefined && isSecretless(method)) {
    yield { path: 'client_secret', message: `must not be set for token_endpoint_auth_method ${method}` };
  }
  if (registered !== undefined && firstParty) {
    yield { path: 'first_party', message: 'must not be set: the client registered itself' };
  }
  if (method === 'none' && introspects.length + revokes.length > 0) {
    yield { path: '', message: 'must have a client_secret to introspect or revoke others’ tokens' };
  }
  if (grants.includes('authorization_code') && !responses.includes('code')) {
    yield { path: 'response_types', message: 'must have code for the grant type authorization_code' };
  }
  yield* exchangeIssues(metadata, { grants, isStranger: method === 'none' && !firstParty });
  const { scope, default_scope: asked } = metadata;
  if (typeof scope === 'string' && typeof asked === 'string') {
    const left = asked
      .split(' ')
      .filter((name) => rules.scopes().includes(name) && !scope.split(' ').includes(name));
    if (left.length > 0)
      yield { path: 'default_scope', message: `must not have ${left.join(', ')}: scope lacks it` };
  }
  const { backchannel_logout_uri: logout } = metadata;
  const url = typeof logout === 'string' ? URL.parse(logout) : null;
  const refusal = url && rules.refusesToFetch(url);
  if (refusal) {
    const message = `must be a URL that the server may call: ${refusal}`;
    yield { path: 'backchannel_logout_uri', value: JSON.stringify(logout), message };
  }
  if (url?.hash) yield { path: 'backchannel_logout_uri', message: 'must not have a fragment' };
  for (const list of ['redirect_uris', 'post_logout_redirect_uris']) {
    for (const [place, uri] of textsOf(metadata[list]).entries()) {
      const { host = '', pathname = '' } = URL.parse(uri) ?? {};
      if (!`${host}${pathname}`.includes('*')) continue;
      const message = 'must not have a wildcard: a request must name the very URI that is registered';
      yield { path: `${list}.${place}`, value: JSON.stringify(uri), message };
    }
  }
}

/** Of token exchange (exchange/): what no request could use. */
function* exchangeIssues(
  metadata: Metadata,
  { grants, isStranger }: { grants: readonly string[]; isStranger: boolean },
): Iterable<Issue> {
  const members = [metadata.exchanges, metadata.exchanges_to].flatMap(textsOf);
  const mayExchange = grants.includes(TOKEN_EXCHANGE);
  if (mayExchange && members.length === 0) {
    yield {
      path: 'exchanges',
      message: `must name a dialect or an API for the grant type ${TOKEN_EXCHANGE}`,
    };
  }
  if (!mayExchange && members.length > 0) {
    yield { path: 'grant_types', message: `must have ${TOKEN_EXCHANGE} for exchanges` };
  }
  if (mayExchange && isStranger) {
    yield {
      path: 'grant_types',
      message: `must not have ${TOKEN_EXCHANGE}: the client is public, and not first-party`,
    };
  }
  if (textsOf(metadata.exchanges_to).length > 0 && metadata.dpop_bound_access_tokens === true) {
    yield {
      path: 'exchanges_to',
      message: 'must be empty for dpop_bound_access_tokens: dialects have bearer tokens',
    };
  }
  if (metadata.exchanges_offline === true && !grants.includes('refresh_token')) {
    yield { path: 'grant_types', message: 'must have refresh_token for exchanges_offline' };
  }
}

/** The provider stops at the first issue; what it names is repaired, and it is asked again. */
async function providerIssues(metadata: Metadata, rules: ClientRules): Promise<Issue[]> {
  const issues: Issue[] = [];
  const repaired = new Set<string>();
  for (let present = metadata; ; ) {
    const refusal = await refusalOf(present, rules);
    // A member that stays wrong without its value follows from one that is told already.
    if (refusal === undefined || repaired.has(`${refusal.member} ${refusal.message}`)) return issues;
    const { member, message, path = member } = refusal;
    repaired.add(`${member} ${message}`);
    const wrong = await wrongElements(present, refusal, rules);
    for (const text of wrong) {
      const place = elementsOf(metadata, member).indexOf(text);
      const at = member === 'scope' ? member : `${member}.${place}`;
      issues.push({ path: at, value: JSON.stringify(text), message });
    }
    if (wrong.length === 0) issues.push({ path, ...shown(member, present[member]), message });
    present = without(present, member, wrong);
  }
}

interface Refusal {
  readonly member: string;
  /** Where it is deeper than the member. */
  readonly path?: string;
  readonly message: string;
}

async function refusalOf(metadata: Metadata, rules: ClientRules): Promise<Refusal | undefined> {
  try {
    await rules.validate(metadata);
    return undefined;
  } catch (error) {
    if (!(error instanceof errors.InvalidClientMetadata)) throw error;
    const { cause } = error;
    const deeper = cause instanceof Error && /^jwks\.keys\[/.test(cause.message) ? cause.message : undefined;
    return inOurWords(deeper ?? error.error_description ?? error.message, rules);
  }
}

/** The provider's sentences begin with the member. Most say what is allowed; the others are told here. */
function inOurWords(sentence: string, { scopes }: ClientRules): Refusal {
  const key = /^(jwks)\.keys\[(\d+)\]\.?(\S*) (.*)$/.exec(sentence);
  if (key) {
    const [, member = '', place, part, message = ''] = key;
    return { member, path: [member, 'keys', place, part].filter(Boolean).join('.'), message };
  }
  const words: readonly (readonly [RegExp, string])[] = [
    [
      /^redirect_uris (?:is mandatory.*|must contain members)$/,
      'redirect_uris must have at least one URI for the authorization code flow',
    ],
    [
      /^jwks or jwks_uri is mandatory.*$/,
      'jwks or jwks_uri must be set: the client has keys or certificates of its own',
    ],
    [
      /^client JSON Web Key Set is invalid$/,
      'jwks must be a JSON Web Key Set: a table with a list of public keys',
    ],
    [/^scope must only contain .*$/, `scope must only have ${scopes().join(', ')}`],
    [/^invalid (\S+) value$/, '$1 must have printable ASCII characters only'],
    [
      /^sector_identifier_uri is mandatory property$/,
      'sector_identifier_uri must be set for pairwise subjects with the device flow or redirect URIs of several hosts',
    ],
    [/^jwks_uri is mandatory property$/, 'jwks_uri must be set for pairwise subjects with the device flow'],
    [
      /^pairwise \S+ clients must utilize .*$/,
      'token_endpoint_auth_method must be private_key_jwt for pairwise subjects with the device flow',
    ],
    [/ is mandatory property when (\S+) is provided$/, ' must be set beside $1'],
    [/ must not be provided \(no values are allowed\)$/, ' must not be set: the server does not have this'],
    [/ is mandatory property$/, ' must be set'],
    [
      /^only one proof of possession .*$/,
      'dpop_bound_access_tokens must not stand beside tls_client_certificate_bound_access_tokens',
    ],
    [
      /^tls_client_auth requires one .*$/,
      'tls_client_auth_subject_dn or another of tls_client_auth_* must say whose certificate it is',
    ],
    [
      /^only one tls_client_auth .*$/,
      'tls_client_auth_subject_dn must not stand beside another of tls_client_auth_*',
    ],
    [
      / must only contain web uris$/,
      ' must begin with https:// or http://, or the client be of application_type native',
    ],
    [/ can only contain /, ' must be '],
    [/ contain(?:s)? fragments$/, ' have a fragment'],
  ];
  const said = words.reduce((text, [pattern, ours]) => text.replace(pattern, ours), sentence);
  const [, member = '', message = said] = /^([a-z_]+) (.*)$/.exec(said) ?? [];
  return { member, message };
}

/** Of a list, those elements that are refused by themselves. */
async function wrongElements(metadata: Metadata, { member, message }: Refusal, rules: ClientRules) {
  const wrong: string[] = [];
  for (const text of elementsOf(metadata, member)) {
    const alone = { ...metadata, [member]: member === 'scope' ? text : [text] };
    const refusal = await refusalOf(alone, rules);
    if (refusal?.member === member && refusal.message === message) wrong.push(text);
  }
  return wrong;
}

function elementsOf(metadata: Metadata, member: string): readonly string[] {
  const value = metadata[member];
  return member === 'scope' && typeof value === 'string' ? value.split(' ') : textsOf(value);
}

/** What the member must have for the rest to be judged. */
const STAND_INS: Readonly<Record<string, Json>> = {
  redirect_uris: ['https://client.example/callback'],
  client_secret: 'stands-in-for-a-secret',
  jwks: { keys: [] },
  tls_client_auth_subject_dn: 'CN=stands in',
  sector_identifier_uri: 'https://client.example/sector',
  userinfo_signed_response_alg: 'RS256',
};

function without(metadata: Metadata, member: string, wrong: readonly string[]): Metadata {
  const { [member]: _wrong, ...rest } = metadata;
  const left = elementsOf(metadata, member).filter((text) => !wrong.includes(text));
  if (left.length > 0 && wrong.length > 0) {
    return { ...rest, [member]: member === 'scope' ? left.join(' ') : left };
  }
  const standIn = STAND_INS[member];
  return standIn === undefined ? rest : { ...rest, [member]: standIn };
}

/** The metadata have a secret's hash, and that is not shown either. */
function shown(member: string, value: Json | undefined) {
  return typeof value === 'string' && member !== 'client_secret' ? { value: JSON.stringify(value) } : {};
}

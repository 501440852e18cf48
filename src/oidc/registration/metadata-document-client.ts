/**
 * The client that a client ID metadata document describes (draft-ietf-oauth-client-id-metadata-document, section 4).
 * What the document says is a stranger's claim: members that Portico adds to clients are never taken from it, and
 * what proves nothing (a logo) or makes the server call out (a logout URI) is left out.
 */
import { z } from 'zod';
import type { ClientRecord } from '../../model/client.ts';
import type { Json } from '../../model/json.ts';
import { takeClientName } from './client-name.ts';
import { isLoopback } from './redirect-uris.ts';

export interface DocumentSettings {
  readonly hosts: 'any' | readonly string[];
  readonly organization?: string | undefined;
  /** Of signing in. */
  readonly scopes: readonly string[];
}

/** Characters of a `client_id`. */
const LONGEST = 512;

/**
 * The URL of a document that clients may be named by; undefined: this `client_id` is none. It is written as every
 * program writes it, so that one document has one name: no dot segments, no default port, no capitals in the host.
 */
export function documentUrl(clientId: string, { hosts }: Pick<DocumentSettings, 'hosts'>): URL | undefined {
  if (!clientId.startsWith('https://') || clientId.length > LONGEST) return undefined;
  const url = URL.parse(clientId);
  if (url?.href !== clientId || clientId.includes('#') || url.username !== '' || url.password !== '') {
    return undefined;
  }
  return hosts === 'any' || hosts.includes(url.host) ? url : undefined;
}

const word = z.string().max(100);
/** Browsers read a backslash as a slash, and pass over line breaks. */
const uri = z
  .string()
  .max(LONGEST)
  .regex(/^[!-[\]-~]+$/, 'must be a URI');
const never = z.never('must not be in a document that everyone can read').optional();
const key = z.record(z.string(), z.union([z.string().max(4096), z.array(z.string().max(4096)).max(10)]));

/** Everything else is passed over (RFC 7591, 2). */
const form = z.object({
  client_id: uri,
  client_name: z.string().max(500).optional(),
  client_uri: uri.optional(),
  policy_uri: uri.optional(),
  tos_uri: uri.optional(),
  redirect_uris: z.array(uri).min(1).max(20),
  grant_types: z.array(word).max(20).optional(),
  response_types: z.array(word).max(20).optional(),
  token_endpoint_auth_method: z.enum(['none', 'private_key_jwt']).default('none'),
  token_endpoint_auth_signing_alg: word.optional(),
  jwks: z.object({ keys: z.array(key).max(10) }).optional(),
  jwks_uri: uri.optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  client_secret: never,
  client_secret_expires_at: never,
});

type Document = z.output<typeof form>;

const GRANTS: readonly string[] = ['authorization_code', 'refresh_token'];

/** The client, or what is wrong with its document. */
export function clientOfDocument(
  url: URL,
  text: string,
  { organization = '', scopes }: DocumentSettings,
): ClientRecord | string {
  const parsed = form.safeParse(jsonOf(text));
  if (!parsed.success) {
    const { path = [], message = '' } = parsed.error.issues[0] ?? {};
    // Deeper than that the names are the stranger's words, which would stand on a page of this server.
    const place = path.slice(0, 3).join('.');
    return path.length === 0 ? 'it must be a JSON object' : `${place}: ${message}`;
  }
  const document = parsed.data;
  const wrong = issueOf(url, document);
  if (wrong !== undefined) return wrong;
  return {
    clientId: url.href,
    organization,
    ...{ allOrganizations: false, firstParty: false, unregistered: true, introspects: [], revokes: [] },
    metadata: metadataOf(url, document, scopes),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function issueOf(url: URL, document: Document): string | undefined {
  if (document.client_id !== url.href) return 'client_id must be the URL of the document, to the character';
  const foreign = document.redirect_uris.findIndex((text) => !isOfClient(url, text));
  if (foreign !== -1) {
    return `redirect_uris.${foreign} must have the origin of the document, or be http on the loopback address`;
  }
  const { grant_types: grants = ['authorization_code'], jwks_uri: keys } = document;
  if (!grants.includes('authorization_code')) return 'grant_types must have authorization_code';
  if (keys !== undefined && URL.parse(keys)?.origin !== url.origin) {
    return 'jwks_uri must have the origin of the document';
  }
  return undefined;
}

function isOfClient({ origin }: URL, text: string): boolean {
  const redirect = URL.parse(text);
  if (redirect === null || redirect.username !== '' || redirect.password !== '') return false;
  return redirect.origin === origin || isLoopback(redirect);
}

function metadataOf(url: URL, document: Document, scopes: readonly string[]): Record<string, Json> {
  const { grant_types: grants = ['authorization_code'], redirect_uris: redirects } = document;
  const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: algorithm } = document;
  const links = (['client_uri', 'policy_uri', 'tos_uri'] as const).flatMap((name) => {
    const link = document[name];
    // The host is what the client has proven; a link to another one would lend it that one's name.
    return link !== undefined && URL.parse(link)?.origin === url.origin ? [[name, link] as const] : [];
  });
  // A program that listens on the loopback address takes any port (RFC 8252, 7.3).
  const isNative = redirects.some((text) => isLoopback(new URL(text)));
  return {
    client_name: nameOf(url, document),
    ...Object.fromEntries(links),
    redirect_uris: redirects,
    application_type: isNative ? 'native' : 'web',
    grant_types: grants.filter((grant) => GRANTS.includes(grant)),
    response_types: ['code'],
    token_endpoint_auth_method: method,
    ...(method === 'private_key_jwt' && {
      ...(algorithm !== undefined && { token_endpoint_auth_signing_alg: algorithm }),
      ...(document.jwks !== undefined && { jwks: document.jwks }),
      ...(document.jwks_uri !== undefined && { jwks_uri: document.jwks_uri }),
    }),
    ...(document.dpop_bound_access_tokens === true && { dpop_bound_access_tokens: true }),
    scope: scopes.join(' '),
  };
}

/** Wherever people read of the client, its host comes first: the name is a claim, and may be another app's. */
function nameOf({ host }: URL, { client_name: name = '' }: Document): string {
  const seen = name.replace(/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]+/gu, ' ').trim();
  const claimed = takenName([...seen].slice(0, 60).join(''));
  return claimed === '' ? host : `${host} (${claimed})`;
}

/** Empty where no client could register it. */
function takenName(name: string): string {
  try {
    return takeClientName(name);
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}

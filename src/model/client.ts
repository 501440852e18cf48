import { type Json, textsOf } from './json.ts';

/** The grant type of the device flow (RFC 8628, 3.4). */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code';

/** The grant type of token exchange (RFC 8693, 2.1). */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** An OAuth client. `metadata` holds RFC 7591 names without the secret. */
export interface ClientRecord {
  readonly clientId: string;
  organization: string;
  /** HMAC-SHA256 of the secret under the server's key; absent for public clients. */
  secretHash?: string;
  /** The secret before it, which is accepted too until its end (an ISO 8601 time). */
  oldSecret?: { readonly hash: string; readonly until: string };
  allOrganizations: boolean;
  firstParty: boolean;
  introspects: string[];
  revokes: string[];
  /** The client is known by its metadata document alone: consent at every sign-in, and only the APIs' open scopes. */
  unregistered?: true;
  /** The client of a dialect: refused at /authorize and /token. */
  dialect?: string;
  /** The identifier of the API that asks about tokens as this client. Never stored: the API's own record says it. */
  api?: string;
  /** Set where the client registered itself. */
  registered?: Registration;
  metadata: Record<string, Json>;
}

/** How a client registered itself (RFC 7591). */
export interface Registration {
  /** An ISO 8601 time. */
  readonly at: string;
  /** The initial access token that it came with. */
  readonly token?: string;
  /** What that token allows its clients, instead of the configuration. */
  readonly limits?: RegistrationLimits;
}

export interface RegistrationLimits {
  readonly scopes?: readonly string[];
  readonly grantTypes?: readonly string[];
  /** The scopes that they are granted, by the identifier of their API. */
  readonly apis?: Readonly<Record<string, readonly string[]>>;
  /** Where their redirect URIs may lead. */
  readonly redirectHosts?: readonly string[];
}

/** Whose people sign in to a client. */
export interface Serving {
  readonly organization: string;
  /** Beside its own. */
  readonly organizations: readonly string[] | 'all';
}

export function servingOf({ organization, metadata }: ClientRecord): Serving {
  return { organization, organizations: organizationsIn(metadata.organizations) };
}

export function organizationsIn(member: unknown): Serving['organizations'] {
  return member === 'all' ? 'all' : textsOf(member);
}

export function servesOrganization({ organization, organizations }: Serving, id: string): boolean {
  return id === organization || organizations === 'all' || organizations.includes(id);
}

/** The scopes that a client was granted, by the identifier of their API. */
export function grantsOf({ metadata: { apis } }: Pick<ClientRecord, 'metadata'>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(apis ?? {}).map(([api, scopes]) => [api, textsOf(scopes)]));
}

/** The client with exactly these scopes of an API; undefined: it has no grant for it, nor as its default. */
export function withGrant(
  client: ClientRecord,
  identifier: string,
  { scopes, isDefault = false }: { scopes: string[] | undefined; isDefault?: boolean },
): ClientRecord {
  const { [identifier]: _before, ...others } = grantsOf(client);
  const { default_api: before, ...rest } = client.metadata;
  const means = isDefault ? identifier : before;
  const keeps = means !== undefined && (scopes !== undefined || means !== identifier);
  const apis = { ...others, ...(scopes && { [identifier]: scopes }) };
  return { ...client, metadata: { ...rest, apis, ...(keeps && { default_api: means }) } };
}

/** OAuth clients as the provider sees them, and what Portico adds to them. */
import type { Client } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import { type Secrets, sameText } from '../../core/crypto.ts';
import { keepFresh } from '../../core/keep-fresh.ts';
import { type ClaimMapping, claimMapping } from '../../model/claim-mapping.ts';
import { type ClientRecord, organizationsIn } from '../../model/client.ts';
import { type FactorPolicy, policyIn } from '../../model/factors.ts';
import { type Json, textsOf } from '../../model/json.ts';
import type { ClientStore, OrganizationStore } from '../../store/ports/installation.ts';
import { profileDefaults } from '../profiles/fapi2.ts';
import type { ProviderContext } from '../provider/context.ts';
import { findAccountClient } from './account-client.ts';

/** What a client is besides RFC 7591. */
export interface ClientTraits {
  readonly organization: string;
  /** Whose people sign in to it besides. */
  readonly organizations: readonly string[] | 'all';
  /** How a page asks for the organization: by the person's address, or by a list of names. */
  readonly chooseOrganization: 'email' | 'list';
  readonly allOrganizations: boolean;
  readonly firstParty: boolean;
  /** It is known by its metadata document alone (registration/metadata-document.ts). */
  readonly unregistered: boolean;
  /** Whether people may open accounts on the way to it; undefined: as the organization says. */
  readonly registration: boolean | undefined;
  /** How its sign-in page begins; undefined: as the organization says. */
  readonly signIn: 'password' | 'name-first' | undefined;
  /** What it asks of its people, beside their organization. */
  readonly factors: FactorPolicy | undefined;
  readonly introspects: readonly string[];
  readonly revokes: readonly string[];
  /** The dialects (by name) and APIs (by identifier) whose tokens it may exchange for its own. */
  readonly exchanges: readonly string[];
  /** The dialects for whose tokens it may exchange its own. */
  readonly exchangesTo: readonly string[];
  /** An exchange of a dialect's token may give it a refresh token. */
  readonly exchangesOffline: boolean;
  /** Ending what it exchanged ends the sign-in that the token was of. */
  readonly endsParent: boolean;
  /** The dialect whose client this is. */
  readonly dialect: string | undefined;
  /** The scopes that it was granted, by the identifier of their API. */
  readonly apis: ReadonlyMap<string, readonly string[]>;
  /** The identifier of the API that it means where it names none; undefined: as the organization says. */
  readonly defaultApi: string | undefined;
  /** The identifier of the API that this is, where it is one. */
  readonly api: string | undefined;
  /** Its ID tokens have the claims of the granted scopes too, and not UserInfo alone. */
  readonly idTokenClaims: boolean;
  /** Its claims under names of the operator's choice. */
  readonly claims: ClaimMapping;
  /** Web origins that may read answers to it, besides those of its redirect URIs. */
  readonly allowedOrigins: readonly string[];
  /** Each of its refresh tokens is good for one use. */
  readonly rotatesRefreshTokens: boolean;
  /** What a request without scope asks for. */
  readonly defaultScope: string | undefined;
  /** It registered itself (registration/registration.ts). */
  readonly registered: boolean;
}

/** The members that Portico adds to the provider's client metadata. */
export const CLIENT_TRAITS = [
  'old_secret',
  'organization',
  'organizations',
  'choose_organization',
  'all_organizations',
  'first_party',
  'unregistered',
  'registration',
  'sign_in',
  'factors',
  'introspects',
  'revokes',
  'exchanges',
  'exchanges_to',
  'exchanges_offline',
  'ends_parent',
  'dialect',
  'apis',
  'default_api',
  'api',
  'id_token_claims',
  'claims',
  'allowed_origins',
  'rotate_refresh_tokens',
  'default_scope',
  'profile',
  'registered',
] as const;

/** The provider's fragment modes would put the code where every script of the page can read it. */
export const RESPONSE_MODES = ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'] as const;

export type ClientRegistry = ReturnType<typeof createClientRegistry>;

export function createClientRegistry({
  store,
  clock,
  apis,
  documents,
  ...own
}: {
  store: ClientStore;
  clock: Clock;
  /** For the clients that are stored nowhere (account-client.ts). */
  organizations: Pick<OrganizationStore, 'byId'>;
  issuer: string;
  /** APIs that authenticate as clients do. */
  apis: { client(id: string): Promise<ClientRecord | undefined> };
  /** Clients that are named by the URL of their document (registration/metadata-document.ts). */
  documents: {
    kept(id: string): Promise<ClientRecord | undefined>;
    find(id: string, ctx: ProviderContext): Promise<ClientRecord | undefined>;
  };
}) {
  const record = keepFresh(
    clock,
    async (clientId) =>
      (await findAccountClient(clientId, own)) ??
      (await documents.kept(clientId)) ??
      (await store.byId(clientId)) ??
      (await apis.client(clientId)),
  );
  return {
    record,
    /** The next look-up reads the store. */
    forget: record.forget,
    forgotten: record.forgotten,
    /**
     * RFC 7591 names with ours; the secret is its hash. Undefined: unknown. `ctx`: the request that is running; its
     * client's document is fetched.
     */
    async metadata(clientId: string, ctx?: ProviderContext) {
      const result = (ctx && (await documents.find(clientId, ctx))) ?? (await record(clientId));
      return result && metadataOf(result);
    },
  };
}

/** A client as the provider sees it. */
export function metadataOf(record: ClientRecord): Record<string, Json> {
  const { client_secret: _never, api: _neither, ...metadata } = record.metadata;
  const dialect = record.dialect !== undefined;
  const { grant_types: grants, redirect_uris: uris = [] } = metadata;
  return {
    // The provider's default, `code`, would refuse a client that has no use for the code flow.
    ...(grants !== undefined &&
      !textsOf(grants).includes('authorization_code') &&
      textsOf(uris).length === 0 && { response_types: [] }),
    ...profileDefaults(metadata),
    // A dialect's client has no way of its own to a token: refused at /authorize and /token.
    ...(dialect && {
      redirect_uris: [],
      response_types: [],
      grant_types: [],
      token_endpoint_auth_method: 'none',
    }),
    ...(dialect ? { client_name: metadata.client_name ?? record.clientId } : metadata),
    client_id: record.clientId,
    response_modes: [...RESPONSE_MODES],
    ...(record.secretHash !== undefined && { client_secret: record.secretHash }),
    ...(record.oldSecret !== undefined && { old_secret: { ...record.oldSecret } }),
    organization: record.organization,
    all_organizations: record.allOrganizations,
    first_party: record.firstParty,
    ...(record.unregistered && { unregistered: true }),
    introspects: record.introspects,
    revokes: record.revokes,
    ...(record.registered !== undefined && {
      registered: true,
      client_id_issued_at: secondsOf(record.registered.at),
    }),
    ...(record.dialect !== undefined && { dialect: record.dialect }),
    ...(record.api !== undefined && { api: record.api }),
  };
}

/** An attacker may have made it: by a metadata document, or by registering it. */
export function isUnknownToOperators({ unregistered, registered }: ClientTraits): boolean {
  return unregistered || registered;
}

function secondsOf(time: string | Date): number {
  return Math.floor(new Date(time).getTime() / 1000);
}

/** A client never changes: another record makes another one. */
const traits = new WeakMap<Client, ClientTraits>();

export function traitsOf(client: Client): ClientTraits {
  const known = traits.get(client) ?? readTraits(client);
  traits.set(client, known);
  return known;
}

function readTraits(client: Client): ClientTraits {
  const member = (name: (typeof CLIENT_TRAITS)[number]): unknown => Reflect.get(client, name);
  const [registration, signIn] = [member('registration'), member('sign_in')];
  const text = (name: (typeof CLIENT_TRAITS)[number]) => {
    const value = member(name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    organization: String(member('organization')),
    organizations: organizationsIn(member('organizations')),
    chooseOrganization: member('choose_organization') === 'list' ? 'list' : 'email',
    allOrganizations: member('all_organizations') === true,
    firstParty: member('first_party') === true,
    unregistered: member('unregistered') === true,
    registration: typeof registration === 'boolean' ? registration : undefined,
    signIn: signIn === 'password' || signIn === 'name-first' ? signIn : undefined,
    // Judged when it was stored; a client that registers itself cannot have any.
    factors: policyIn({ factors: member('factors') }),
    introspects: textsOf(member('introspects')),
    revokes: textsOf(member('revokes')),
    exchanges: textsOf(member('exchanges')),
    exchangesTo: textsOf(member('exchanges_to')),
    exchangesOffline: member('exchanges_offline') === true,
    endsParent: member('ends_parent') === true,
    dialect: text('dialect'),
    apis: new Map(Object.entries(member('apis') ?? {}).map(([api, scopes]) => [api, textsOf(scopes)])),
    defaultApi: text('default_api'),
    api: text('api'),
    idTokenClaims: member('id_token_claims') === true,
    claims: claimMapping(member('claims')),
    allowedOrigins: textsOf(member('allowed_origins')),
    rotatesRefreshTokens: member('rotate_refresh_tokens') !== false,
    defaultScope: text('default_scope'),
    registered: member('registered') !== undefined,
  };
}

/**
 * Whether it is a secret of the client: its own, or the one before it until that ends. It ends by the second, since
 * answers are kept within one (fast-path/kept-route.ts).
 */
export function isSecretOf(
  client: Client,
  secret: string,
  { secrets, now }: { secrets: Secrets; now: Date },
) {
  const hash = secrets.hmac('client-secret', secret);
  const old = Object(Reflect.get(client, 'old_secret' satisfies (typeof CLIENT_TRAITS)[number]));
  const isOwn = sameText(hash, client.clientSecret ?? '');
  const isOld = sameText(hash, String(old.hash ?? ''));
  return isOwn || (isOld && secondsOf(String(old.until)) > secondsOf(now));
}

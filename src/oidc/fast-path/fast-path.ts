/**
 * The fast path: answers that the provider gives thousands of times a second, made without its middleware. Each route
 * knows the commonest form of its request and leaves every other form, every refusal and every client or token with
 * something unusual to the provider. Records are verified and judged by the provider's own models;
 * test/oidc/fast-path holds both ways against each other, byte for byte.
 */
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import type { Secrets } from '../../core/crypto.ts';
import type { Watch } from '../../core/kept-answers.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { Consents } from '../access/consents.ts';
import type { CookieSettings } from '../access/cookies.ts';
import type { ApiDeps } from '../apis/resource-indicators.ts';
import { createTokenClaims } from '../apis/token-claims.ts';
import { createAccountFinder } from '../clients/claims.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { FactorDeps } from '../clients/factors.ts';
import type { TokenRights } from '../clients/token-permissions.ts';
import type { FastRoute } from '../fast-path-contract.ts';
import type { PrivateKey } from '../persistence/private-key.ts';
import type { OidcRecords } from '../persistence/records.ts';
import type { KeyAlgorithm } from '../persistence/signing-keys.ts';
import type { AuditLine } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import type { Rotations } from '../tokens/refresh-rotation.ts';
import { beginningRoute } from './begun.ts';
import { type Documents, documentRoute } from './documents.ts';
import { introspectionRoute } from './introspection.ts';
import { keptModels } from './kept-models.ts';
import { resumptionRoute } from './resumed.ts';
import { tokenRoute } from './token.ts';
import { unlessRefused } from './unless-refused.ts';
import { userinfoRoute } from './userinfo.ts';

export type FastPathDeps = ReturnType<typeof fastPathDeps>;

interface ServerParts extends ApiDeps, FactorDeps {
  readonly accounts: AccountStore;
  readonly clients: ClientRegistry;
  readonly oidcRecords: OidcRecords;
  readonly rights: TokenRights;
  readonly consents: Pick<Consents, 'recall'>;
  readonly cookies: CookieSettings;
  readonly secrets: Secrets;
  /** Absent where the store is another process. */
  readonly watch?: Watch | undefined;
  readonly line: AuditLine;
  readonly issuer: string;
  /** Counts a sign-in that is begun; what it resolves with takes the count back. */
  readonly strangers: { count(what: 'signIns', address: string): Promise<() => Promise<void>> };
  readonly registration: { use(client: Client): void };
  readonly rotations: Rotations;
  /** Seconds in which a refresh token may be tried again. */
  readonly leeway: number;
}

interface Build {
  readonly provider: Provider;
  readonly documents: Documents;
  /** Those that the provider knows, whatever the API. */
  readonly scopes: ReadonlySet<string>;
  signingKey(alg: KeyAlgorithm): PrivateKey;
}

/** How the addresses of sign-ins begin: a query follows, or the id of a sign-in. */
const [BEGINNING, RESUMPTION] = [`${ROUTES.authorization}?`, `${ROUTES.authorization}/`];

/** The method and the path by which a route is found. */
export function routeKey(method: string, url: string): string {
  const known = [BEGINNING, RESUMPTION].find((each) => url.startsWith(each));
  return `${method} ${known ?? url}`;
}

/** By method and path, on one build of the provider. */
export function fastRoutes(server: ServerParts, build: Build): ReadonlyMap<string, FastRoute> {
  const { documents } = build;
  const deps = fastPathDeps(server, build);
  return new Map([
    ...documents.paths.map((path) => [`GET ${path}`, documentRoute(path, documents)] as const),
    [`GET ${BEGINNING}`, beginningRoute(deps)],
    [`GET ${RESUMPTION}`, resumptionRoute(deps)],
    [`POST ${ROUTES.token}`, tokenRoute(deps)],
    [`POST ${ROUTES.introspection}`, introspectionRoute(deps)],
    [`GET ${ROUTES.userinfo}`, userinfoRoute(deps)],
  ]);
}

function fastPathDeps(server: ServerParts, { provider, scopes, signingKey }: Build) {
  const { rolesAliases } = server.config.oidc;
  return {
    ...{ ...server, provider, scopes, signingKey },
    models: keptModels(provider, server.oidcRecords),
    tokenClaims: createTokenClaims(server),
    findAccount: createAccountFinder({ ...server, rolesAliases }),
    findClient: (id: string): Promise<Client | undefined> => unlessRefused(provider.Client.find(id)),
  };
}

/** oidc-provider's configuration: what it asks for in one object, by subject. */
import type { Client, Configuration } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { AnonymousBudgets } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import { sessionLifetime } from '../access/browser-session.ts';
import type { Consents } from '../access/consents.ts';
import { type CookieSettings, cookieNames } from '../access/cookies.ts';
import { CLAIMS_BY_SCOPE, createAccountFinder } from '../clients/claims.ts';
import { CLIENT_TRAITS, type ClientRegistry } from '../clients/clients.ts';
import { createTokenRights, type TokenRights } from '../clients/token-permissions.ts';
import { ACR, type DialectsAsked } from '../contract.ts';
import { createGrantLoader } from '../interactions/load-existing-grant.ts';
import { createInteractionPolicy } from '../interactions/policy.ts';
import type { ProviderPages } from '../page-contract.ts';
import { createAdapterFactory } from '../persistence/adapter.ts';
import type { OidcRecords } from '../persistence/records.ts';
import { type Keyring, providerKeys } from '../persistence/signing-keys.ts';
import { ROUTES } from '../provider/routes.ts';
import { DIALECT_GRANT } from '../tokens/dialect-grant.ts';
import type { Rotations } from '../tokens/refresh-rotation.ts';
import { answerUnavailable, auditLine, type EventDeps } from './audit-events.ts';
import type { DeviceDeps } from './device-flow.ts';
import { ASSERTION_ALGORITHMS, discoveryMetadata } from './discovery.ts';
import { renderError } from './error-answers.ts';
import { features } from './features.ts';
import type { OutboundFetch } from './outbound-fetch.ts';
import { reusedAt, tokenEnder } from './token-reuse.ts';

export interface ProviderDeps extends EventDeps {
  readonly config: Config;
  readonly issuer: string;
  readonly accounts: AccountStore;
  readonly leases: LeaseStore;
  readonly oidcRecords: OidcRecords;
  readonly clients: ClientRegistry;
  readonly consents: Consents;
  readonly rotations: Rotations;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly cookieKeys: readonly string[];
  readonly cookies: CookieSettings;
  readonly pages: ProviderPages;
  readonly attempts: DeviceDeps['attempts'];
  readonly strangers: AnonymousBudgets;
  readonly fetch: OutboundFetch;
  readonly dialects: DialectsAsked;
}

export function configuration(deps: ProviderDeps, ring: Keyring): Configuration {
  const { config, issuer, cookies } = deps;
  return {
    ...PROTOCOL,
    ...storage(deps),
    ...people(deps),
    ...tokens(deps),
    ...clientRules(config),
    jwks: providerKeys(ring),
    routes: ROUTES,
    features: features({ config, device: deps, rights: rightsOf(deps) }),
    cookies: { names: cookieNames(issuer), keys: [...deps.cookieKeys], long: cookies, short: cookies },
    discovery: discoveryMetadata(config),
    renderError: async (ctx, out, error) => {
      const unavailable = error instanceof StoreUnavailable;
      if (unavailable) answerUnavailable(ctx);
      await renderError(deps, ctx, {
        error: unavailable ? 'temporarily_unavailable' : out.error,
        description: out.error_description,
      });
    },
    // Called with a URL and plain options only.
    fetch: deps.fetch as NonNullable<Configuration['fetch']>,
  };
}

export function rightsOf(deps: ProviderDeps): TokenRights {
  const line = auditLine(deps);
  return createTokenRights({
    ...deps,
    refused: (ctx, what, token) =>
      line(ctx, `${what}.refused`, 'refused', { tokenClientId: token.clientId ?? null }),
  });
}

const PROTOCOL: Configuration = {
  claims: structuredClone(CLAIMS_BY_SCOPE),
  scopes: ['openid', 'offline_access'],
  acrValues: [ACR.legacy, ACR.single, ACR.stepup],
  responseTypes: ['code'],
  subjectTypes: ['public'],
  enabledJWA: {
    clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS],
    idTokenSigningAlgValues: ['ES256', 'RS256'],
    dPoPSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
  },
  allowOmittingSingleRegisteredRedirectUri: false,
  acceptQueryParamAccessTokens: false,
  conformIdTokenClaims: true,
  clockTolerance: 5,
};

function storage({ config, clients, oidcRecords, clock, ...deps }: ProviderDeps): Configuration {
  const line = auditLine(deps);
  const endTokens = tokenEnder({
    oidcRecords,
    clock,
    leeway: config.oidc.refreshReuse.leeway,
    reused: (ctx) => line(ctx, 'token.reused', 'refused'),
  });
  return { adapter: createAdapterFactory({ oidcRecords, clients, endTokens }) };
}

function people({ config, accounts, consents }: ProviderDeps): Configuration {
  return {
    interactions: {
      policy: createInteractionPolicy(),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    findAccount: createAccountFinder(accounts),
    loadExistingGrant: createGrantLoader(config.oidc.lifetimes, consents),
  };
}

function tokens({ config, clock }: ProviderDeps): Configuration {
  const { lifetimes, refreshReuse } = config.oidc;
  return {
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    // A second use ends a family, not the consent. A revoked access token ends the sign-in behind it where
    // that is all there is (dialects); elsewhere the consent outlives its tokens.
    revokeGrantPolicy: (ctx) => {
      if (reusedAt(ctx, { clock, leeway: refreshReuse.leeway }) !== undefined) return false;
      const token = ctx.oidc.entities.AccessToken;
      return !(ctx.oidc.route === 'revocation' && token && token.gty !== DIALECT_GRANT);
    },
    extraTokenClaims: async (_ctx, token) => token.extra,
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.clientCredentials,
      AuthorizationCode: lifetimes.authorizationCode,
      IdToken: lifetimes.idToken,
      Interaction: lifetimes.interaction,
      DeviceCode: lifetimes.deviceCode,
      Grant: lifetimes.grant,
      // A refresh token cannot outlive its grant, and must not promise to.
      RefreshToken: (ctx) => {
        const ends = ctx?.oidc.entities.Grant?.exp;
        const left = ends === undefined ? lifetimes.refreshToken : ends - Math.floor(Date.now() / 1000);
        return Math.max(1, Math.min(lifetimes.refreshToken, left));
      },
      Session: (_ctx, session) => sessionLifetime(session, config.sessions),
    },
  };
}

function clientRules({ oidc, http }: Config): Configuration {
  const isPublic = (client: Client) => client.tokenEndpointAuthMethod === 'none';
  return {
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
    extraClientMetadata: { properties: [...CLIENT_TRAITS] },
    // PKCE. A confidential client proves itself at the token endpoint and binds the code by its nonce (RFC 9700,
    // 2.1.1); older clients have no PKCE. A challenge that was sent is always checked.
    pkce: { required: (_ctx, client) => oidc.pkce === 'all-clients' || isPublic(client) },
    clientBasedCORS: (ctx, origin, client) => {
      if (origin === 'null') return false;
      if (http.cors.origins.includes(origin)) return true;
      const browserClient = ctx.oidc.route === 'userinfo' || isPublic(client);
      return browserClient && (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
    },
  };
}

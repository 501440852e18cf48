/** oidc-provider's configuration: what it asks for in one object, by subject. */
import { type Client, type ClientMetadata, type Configuration, errors } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { sessionLifetime } from '../access/browser-session.ts';
import { cookieNames } from '../access/cookies.ts';
import { judgeRequest } from '../apis/resource-indicators.ts';
import { createTokenClaims } from '../apis/token-claims.ts';
import { claimsByScope, createAccountFinder } from '../clients/claims.ts';
import { CLIENT_TRAITS, traitsOf } from '../clients/clients.ts';
import { createFactorJudge } from '../clients/factors.ts';
import { ENABLED_ALGORITHMS } from '../clients/jose-algorithms.ts';
import { judgeOrganization } from '../clients/organizations.ts';
import { createOriginPolicy } from '../clients/origins.ts';
import { refuseWithoutScope } from '../clients/scopes.ts';
import { subjectFor } from '../clients/subjects.ts';
import { ACR } from '../contract.ts';
import { isUsedOnce } from '../extensions/refresh-grant.ts';
import { createGrantLoader } from '../interactions/load-existing-grant.ts';
import { createInteractionPolicy } from '../interactions/policy.ts';
import { createAdapterFactory } from '../persistence/adapter.ts';
import { type Keyring, providerKeys } from '../persistence/signing-keys.ts';
import { isFapi2, profileIssues } from '../profiles/fapi2.ts';
import { CLOCKS_DIFFER, judgeAssertion } from '../profiles/hold-to-profile.ts';
import { certificateMethods } from '../profiles/mutual-tls.ts';
import { ROUTES } from '../provider/routes.ts';
import { DIALECT_GRANT } from '../tokens/dialect-tokens.ts';
import { refreshLifetime } from '../tokens/refresh-lifetime.ts';
import { countAssertions } from './anonymous-budgets.ts';
import { answerUnavailable, showError } from './answers.ts';
import type { ProviderDeps } from './deps.ts';
import { discoveryMetadata } from './discovery.ts';
import { features } from './features.ts';
import { reusedAt, tokenEnder } from './token-reuse.ts';

export function configuration(deps: ProviderDeps, ring: Keyring): Configuration {
  const { config, issuer, cookies } = deps;
  const countAssertion = countAssertions(deps);
  return {
    ...PROTOCOL,
    assertJwtClientAuthClaimsAndHeader: async (ctx, claims, header, client) => {
      judgeAssertion(ctx, claims, header, client);
      await countAssertion(ctx, claims, client);
    },
    adapter: createAdapterFactory({ ...deps, endTokens: tokenEnder(deps) }),
    ...people(deps),
    ...tokens(deps),
    ...clientRules(config),
    // Judged after the APIs are known.
    extraParams: {
      organization: judgeOrganization(deps.stores.organizations),
      audience: judgeRequest(deps),
      scope: refuseWithoutScope,
    },
    jwks: providerKeys(ring),
    routes: ROUTES,
    features: features(deps),
    cookies: { names: cookieNames(issuer), keys: [...deps.cookieKeys], long: cookies, short: cookies },
    discovery: discoveryMetadata(config),
    renderError: async (ctx, out, error) => {
      const unavailable = error instanceof StoreUnavailable;
      if (unavailable) answerUnavailable(ctx);
      const code = unavailable ? 'temporarily_unavailable' : out.error;
      await showError(deps, ctx, code, out.error_description);
    },
    // Called with a URL and plain options only.
    fetch: deps.fetch as NonNullable<Configuration['fetch']>,
  };
}

/** The scopes that the provider knows: those that are listed, and those of claims. */
export function knownScopes({ scopes = [], claims = {} }: Configuration): string[] {
  const ofClaims = Object.entries(claims).filter(([, value]) => value !== null);
  return [...new Set([...scopes, ...ofClaims.map(([scope]) => scope)])];
}

const PROTOCOL: Configuration = {
  scopes: ['openid', 'offline_access'],
  acrValues: Object.values(ACR),
  responseTypes: ['code'],
  subjectTypes: ['public', 'pairwise'],
  enabledJWA: ENABLED_ALGORITHMS,
  allowOmittingSingleRegisteredRedirectUri: false,
  acceptQueryParamAccessTokens: false,
  conformIdTokenClaims: true,
  clockTolerance: CLOCKS_DIFFER,
};

function people(deps: ProviderDeps): Configuration {
  const { config, accounts, secrets } = deps;
  const { rolesAliases } = config.oidc;
  return {
    pairwiseIdentifier: (_ctx, accountId, client) => subjectFor(accountId, { client, secrets }),
    // The judge reads it whenever a client is stored; a host that is down must not end the sign-ins of its clients.
    sectorIdentifierUriValidate: () => false,
    claims: claimsByScope(rolesAliases),
    interactions: {
      policy: createInteractionPolicy(createFactorJudge(deps)),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    findAccount: createAccountFinder({ ...deps, accounts, rolesAliases }),
    loadExistingGrant: createGrantLoader(config.oidc.lifetimes, deps),
  };
}

function tokens(deps: ProviderDeps): Configuration {
  const { oidc, sessions } = deps.config;
  const { lifetimes } = oidc;
  const claims = createTokenClaims(deps);
  return {
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: isUsedOnce,
    // A second use ends a family, not the consent. A revoked access token ends the sign-in behind it where
    // that is all there is (dialects, exchanges); elsewhere the consent outlives its tokens.
    revokeGrantPolicy: (ctx) => {
      if (reusedAt(ctx, deps) !== undefined) return false;
      const token = ctx.oidc.entities.AccessToken;
      const isAllThereIs = token?.gty === DIALECT_GRANT || String(token?.gty).startsWith(TOKEN_EXCHANGE);
      return !(ctx.oidc.route === 'revocation' && token && !isAllThereIs);
    },
    // Dialects make their tokens with claims of their own.
    extraTokenClaims: async (ctx, token) => token.extra ?? claims(ctx, token),
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      ClientCredentials: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.clientCredentials,
      AuthorizationCode: lifetimes.authorizationCode,
      IdToken: lifetimes.idToken,
      Interaction: lifetimes.interaction,
      DeviceCode: lifetimes.deviceCode,
      Grant: lifetimes.grant,
      RefreshToken: (ctx) => refreshLifetime(lifetimes, ctx?.oidc.entities.Grant?.exp),
      Session: (_ctx, session) => sessionLifetime(session, sessions),
    },
  };
}

const BOUND_BY_CERTIFICATE = 'tls_client_certificate_bound_access_tokens';

/** What the provider would take. Asked about each of the members that Portico adds. */
function refuseUnusable(_ctx: unknown, name: string, value: unknown, client: ClientMetadata): void {
  // The provider does not know this member where no certificates come: the tokens would be bound to nothing.
  if (name === BOUND_BY_CERTIFICATE && value === true) {
    throw new errors.InvalidClientMetadata(`${name} needs http.clientCertificate in the configuration`);
  }
  if (name !== 'profile') return;
  refuseUnproved(client);
  for (const { path, message } of profileIssues(client)) {
    throw new errors.InvalidClientMetadata(`${path} ${message}`);
  }
}

/** A public client proves nothing, so anyone could get a token in its name. The provider leaves that to us. */
function refuseUnproved(client: ClientMetadata): void {
  if (client.token_endpoint_auth_method !== 'none') return;
  if (client.grant_types?.includes('client_credentials')) {
    throw new errors.InvalidClientMetadata(
      'grant_types must not have client_credentials: the client has no secret',
    );
  }
  // RFC 9700, 2.2.2: what proves nothing must be bound to a key, or be good once.
  if (client.rotate_refresh_tokens === false && client.dpop_bound_access_tokens !== true) {
    throw new errors.InvalidClientMetadata(
      'rotate_refresh_tokens must not be false for a client without a secret, unless dpop_bound_access_tokens is true',
    );
  }
}

function clientRules({ oidc, http }: Config): Configuration {
  const isPublic = (client: Client) => client.tokenEndpointAuthMethod === 'none';
  const certificates = certificateMethods(http.clientCertificate);
  return {
    clientAuthMethods: [
      ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const),
      ...certificates,
      'none',
    ],
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: oidc.idTokenAlgorithm,
      token_endpoint_auth_method: 'client_secret_basic',
    },
    extraClientMetadata: {
      properties: [...CLIENT_TRAITS, ...(certificates.length === 0 ? [BOUND_BY_CERTIFICATE] : [])],
      validator: refuseUnusable,
    },
    // PKCE. A confidential client proves itself at the token endpoint and binds the code by its nonce (RFC 9700,
    // 2.1.1); older clients have no PKCE. A challenge that was sent is always checked.
    pkce: {
      required: (_ctx, client) =>
        oidc.pkce === 'all-clients' || isPublic(client) || traitsOf(client).unregistered || isFapi2(client),
    },
    clientBasedCORS: createOriginPolicy(http.cors.origins),
  };
}

/**
 * oidc-provider as Portico runs it: its configuration, every feature flag set on purpose, and our steps
 * around its routes. A rotation of the signing keys builds a new one on the same stores
 * (create-oidc-server.ts), so nothing here may keep state.
 */
import Provider, { type Configuration } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import { Refused } from '../../core/refused.ts';
import type { Strangers } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import { nameBrowsers, sessionLifetime } from '../access/browser-session.ts';
import type { Consents } from '../access/consents.ts';
import { type CookieSettings, cookieNames } from '../access/cookies.ts';
import { CLAIMS_BY_SCOPE, createAccountFinder } from '../clients/claims.ts';
import { CLIENT_TRAITS, type ClientRegistry, compareHashedSecrets } from '../clients/clients.ts';
import { createTokenRights, type TokenRights } from '../clients/token-permissions.ts';
import { ACR, type DialectsAsked, type ProviderPages } from '../contract.ts';
import { watchCodes } from '../extensions/authorization-code.ts';
import { nameInterval, slowDevicesDown } from '../extensions/device-codes.ts';
import { seeAsIssuer, watchProviderContext } from '../extensions/issuer-and-clients.ts';
import { bindIdTokens, storeAccessTokens } from '../extensions/jwt-access-token.ts';
import { addMembers } from '../extensions/models.ts';
import { refreshLeases, rotateRefreshTokens } from '../extensions/refresh-grant.ts';
import { detectReplays } from '../extensions/replay-detection.ts';
import { createGrantLoader } from '../interactions/load-existing-grant.ts';
import { createInteractionPolicy } from '../interactions/policy.ts';
import { createAdapterFactory } from '../persistence/adapter.ts';
import type { OidcRecords } from '../persistence/records.ts';
import { type Keyring, providerKeys } from '../persistence/signing-keys.ts';
import {
  type ProviderContext,
  type ProviderMiddleware,
  routeOf,
  type StepContext,
} from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { DIALECT_GRANT } from '../tokens/dialect-grant.ts';
import type { Rotations } from '../tokens/refresh-rotation.ts';
import { countAnonymousRequests } from './anonymous-budgets.ts';
import { introspectApiKeys } from './api-keys.ts';
import { answerUnavailable, auditLine, type EventDeps, writeEvents } from './audit-events.ts';
import { confirmCodesOnce, type DeviceDeps, guardUserCodes, keepNoNewSessions } from './device-flow.ts';
import {
  ASSERTION_ALGORITHMS,
  discoveryMetadata,
  offeredResponseModes,
  publicDocuments,
} from './discovery.ts';
import { features } from './features.ts';
import { keepNothingOfSignedOut, leadOnWhenSignedOutAlready } from './logout.ts';
import type { OutboundFetch } from './outbound-fetch.ts';
import { subjectOf } from './page-subject.ts';
import { formToQuery } from './post-to-get.ts';
import { refuseToRevokeApiKeys } from './refuse-api-keys.ts';
import { nameClientWhenSignedOut } from './signed-out-client.ts';
import { reusedAt } from './token-reuse.ts';

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
  readonly strangers: Strangers;
  readonly fetch: OutboundFetch;
  readonly dialects: DialectsAsked;
}

export function buildProvider(deps: ProviderDeps, ring: Keyring): Provider {
  const { config, secrets, clock, oidcRecords, rotations } = deps;
  const provider = new Provider(deps.issuer, configuration(deps, ring));
  addMembers(provider);
  seeAsIssuer(provider);
  watchProviderContext(provider);
  compareHashedSecrets(provider.Client.prototype, secrets);
  storeAccessTokens({ provider, secrets });
  bindIdTokens(provider);
  watchCodes({ provider, secrets });
  keepNoNewSessions(provider);
  keepNothingOfSignedOut(provider);
  nameBrowsers(provider);
  confirmCodesOnce({ provider, leases: deps.leases, secrets, clock });
  const polling = { leases: deps.leases, secrets, clock, interval: config.oidc.deviceInterval };
  slowDevicesDown(provider, polling);
  detectReplays({ provider, leases: deps.leases, secrets, clock });
  const refresh = {
    provider,
    rotations,
    oidcRecords,
    secrets,
    clock,
    leeway: config.oidc.refreshReuse.leeway,
  };
  rotateRefreshTokens(refresh);
  writeEvents(provider, deps);
  for (const step of [
    noSurprise(deps),
    formToQuery(provider, (ctx, error, description) => renderError(deps, ctx, { error, description })),
    countAnonymousRequests(deps),
    guardUserCodes(deps, (ctx, error) => renderError(deps, ctx, { error })),
    publicDocuments,
    offeredResponseModes,
    refreshLeases(refresh),
    leadOnWhenSignedOutAlready(),
    nameClientWhenSignedOut(),
    nameInterval(polling),
    refuseToRevokeApiKeys((text) => deps.dialects.isApiKey(text)),
    introspectApiKeys({ describe: deps.dialects.describeApiKey, rights: rightsOf(deps) }),
  ]) {
    provider.use(step);
  }
  return provider;
}

function rightsOf(deps: ProviderDeps): TokenRights {
  const line = auditLine(deps);
  return createTokenRights({
    clients: deps.clients,
    accounts: deps.accounts,
    admitsToken: deps.dialects.admitsToken,
    refused: (ctx, what, token) =>
      line(ctx, `${what}.refused`, 'refused', { tokenClientId: token.clientId ?? null }),
  });
}

function configuration(deps: ProviderDeps, ring: Keyring): Configuration {
  const { config, accounts, clients, oidcRecords, clock } = deps;
  const { lifetimes, refreshReuse } = config.oidc;
  const rights = rightsOf(deps);
  const line = auditLine(deps);
  const reuse = (ctx: ProviderContext | undefined) => reusedAt(ctx, { clock, leeway: refreshReuse.leeway });

  const endTokens = async (grantId: string) => {
    const ctx = Provider.ctx;
    const result = reuse(ctx);
    if (result === undefined) return oidcRecords.endTokens(grantId);
    if (result === 'only-a-retry') return;
    await oidcRecords.endFamily(grantId, result.family);
    if (ctx) line(ctx, 'token.reused', 'refused');
  };

  return {
    adapter: createAdapterFactory({ oidcRecords, clients, endTokens }),
    jwks: providerKeys(ring) as NonNullable<Configuration['jwks']>,
    routes: ROUTES,
    features: features({ config, device: deps, rights }),
    cookies: {
      names: cookieNames(deps.issuer),
      keys: [...deps.cookieKeys],
      long: deps.cookies,
      short: deps.cookies,
    },
    claims: structuredClone(CLAIMS_BY_SCOPE) as unknown as NonNullable<Configuration['claims']>,
    scopes: ['openid', 'offline_access'],
    acrValues: [ACR.legacy, ACR.single, ACR.stepup],
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS],
      idTokenSigningAlgValues: ['ES256', 'RS256'],
      dPoPSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
    },
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
    extraClientMetadata: { properties: [...CLIENT_TRAITS] },
    // A confidential client proves itself at the token endpoint and binds the code by its nonce (RFC 9700,
    // 2.1.1); older ones know nothing else. What the verifier is checked against is never optional.
    pkce: {
      required: (_ctx, client) =>
        config.oidc.pkce === 'all-clients' || client.tokenEndpointAuthMethod === 'none',
    },
    allowOmittingSingleRegisteredRedirectUri: false,
    acceptQueryParamAccessTokens: false,
    conformIdTokenClaims: true,
    clockTolerance: 5,
    discovery: discoveryMetadata(config),
    interactions: {
      policy: createInteractionPolicy(),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    findAccount: createAccountFinder(accounts),
    loadExistingGrant: createGrantLoader(lifetimes, deps.consents),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    // A second use ends a family, not the consent. A revoked access token ends the sign-in behind it where
    // that is all there is (dialects); elsewhere the consent outlives its tokens.
    revokeGrantPolicy: (ctx) => {
      if (reuse(ctx) !== undefined) return false;
      const token = ctx.oidc.entities.AccessToken;
      return !(ctx.oidc.route === 'revocation' && token && token.gty !== DIALECT_GRANT);
    },
    clientBasedCORS: (ctx, origin, client) => {
      if (origin === 'null') return false;
      if (config.http.cors.origins.includes(origin)) return true;
      const browserClient = ctx.oidc.route === 'userinfo' || client.tokenEndpointAuthMethod === 'none';
      return browserClient && (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
    },
    extraTokenClaims: async (_ctx, token) =>
      'extra' in token ? (token.extra as Record<string, unknown>) : undefined,
    renderError: async (ctx, out, error) => {
      if (error instanceof StoreUnavailable) answerUnavailable(ctx);
      await renderError(deps, ctx as unknown as StepContext, {
        error: error instanceof StoreUnavailable ? 'temporarily_unavailable' : out.error,
        description: out.error_description,
      });
    },
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
        const ends = (ctx?.oidc.entities.Grant as { exp?: number } | undefined)?.exp;
        const left = ends === undefined ? lifetimes.refreshToken : ends - Math.floor(Date.now() / 1000);
        return Math.max(1, Math.min(lifetimes.refreshToken, left));
      },
      Session: (_ctx, session) => sessionLifetime(session as { loginTs?: number }, config.sessions),
    },
    fetch: deps.fetch as unknown as NonNullable<Configuration['fetch']>,
  };
}

async function renderError(
  deps: ProviderDeps,
  ctx: StepContext,
  refusal: { error: string; description?: string | undefined },
): Promise<void> {
  ctx.body = await deps.pages.error(ctx.req, ctx.res, {
    ...subjectOf(ctx),
    status: ctx.status,
    error: refusal.error,
    ...(refusal.description !== undefined && { description: refusal.description }),
  });
  ctx.type = 'html';
}

/** What fails outside the provider's own handlers still gets an answer in the shape of OAuth, or a page. */
function noSurprise(deps: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, code, retryAfter } = failureOf(error);
      if (status !== 429) {
        const level = status === 503 ? 'warn' : 'error';
        deps.log[level](
          { err: error, route: routeOf(ctx as ProviderContext) },
          'a request to the engine failed',
        );
      }
      ctx.status = status;
      ctx.set('Cache-Control', 'no-store');
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter));
      if (ctx.accepts('json', 'html') === 'html') await renderError(deps, ctx, { error: code });
      else ctx.body = { error: code };
    }
  };
}

function failureOf(error: unknown): { status: number; code: string; retryAfter?: number } {
  if (error instanceof StoreUnavailable) {
    return { status: 503, code: 'temporarily_unavailable', retryAfter: 5 };
  }
  if (error instanceof Refused && error.reason === 'too-many-requests') {
    return { status: 429, code: 'too_many_requests', retryAfter: error.retryAfter ?? 60 };
  }
  return { status: 500, code: 'server_error' };
}

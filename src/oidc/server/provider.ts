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
import type { ClaimStore } from '../../store/ports/leases.ts';
import { nameBrowsers, sessionLifetime } from '../access/browser-session.ts';
import type { Consents } from '../access/consents.ts';
import type { CookieSettings } from '../access/cookies.ts';
import { cookieNames } from '../access/cookies.ts';
import { CLAIMS_BY_SCOPE, createAccountFinder } from '../clients/claims.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import { CLIENT_TRAITS, compareHashedSecrets } from '../clients/clients.ts';
import type { TokenRights } from '../clients/token-permissions.ts';
import { createTokenRights } from '../clients/token-permissions.ts';
import type { DialectsAsked, EnginePages } from '../contract.ts';
import { ACR } from '../contract.ts';
import { countStrangers } from '../extensions/anonymous-budgets.ts';
import type { EventParts } from '../extensions/audit-events.ts';
import { answerUnavailable, auditLine, writeEvents } from '../extensions/audit-events.ts';
import { watchCodes } from '../extensions/authorization-code.ts';
import type { DeviceParts } from '../extensions/device-flow.ts';
import { confirmCodesOnce, guardUserCodes, keepNoNewSessions } from '../extensions/device-flow.ts';
import { nameInterval, slowDevicesDown } from '../extensions/device-polling.ts';
import { introspectApiKeys } from '../extensions/introspect-api-keys.ts';
import { seeAsIssuer, watchEngineContext } from '../extensions/issuer-and-clients.ts';
import { bindIdTokens, storeAccessTokens } from '../extensions/jwt-access-token.ts';
import { leadOnWhenSignedOutAlready } from '../extensions/logout.ts';
import { subjectOf } from '../extensions/page-subject.ts';
import { formToQuery } from '../extensions/post-to-get.ts';
import { refreshTurns, rotateRefreshTokens } from '../extensions/refresh-grant.ts';
import { refuseToRevokeApiKeys } from '../extensions/refuse-api-keys.ts';
import { detectReplays } from '../extensions/replay-detection.ts';
import { nameClientWhenSignedOut } from '../extensions/signed-out-client.ts';
import { theftAt } from '../extensions/token-reuse.ts';
import { createGrantLoader } from '../interactions/load-existing-grant.ts';
import { createInteractionPolicy } from '../interactions/policy.ts';
import { createAdapterFactory } from '../persistence/adapter.ts';
import type { Artifacts } from '../persistence/records.ts';
import type { Keyring } from '../persistence/signing-keys.ts';
import { engineKeys } from '../persistence/signing-keys.ts';
import type { EngineContext, EngineStep, StepContext } from '../provider/context.ts';
import { routeOf } from '../provider/context.ts';
import { addMembers } from '../provider/models.ts';
import { ROUTES } from '../provider/routes.ts';
import { DIALECT_GRANT } from '../tokens/dialect-grant.ts';
import type { Rotations } from '../tokens/refresh-rotation.ts';
import { ASSERTION_ALGORITHMS, discoveryFacts, offeredResponseModes, publicDocuments } from './discovery.ts';
import { features } from './features.ts';
import type { OutboundFetch } from './outbound-fetch.ts';

export interface ProviderParts extends EventParts {
  readonly config: Config;
  readonly issuer: string;
  readonly accounts: AccountStore;
  readonly claims: ClaimStore;
  readonly artifacts: Artifacts;
  readonly clients: ClientRegistry;
  readonly consents: Consents;
  readonly rotations: Rotations;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly cookieKeys: readonly string[];
  readonly cookies: CookieSettings;
  readonly pages: EnginePages;
  readonly attempts: DeviceParts['attempts'];
  readonly strangers: Strangers;
  readonly fetch: OutboundFetch;
  readonly dialects: DialectsAsked;
}

export function buildProvider(parts: ProviderParts, ring: Keyring): Provider {
  const { config, secrets, clock, artifacts, rotations } = parts;
  const provider = new Provider(parts.issuer, configuration(parts, ring));
  addMembers(provider);
  seeAsIssuer(provider);
  watchEngineContext(provider);
  compareHashedSecrets(provider.Client.prototype, secrets);
  storeAccessTokens({ provider, secrets });
  bindIdTokens(provider);
  watchCodes({ provider, secrets });
  keepNoNewSessions(provider);
  nameBrowsers(provider);
  confirmCodesOnce({ provider, claims: parts.claims, secrets, clock });
  const polling = { claims: parts.claims, secrets, clock, interval: config.oidc.deviceInterval };
  slowDevicesDown(provider, polling);
  detectReplays({ provider, claims: parts.claims, secrets, clock });
  const refresh = { provider, rotations, artifacts, secrets, clock, leeway: config.oidc.refreshReuse.leeway };
  rotateRefreshTokens(refresh);
  writeEvents(provider, parts);
  for (const step of [
    noSurprise(parts),
    formToQuery(provider, (ctx, error, description) => renderError(parts, ctx, { error, description })),
    countStrangers(parts),
    guardUserCodes(parts, (ctx, error) => renderError(parts, ctx, { error })),
    publicDocuments,
    offeredResponseModes,
    refreshTurns(refresh),
    leadOnWhenSignedOutAlready(),
    nameClientWhenSignedOut(),
    nameInterval(polling),
    refuseToRevokeApiKeys((text) => parts.dialects.isApiKey(text)),
    introspectApiKeys({ describe: parts.dialects.describeApiKey, rights: rightsOf(parts) }),
  ]) {
    provider.use(step);
  }
  return provider;
}

function rightsOf(parts: ProviderParts): TokenRights {
  const line = auditLine(parts);
  return createTokenRights({
    clients: parts.clients,
    accounts: parts.accounts,
    admitsToken: parts.dialects.admitsToken,
    refused: (ctx, what, token) =>
      line(ctx, `${what}.refused`, 'refused', { tokenClientId: token.clientId ?? null }),
  });
}

function configuration(parts: ProviderParts, ring: Keyring): Configuration {
  const { config, accounts, clients, artifacts, clock } = parts;
  const { lifetimes, refreshReuse } = config.oidc;
  const rights = rightsOf(parts);
  const line = auditLine(parts);
  const theft = (ctx: EngineContext | undefined) => theftAt(ctx, { clock, leeway: refreshReuse.leeway });

  const endTokens = async (grantId: string) => {
    const ctx = Provider.ctx;
    const found = theft(ctx);
    if (found === undefined) return artifacts.endTokens(grantId);
    if (found === 'only-a-retry') return;
    await artifacts.endFamily(grantId, found.family);
    if (ctx) line(ctx, 'token.reused', 'refused');
  };

  return {
    adapter: createAdapterFactory({ artifacts, clients, endTokens }),
    jwks: engineKeys(ring) as NonNullable<Configuration['jwks']>,
    routes: ROUTES,
    features: features({ config, device: parts, rights }),
    cookies: {
      names: cookieNames(parts.issuer),
      keys: [...parts.cookieKeys],
      long: parts.cookies,
      short: parts.cookies,
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
    discovery: discoveryFacts(config),
    interactions: {
      policy: createInteractionPolicy(),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    findAccount: createAccountFinder(accounts),
    loadExistingGrant: createGrantLoader(lifetimes, parts.consents),
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    // A second use ends a family, not the consent. A revoked access token ends the sign-in behind it where
    // that is all there is (dialects); elsewhere the consent outlives its tokens.
    revokeGrantPolicy: (ctx) => {
      if (theft(ctx) !== undefined) return false;
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
      await renderError(parts, ctx as unknown as StepContext, {
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
    fetch: parts.fetch as unknown as NonNullable<Configuration['fetch']>,
  };
}

async function renderError(
  parts: ProviderParts,
  ctx: StepContext,
  refusal: { error: string; description?: string | undefined },
): Promise<void> {
  ctx.body = await parts.pages.error(ctx.req, ctx.res, {
    ...subjectOf(ctx),
    status: ctx.status,
    error: refusal.error,
    ...(refusal.description !== undefined && { description: refusal.description }),
  });
  ctx.type = 'html';
}

/** What fails outside the engine's own handlers still gets an answer in the shape of OAuth, or a page. */
function noSurprise(parts: ProviderParts): EngineStep {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, code, retryAfter } = failureOf(error);
      if (status !== 429) {
        const level = status === 503 ? 'warn' : 'error';
        parts.log[level](
          { err: error, route: routeOf(ctx as EngineContext) },
          'a request to the engine failed',
        );
      }
      ctx.status = status;
      ctx.set('Cache-Control', 'no-store');
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter));
      if (ctx.accepts('json', 'html') === 'html') await renderError(parts, ctx, { error: code });
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

/** Every oidc-provider feature is set explicitly, so that an upgrade cannot enable one. */
import { type Client, type Configuration, errors, type ResourceServer } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { traitsOf } from '../clients/clients.ts';
import { formSecret } from '../extensions/browser-session.ts';
import type { ProviderPages } from '../page-contract.ts';
import type { ProviderContext } from '../provider/context.ts';
import { show } from './answers.ts';
import { judgeClaims } from './claims-parameter.ts';
import type { ProviderDeps } from './deps.ts';
import { deviceFlow } from './device-flow.ts';

type Features = NonNullable<Configuration['features']>;

export function features(deps: ProviderDeps): Features {
  const { config, pages, rights } = deps;
  const on = {
    claimsParameter: { enabled: true, assertClaimsParameter: judgeClaims },
    clientCredentials: { enabled: true },
    deviceFlow: deviceFlow(deps),
    dPoP: { enabled: true, nonceSecret: undefined, requireNonce: () => false, allowReplay: false },
    introspection: {
      enabled: true,
      allowedPolicy: async (ctx, client, token) =>
        (await rights.mayIntrospect(ctx, client, token)) && rights.holderMayGoOn(token),
    },
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: false,
      allowUnregisteredRedirectUris: false,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async (_ctx, _client, oneOf) => oneOf ?? [],
      // A client that asked for one resource gets its token without naming it again.
      useGrantedResource: async () => true,
      getResourceServerInfo: (_ctx, identifier, client) => resourceServer(config, identifier, client),
    },
    revocation: {
      enabled: true,
      allowedPolicy: (ctx, client, token) => rights.mayRevoke(ctx, client, token),
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx) => confirmLogout(ctx, pages),
      postLogoutSuccessSource: (ctx) => signedOut(ctx, pages),
    },
    userinfo: { enabled: true },
  } satisfies Features;
  const off = {
    attestClientAuth: { enabled: false },
    backchannelLogout: { enabled: false },
    ciba: { enabled: false },
    clientIdMetadataDocument: { enabled: false },
    devInteractions: { enabled: false },
    encryption: { enabled: false },
    externalSigningSupport: { enabled: false },
    fapi: { enabled: false },
    jwtIntrospection: { enabled: false },
    jwtResponseModes: { enabled: false },
    jwtUserinfo: { enabled: false },
    mTLS: { enabled: false },
    openid4vci: { enabled: false },
    registration: { enabled: false },
    registrationManagement: { enabled: false },
    requestObjects: { enabled: false },
    richAuthorizationRequests: { enabled: false },
    rpMetadataChoices: { enabled: false },
    webMessageResponseMode: { enabled: false },
  } satisfies Features;
  return { ...on, ...off };
}

/** Resource servers (RFC 8707): APIs that clients may ask access tokens for, as the configuration lists them. */
function resourceServer({ oidc }: Config, identifier: string, client: Client): ResourceServer {
  const result = oidc.resources.find((resource) => resource.identifier === identifier);
  const foreign = result?.organization !== undefined && result.organization !== traitsOf(client).organization;
  if (!result || foreign) throw new errors.InvalidTarget('no such resource server');
  return {
    scope: result.scopes.join(' '),
    audience: result.identifier,
    accessTokenFormat: result.format,
    accessTokenTTL: result.lifetime ?? oidc.lifetimes.accessToken,
    ...(result.format === 'jwt' && { jwt: { sign: { alg: 'ES256' } } }),
  };
}

function confirmLogout(ctx: ProviderContext, pages: ProviderPages): Promise<void> {
  const { client, params } = ctx.oidc;
  const redirectUri = params?.post_logout_redirect_uri;
  return show(ctx, pages.confirmLogout, {
    action: ctx.oidc.urlFor('end_session_confirm'),
    xsrf: formSecret(ctx),
    ...(client && { clientName: client.clientName ?? client.clientId }),
    ...(typeof redirectUri === 'string' && { redirectUri }),
  });
}

function signedOut(ctx: ProviderContext, pages: ProviderPages): Promise<void> {
  const { client } = ctx.oidc;
  return show(ctx, pages.signedOut, {
    stayed: ctx.query.stayed === 'yes',
    client: client && {
      name: client.clientName ?? client.clientId,
      ...(client.clientUri && { uri: client.clientUri }),
    },
  });
}

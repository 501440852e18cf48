/** Every oidc-provider feature is set explicitly, so that an upgrade cannot enable one. */
import type { Configuration } from 'oidc-provider';
import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { resourceIndicators } from '../apis/resource-indicators.ts';
import { formSecret } from '../extensions/browser-session.ts';
import type { ProviderPages } from '../page-contract.ts';
import { isFapi2 } from '../profiles/fapi2.ts';
import { mutualTls } from '../profiles/mutual-tls.ts';
import type { ProviderContext } from '../provider/context.ts';
import { judgeRequestObject } from '../provider/request-object.ts';
import { registrationFeatures } from '../registration/steps.ts';
import { endParent } from '../tokens/dialect-tokens.ts';
import { show } from './answers.ts';
import { judgeClaims } from './claims-parameter.ts';
import type { ProviderDeps } from './deps.ts';
import { deviceFlow } from './device-flow.ts';
import { endSessionUnasked, isAskedByOwnClient } from './logout.ts';

type Features = NonNullable<Configuration['features']>;

export function features(deps: ProviderDeps): Features {
  const { pages, rights, oidcRecords } = deps;
  const on = {
    // Told by Portico's own outbox (logout/).
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true, assertClaimsParameter: judgeClaims },
    clientCredentials: { enabled: true },
    deviceFlow: deviceFlow(deps),
    encryption: { enabled: true },
    // Keys sign by persistence/private-key.ts.
    externalSigningSupport: { enabled: true, ack: 'experimental-01' },
    dPoP: { enabled: true, nonceSecret: undefined, requireNonce: () => false, allowReplay: false },
    // By itself it changes nothing for clients without a profile.
    fapi: { enabled: true, profile: (_ctx, client) => (isFapi2(client) ? '2.0' : undefined) },
    introspection: {
      enabled: true,
      allowedPolicy: async (ctx, client, token) =>
        (await rights.mayIntrospect(ctx, client, token)) && rights.holderMayGoOn(token),
    },
    jwtIntrospection: { enabled: true },
    jwtResponseModes: { enabled: true },
    jwtUserinfo: { enabled: true },
    mTLS: mutualTls(deps.config.http.clientCertificate),
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: false,
      allowUnregisteredRedirectUris: false,
    },
    requestObjects: { enabled: true, assertJwtClaimsAndHeader: judgeRequestObject },
    resourceIndicators: resourceIndicators(deps),
    revocation: {
      enabled: true,
      allowedPolicy: async (ctx, client, token) => {
        const allowed = await rights.mayRevoke(ctx, client, token);
        if (allowed && 'grantId' in token && String(token.gty).startsWith(TOKEN_EXCHANGE))
          await endParent(oidcRecords, String(token.grantId));
        return allowed;
      },
    },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx) =>
        isAskedByOwnClient(ctx, deps) ? endSessionUnasked(ctx, deps) : confirmLogout(ctx, pages),
      postLogoutSuccessSource: (ctx) => signedOut(ctx, pages),
    },
    userinfo: { enabled: true },
    ...registrationFeatures(deps),
  } satisfies Features;
  const off = {
    attestClientAuth: { enabled: false },
    ciba: { enabled: false },
    clientIdMetadataDocument: { enabled: false },
    devInteractions: { enabled: false },
    openid4vci: { enabled: false },
    richAuthorizationRequests: { enabled: false },
    rpMetadataChoices: { enabled: false },
    webMessageResponseMode: { enabled: false },
  } satisfies Features;
  return { ...on, ...off };
}

function confirmLogout(ctx: ProviderContext, pages: ProviderPages): Promise<void> {
  const { client } = ctx.oidc;
  return show(ctx, pages.confirmLogout, {
    action: ctx.oidc.urlFor('end_session_confirm'),
    xsrf: formSecret(ctx),
    ...(client && { clientName: client.clientName ?? client.clientId }),
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

/**
 * oidc-provider on one set of signing keys: its configuration, the methods that Portico replaces, and our steps
 * around its routes. A rotation of the keys builds a new one on the same stores (server.ts), so nothing here
 * may keep state.
 */
import Provider from 'oidc-provider';
import { browserOf } from '../access/browser-session.ts';
import { watchCodes } from '../extensions/authorization-code.ts';
import { replaceSessionMethods } from '../extensions/browser-session.ts';
import { confirmCodesOnce, slowDevicesDown } from '../extensions/device-codes.ts';
import { compareHashedSecrets, seeAsIssuer, watchProviderContext } from '../extensions/issuer-and-clients.ts';
import { bindIdTokens, storeAccessTokens } from '../extensions/jwt-access-token.ts';
import { addMembers } from '../extensions/models.ts';
import { refreshLeases, rotateRefreshTokens } from '../extensions/refresh-grant.ts';
import { detectReplays } from '../extensions/replay-detection.ts';
import type { Keyring } from '../persistence/signing-keys.ts';
import { countAnonymousRequests } from './anonymous-budgets.ts';
import { introspectApiKeys, refuseToRevokeApiKeys } from './api-keys.ts';
import { writeEvents } from './audit-events.ts';
import { configuration, type ProviderDeps, rightsOf } from './configuration.ts';
import { guardUserCodes, nameInterval } from './device-flow.ts';
import { offeredResponseModes, publicDocuments } from './discovery.ts';
import { answerErrors, renderError } from './error-answers.ts';
import { leadOnWhenSignedOutAlready, nameClientWhenSignedOut } from './logout.ts';
import { formToQuery } from './post-to-get.ts';

export function buildProvider(deps: ProviderDeps, ring: Keyring): Provider {
  const { config, secrets, clock, oidcRecords, rotations } = deps;
  const provider = new Provider(deps.issuer, configuration(deps, ring));
  addMembers(provider);
  seeAsIssuer(provider);
  watchProviderContext(provider);
  compareHashedSecrets(provider, secrets);
  storeAccessTokens({ provider, secrets });
  bindIdTokens(provider);
  watchCodes({ provider, secrets });
  replaceSessionMethods(provider, browserOf);
  const shared = { provider, leases: deps.leases, secrets, clock };
  const polling = { ...shared, interval: config.oidc.deviceInterval };
  confirmCodesOnce(shared);
  slowDevicesDown(polling);
  detectReplays(shared);
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
    answerErrors(deps),
    formToQuery(provider, (ctx, error, description) => renderError(deps, ctx, { error, description })),
    countAnonymousRequests(deps),
    guardUserCodes(deps, (ctx, error) => renderError(deps, ctx, { error })),
    publicDocuments,
    offeredResponseModes,
    refreshLeases(refresh),
    leadOnWhenSignedOutAlready(),
    nameClientWhenSignedOut(),
    nameInterval(polling),
    refuseToRevokeApiKeys(deps.dialects),
    introspectApiKeys(deps.dialects, rightsOf(deps)),
  ]) {
    provider.use(step);
  }
  return provider;
}

/**
 * oidc-provider on one set of signing keys: its configuration, the methods that Portico replaces, and our steps
 * around its routes. A rotation of the keys builds a new one on the same stores (server.ts), so nothing here
 * may keep state.
 */
import { browserOf } from '../access/browser-session.ts';
import { endSession } from '../access/grants.ts';
import { serveResourceMetadata } from '../apis/serve-resource-metadata.ts';
import { allowTokenExchange } from '../exchange/exchange.ts';
import { watchCodes } from '../extensions/authorization-code.ts';
import { rememberSignIns } from '../extensions/begun-sign-ins.ts';
import { replaceSessionMethods } from '../extensions/browser-session.ts';
import { showClaimsBesides } from '../extensions/claims.ts';
import { confirmCodesOnce, readUserCodes, slowDevicesDown } from '../extensions/device-codes.ts';
import { providerWith } from '../extensions/form-post.ts';
import { bindIdTokens, takeHintsOfBothAlgorithms } from '../extensions/id-token.ts';
import {
  compareHashedSecrets,
  makeClientsOnce,
  seeAsIssuer,
  watchProviderContext,
} from '../extensions/issuer-and-clients.ts';
import { storeAccessTokens } from '../extensions/jwt-access-token.ts';
import { addMembers } from '../extensions/models.ts';
import { refreshLeases, rotateRefreshTokens } from '../extensions/refresh-grant.ts';
import { refuseUnauthorizedClients } from '../extensions/registered-codes.ts';
import { detectReplays } from '../extensions/replay-detection.ts';
import { createDocuments, publicDocuments } from '../fast-path/documents.ts';
import { fastRoutes } from '../fast-path/fast-path.ts';
import { goOnWithFinished } from '../interactions/finished.ts';
import { privateKeyOf } from '../persistence/private-key.ts';
import { currentKey, type KeyAlgorithm, type Keyring } from '../persistence/signing-keys.ts';
import { explainErrors } from '../provider/error-words.ts';
import { answerAsRequestObjectAsks } from '../provider/request-object.ts';
import { registrationSteps, watchRegistrations } from '../registration/steps.ts';
import { countAnonymousRequests } from './anonymous-budgets.ts';
import { answerByForm, answerErrors, answerRevocations, keepErrorsOfRegistered } from './answers.ts';
import { introspectApiKeys, refuseToRevokeApiKeys } from './api-keys.ts';
import { writeEvents } from './audit-events.ts';
import { configuration, knownScopes } from './configuration.ts';
import type { ProviderDeps } from './deps.ts';
import { guardUserCodes, nameInterval } from './device-flow.ts';
import { offeredOnly } from './discovery.ts';
import { leadOnByPage, leadOnWhenSignedOutAlready, nameClientWhenSignedOut } from './logout.ts';
import { formToQuery } from './post-to-get.ts';

export function buildProvider(deps: ProviderDeps, ring: Keyring) {
  const documents = createDocuments();
  const settings = configuration(deps, ring);
  const scopes = new Set(knownScopes(settings));
  const signingKey = (alg: KeyAlgorithm) => privateKeyOf(currentKey(ring, alg));
  const provider = new (providerWith(answerByForm(deps)))(deps.issuer, settings);
  const parts = { ...deps, provider, interval: deps.config.oidc.deviceInterval };
  allowTokenExchange({ ...parts, ring: () => ring });
  addMembers(provider);
  seeAsIssuer(provider);
  watchProviderContext(provider, deps.config.http.clientCertificate.origin);
  compareHashedSecrets(provider, deps);
  makeClientsOnce(provider, deps);
  refuseUnauthorizedClients(provider);
  storeAccessTokens(parts);
  bindIdTokens(provider);
  showClaimsBesides(provider);
  takeHintsOfBothAlgorithms(provider);
  watchCodes(parts);
  replaceSessionMethods(provider, {
    ...{ browserOf, queueLogouts: deps.logouts.queue, hasEnded: deps.oidcRecords.sessionHasEnded },
    async endSession(uid) {
      const stored = await deps.oidcRecords.loadByUid('Session', uid);
      if (stored) await endSession(deps, stored);
    },
  });
  rememberSignIns(parts);
  readUserCodes(provider);
  confirmCodesOnce(parts);
  slowDevicesDown(parts);
  detectReplays(parts);
  rotateRefreshTokens(parts);
  writeEvents(provider, deps);
  watchRegistrations(provider, deps);
  for (const step of [
    answerErrors(deps),
    explainErrors,
    formToQuery(deps),
    goOnWithFinished(parts),
    answerAsRequestObjectAsks,
    keepErrorsOfRegistered(deps),
    countAnonymousRequests(deps),
    registrationSteps(deps),
    guardUserCodes(deps),
    publicDocuments(documents),
    serveResourceMetadata(deps),
    offeredOnly,
    refreshLeases(parts),
    leadOnByPage(deps),
    leadOnWhenSignedOutAlready,
    nameClientWhenSignedOut,
    nameInterval(parts),
    refuseToRevokeApiKeys(deps),
    answerRevocations,
    introspectApiKeys(deps),
  ]) {
    provider.use(step);
  }
  return { provider, fast: fastRoutes(deps, { provider, documents, scopes, signingKey }) };
}

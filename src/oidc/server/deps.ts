/** What the parts of the OIDC server work with. */
import type { IncomingMessage } from 'node:http';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { createPolicyReader } from '../../identity/factors/policy.ts';
import { createAnonymousBudgets } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { Attempts } from '../../identity/rate-limits/sign-in-attempts.ts';
import type { Audit } from '../../observe/audit.ts';
import type { Log } from '../../observe/log.ts';
import type { Stores } from '../../store/ports/stores.ts';
import { createConsents } from '../access/consents.ts';
import { cookieSettings } from '../access/cookies.ts';
import { createApiRegistry } from '../apis/apis.ts';
import { createClientRegistry } from '../clients/clients.ts';
import { createTokenRights } from '../clients/token-permissions.ts';
import type { DialectsAsked } from '../contract.ts';
import type { DelivererDeps, DeliveryOutcome } from '../logout/deliverer.ts';
import { createLogoutOutbox } from '../logout/outbox.ts';
import type { ProviderPages } from '../page-contract.ts';
import { createOidcRecords } from '../persistence/records.ts';
import type { RequestOrigin } from '../provider/context.ts';
import { createMetadataDocuments } from '../registration/metadata-document.ts';
import { createRegistration } from '../registration/registration.ts';
import { createRotations } from '../tokens/refresh-rotation.ts';
import { auditLine } from './audit-events.ts';
import { createOutboundFetch, outboundRefusal } from './outbound-fetch.ts';

export interface OidcServerOptions {
  readonly config: Config;
  /** The issuer, with its real port. */
  readonly issuer: string;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly log: Log;
  readonly audit: Audit;
  /** Sign cookies; the first signs, all verify. At least one. */
  readonly cookieKeys: readonly string[];
  /** Error, logout and signed-out pages: renderError, logoutSource and postLogoutSuccessSource of the provider. */
  readonly pages: ProviderPages;
  /** What wrong user codes of the device flow cost. */
  readonly attempts: Pick<Attempts, 'beginAt'>;
  /** Of back-channel logouts. */
  readonly countLogout?: (outcome: DeliveryOutcome) => void;
  /** Upstreams' tokens. */
  readonly revoke?: DelivererDeps['revoke'];
  readonly originOf?: (request: IncomingMessage) => RequestOrigin | undefined;
}

export type ProviderDeps = ReturnType<typeof providerDeps>;

export function providerDeps(options: OidcServerOptions) {
  const { config, issuer, stores, clock, secrets } = options;
  const { accounts, leases, organizations, watch } = stores;
  const oidcRecords = createOidcRecords({ store: stores.oidcRecords, secrets, clock });
  const apis = createApiRegistry({
    store: stores.apis,
    organizations,
    resources: config.oidc.resources,
    clock,
  });
  const line = auditLine(options);
  const originOf = options.originOf ?? (() => undefined);
  const fetch = createOutboundFetch(config.outbound);
  const strangers = createAnonymousBudgets({ stores, clock, limits: config.strangers, secrets });
  const refusesToFetch = (url: URL) => outboundRefusal(url, config.outbound);
  const documents = createMetadataDocuments({
    ...{ oidcRecords, organizations, clock, fetch, strangers, line, originOf },
    refusesToFetch,
    settings: config.oidc.clientIdMetadataDocuments,
  });
  const clients = createClientRegistry({
    store: stores.clients,
    organizations,
    apis,
    documents,
    issuer,
    clock,
  });
  const dialects = noDialectsYet();
  const registration = createRegistration({
    ...{ ...options, leases, oidcRecords, clients, fetch, refusesToFetch },
  });
  return {
    ...options,
    ...{ accounts, organizations, leases, oidcRecords, clients, apis, dialects, line, registration },
    originOf,
    rights: createTokenRights({ clients, accounts, dialects, line }),
    consents: createConsents({
      ...{ oidcRecords, clients, secrets, clock },
      enabled: config.oidc.rememberConsent === 'account',
      lifetime: config.oidc.lifetimes.consent,
    }),
    rotations: createRotations({ leases, oidcRecords, secrets, clock }),
    logouts: createLogoutOutbox({
      ...{ ...options, deliveries: stores.deliveries, clients },
      maximumAge: config.oidc.backchannelLogout.maximumAge,
    }),
    /** Seconds. */
    leeway: config.oidc.refreshReuse.leeway,
    cookies: cookieSettings(issuer),
    factorPolicy: createPolicyReader({ stores, clock }),
    ...{ strangers, fetch, watch },
  };
}

/** Dialects are made after the OIDC server, which they use. Until they arrive none of their tokens is active. */
function noDialectsYet(): DialectsAsked {
  return {
    describeApiKey: async () => undefined,
    isApiKey: () => false,
    admitsToken: async () => false,
    offerToken: async () => undefined,
  };
}

/**
 * The OIDC server: the provider behind a handler that stays the same while signing keys, and with them the
 * provider itself, are replaced. src/server/server.ts enters this folder here; provider.ts builds the provider.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { createAnonymousBudgets } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { Audit } from '../../observe/audit.ts';
import type { Log } from '../../observe/log.ts';
import type { Stores } from '../../store/ports/stores.ts';
import { createBrowserSessions } from '../access/browser-session.ts';
import { createConsents } from '../access/consents.ts';
import { cookieSettings } from '../access/cookies.ts';
import { createAccessEnder, createAccountAccess } from '../access/grants.ts';
import { createClientRegistry } from '../clients/clients.ts';
import type { DialectsAsked, OidcServer } from '../contract.ts';
import { createInteractions } from '../interactions/interactions.ts';
import type { ProviderPages } from '../page-contract.ts';
import { createOidcRecords } from '../persistence/records.ts';
import { openSigningKeys, type SigningKeys } from '../persistence/signing-keys.ts';
import { providerMethods, ROUTES, requestBounds } from '../provider/routes.ts';
import { createGrantIssuer } from '../tokens/dialect-grants.ts';
import { createRotations } from '../tokens/refresh-rotation.ts';
import type { RequestContextOf } from './audit-events.ts';
import type { ProviderDeps } from './configuration.ts';
import type { DeviceDeps } from './device-flow.ts';
import { createOutboundFetch } from './outbound-fetch.ts';
import { buildProvider } from './provider.ts';

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
  readonly attempts: DeviceDeps['attempts'];
  /** Request id and canonical client address for the audit trail. */
  readonly originOf?: RequestContextOf;
}

/** How often the server reads the keyring for keys that are due or that another node changed. Milliseconds. */
const WATCH = 30_000;
/** The JWKS is answered from memory when the store is slower than this. Milliseconds. */
const JWKS_PATIENCE = 500;
/** Dialects' tokens live up to 30 days; a key is published a day longer than the last token it signed. Seconds. */
const LONGEST_TOKEN = 31 * 86_400;

export async function createOidcServer(options: OidcServerOptions): Promise<OidcServer> {
  const { config, stores, log, audit } = options;
  assertLifetimes(config);
  const dialects = dialectsToCome();
  const deps = providerDeps(options, dialects.asked);
  const { oidcRecords, clients, consents } = deps;
  const keys = await openKeys(options);
  const oidcProvider = followKeys({ keys, build: () => buildProvider(deps, keys.ring), log });
  const provider = () => oidcProvider.provider;

  return {
    async handle(request, response) {
      if (request.url?.startsWith(ROUTES.jwks)) await oidcProvider.freshKeys();
      await oidcProvider.handle(request, response);
    },
    methods: providerMethods,
    bounds: requestBounds,
    grants: createGrantIssuer({
      ...deps,
      ring: () => keys.ring,
      reused: ({ clientId, accountId }) =>
        audit.write({ event: 'token.reused', outcome: 'refused', clientId, subject: accountId }),
    }),
    access: createAccessEnder(oidcRecords, consents),
    accountAccess: createAccountAccess({ oidcRecords, clients, consents }),
    interactions: createInteractions({ provider, oidcRecords, consents, accounts: stores.accounts }),
    sessions: createBrowserSessions({
      ...{ provider, oidcRecords },
      lifetimes: config.sessions,
      cookie: deps.cookies,
    }),
    signingKeys: () =>
      keys.ring.keys.map(({ jwk: _secret, since, ...key }) => ({ ...key, since: new Date(since * 1000) })),
    askDialects: dialects.arrive,
    rotateKeys: ({ force = false } = {}) => oidcProvider.rotate(force),
    close: async () => oidcProvider.stop(),
  };
}

function providerDeps(options: OidcServerOptions, dialects: DialectsAsked): ProviderDeps {
  const { config, issuer, stores, clock, secrets } = options;
  const oidcRecords = createOidcRecords({ store: stores.oidcRecords, secrets, clock });
  const { organizations } = stores;
  const clients = createClientRegistry({ store: stores.clients, organizations, issuer, clock });
  return {
    ...options,
    ...{ oidcRecords, clients, dialects },
    originOf: options.originOf ?? (() => undefined),
    accounts: stores.accounts,
    leases: stores.leases,
    consents: createConsents({
      ...{ oidcRecords, clients, secrets, clock },
      enabled: config.oidc.rememberConsent === 'account',
      lifetime: config.oidc.lifetimes.consent,
    }),
    rotations: createRotations({ leases: stores.leases, oidcRecords, secrets, clock }),
    cookies: cookieSettings(issuer),
    strangers: createAnonymousBudgets({ stores, clock, limits: config.strangers, secrets }),
    fetch: createOutboundFetch(config.outbound),
  };
}

function openKeys({ config, stores, secrets, clock, log }: OidcServerOptions): Promise<SigningKeys> {
  const { idToken, accessToken } = config.oidc.lifetimes;
  const schedule = { ...config.keys, longestToken: Math.max(LONGEST_TOKEN, idToken, accessToken) };
  return openSigningKeys({ store: stores.keyring, secrets, clock, log, schedule });
}

/** Dialects are made after the OIDC server, which they use. Until they arrive none of their tokens is active. */
function dialectsToCome(): { asked: DialectsAsked; arrive(dialects: DialectsAsked): void } {
  let dialects: DialectsAsked = {
    describeApiKey: async () => undefined,
    isApiKey: () => false,
    admitsToken: () => false,
  };
  return {
    asked: {
      describeApiKey: (key) => dialects.describeApiKey(key),
      isApiKey: (text) => dialects.isApiKey(text),
      admitsToken: (dialect, account) => dialects.admitsToken(dialect, account),
    },
    arrive(arrived) {
      dialects = arrived;
    },
  };
}

/** A grant that ends takes its refresh tokens along, so it must last longer. */
function assertLifetimes({ oidc: { lifetimes } }: Config): void {
  if (lifetimes.grant < lifetimes.refreshToken) {
    throw new RangeError('oidc.lifetimes.grant must be at least oidc.lifetimes.refreshToken.');
  }
}

/** The provider on the current keys. */
function followKeys({ keys, build, log }: { keys: SigningKeys; build: () => Provider; log: Log }) {
  let provider = build();
  let handler = provider.callback();
  let lastLook = performance.now();
  const swap = () => {
    provider = build();
    handler = provider.callback();
  };
  const look = async () => {
    lastLook = performance.now();
    if (await keys.refresh()) swap();
  };
  const rotate = async (force: boolean) => {
    await look();
    if (await keys.rotate({ force })) swap();
  };
  const timer = setInterval(() => {
    rotate(false).catch((error) => log.warn({ err: error }, 'the signing keys could not be looked at'));
  }, WATCH).unref();

  return {
    get provider() {
      return provider;
    },
    handle: (request: IncomingMessage, response: ServerResponse): Promise<void> => handler(request, response),
    rotate,
    /** A client that fetches the JWKS right after another node has rotated finds the new key here too. */
    async freshKeys() {
      if (performance.now() - lastLook < 1_000) return;
      const { promise: enough, resolve } = Promise.withResolvers<void>();
      const patience = setTimeout(resolve, JWKS_PATIENCE);
      await Promise.race([look().catch(() => undefined), enough]);
      clearTimeout(patience);
    },
    stop: () => clearInterval(timer),
  };
}

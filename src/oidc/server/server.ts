/**
 * The OIDC server: the engine behind a handler that stays the same while signing keys, and with them the
 * engine itself, are replaced. The way into this folder.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { createStrangers } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { Audit } from '../../observe/audit.ts';
import type { Log } from '../../observe/log.ts';
import type { Stores } from '../../store/ports/stores.ts';
import { createBrowserSessions } from '../access/browser-session.ts';
import { createConsents } from '../access/consents.ts';
import { cookieSettings } from '../access/cookies.ts';
import { createAccessEnder, createHoldings } from '../access/grants.ts';
import { createClientRegistry } from '../clients/clients.ts';
import type { DialectsAsked, EnginePages, OidcServer } from '../contract.ts';
import type { OriginOf } from '../extensions/audit-events.ts';
import type { DeviceParts } from '../extensions/device-flow.ts';
import { createInteractions } from '../interactions/interactions.ts';
import { createArtifacts } from '../persistence/records.ts';
import type { SigningKeys } from '../persistence/signing-keys.ts';
import { openSigningKeys } from '../persistence/signing-keys.ts';
import { engineMethods, ROUTES, requestBounds } from '../provider/routes.ts';
import { createGrantIssuer } from '../tokens/dialect-grants.ts';
import { createRotations } from '../tokens/refresh-rotation.ts';
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
  /** Error, logout and signed-out pages: renderError, logoutSource and postLogoutSuccessSource of the engine. */
  readonly pages: EnginePages;
  /** What wrong user codes of the device flow cost. */
  readonly attempts: DeviceParts['attempts'];
  /** Request id and canonical client address for the audit trail. */
  readonly originOf?: OriginOf;
}

/** How often the keyring is looked at for keys that are due or that another node changed. Milliseconds. */
const WATCH = 30_000;
/** The JWKS is answered from memory when the store is slower than this. Milliseconds. */
const JWKS_PATIENCE = 500;
/** Dialects' tokens live up to 30 days; a key is published a day longer than the last token it signed. Seconds. */
const LONGEST_TOKEN = 31 * 86_400;

export async function createOidcServer(options: OidcServerOptions): Promise<OidcServer> {
  const { config, issuer, stores, clock, secrets, log, audit } = options;
  assertLifetimes(config);
  const originOf: OriginOf = options.originOf ?? (() => undefined);
  const artifacts = createArtifacts({ store: stores.artifacts, secrets, clock });
  const clients = createClientRegistry({
    store: stores.clients,
    organizations: stores.organizations,
    issuer,
    clock,
  });
  const consents = createConsents({
    ...{ artifacts, clients, secrets, clock },
    enabled: config.oidc.rememberConsent === 'account',
    lifetime: config.oidc.lifetimes.consent,
  });
  const rotations = createRotations({ claims: stores.claims, artifacts, secrets, clock });
  const cookies = cookieSettings(issuer);
  const strangers = createStrangers({ stores, clock, limits: config.strangers, secrets });
  const { idToken, accessToken } = config.oidc.lifetimes;
  const keys = await openSigningKeys({
    store: stores.keyring,
    secrets,
    clock,
    log,
    schedule: { ...config.keys, longestToken: Math.max(LONGEST_TOKEN, idToken, accessToken) },
  });
  let dialects: DialectsAsked = {
    describeApiKey: async () => undefined,
    isApiKey: () => false,
    admitsToken: () => false,
  };
  const build = () =>
    buildProvider(
      {
        ...{ config, issuer, clock, secrets, log, audit, originOf },
        ...{ artifacts, clients, consents, rotations, cookies },
        accounts: stores.accounts,
        claims: stores.claims,
        cookieKeys: options.cookieKeys,
        pages: options.pages,
        attempts: options.attempts,
        strangers,
        fetch: createOutboundFetch(config.outbound),
        dialects: {
          describeApiKey: (key) => dialects.describeApiKey(key),
          isApiKey: (text) => dialects.isApiKey(text),
          admitsToken: (dialect, account) => dialects.admitsToken(dialect, account),
        },
      },
      keys.ring,
    );
  const engine = followKeys({ keys, build, log });
  const provider = () => engine.provider;

  return {
    async handle(request, response) {
      if (request.url?.startsWith(ROUTES.jwks)) await engine.freshKeys();
      await engine.handle(request, response);
    },
    serves: (path) => engineMethods(path) !== undefined,
    methods: engineMethods,
    bounds: requestBounds,
    grants: createGrantIssuer({
      ...{ artifacts, rotations, secrets, clock, issuer },
      ring: () => keys.ring,
      reused: ({ clientId, accountId }) =>
        audit.write({ event: 'token.reused', outcome: 'refused', clientId, subject: accountId }),
    }),
    access: createAccessEnder(artifacts, consents),
    holdings: createHoldings({ artifacts, clients, consents }),
    interactions: createInteractions({ provider, artifacts, consents, accounts: stores.accounts }),
    sessions: createBrowserSessions({ provider, artifacts, lifetimes: config.sessions, cookie: cookies }),
    signingKeys: () =>
      keys.ring.keys.map(({ kid, alg, state, since }) => ({
        kid,
        alg,
        state,
        since: new Date(since * 1000),
      })),
    askDialects(asked) {
      dialects = asked;
    },
    rotateKeys: ({ force = false } = {}) => engine.rotate(force),
    close: async () => engine.stop(),
  };
}

/** A grant that ends takes its refresh tokens along, so it must be meant to last longer. */
function assertLifetimes({ oidc: { lifetimes } }: Config): void {
  if (lifetimes.grant < lifetimes.refreshToken) {
    throw new RangeError('oidc.lifetimes.grant must be at least oidc.lifetimes.refreshToken.');
  }
}

/** The engine on the keys of the moment. */
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
    /** Whoever fetches the JWKS right after another node has rotated finds the new key here too. */
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

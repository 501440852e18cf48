/**
 * The OIDC server: the provider behind a handler that stays the same while signing keys, and with them the
 * provider itself, are replaced. src/server/server.ts enters this folder here; provider.ts builds the provider.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/schema.ts';
import type { Log } from '../../observe/log.ts';
import { createBrowserSessions } from '../access/browser-session.ts';
import { createAccessEnder, createAccountAccess } from '../access/grants.ts';
import { judgeClient } from '../clients/judge-client.ts';
import type { OidcServer } from '../contract.ts';
import { validateClient } from '../extensions/issuer-and-clients.ts';
import { routeKey } from '../fast-path/fast-path.ts';
import { createInteractions } from '../interactions/interactions.ts';
import { createDeliverer } from '../logout/deliverer.ts';
import { openSigningKeys, type SigningKeys } from '../persistence/signing-keys.ts';
import { isForPrograms, providerMethods, ROUTES, requestBounds } from '../provider/routes.ts';
import { createGrantIssuer } from '../tokens/dialect-grants.ts';
import { configuration, knownScopes } from './configuration.ts';
import { type OidcServerOptions, providerDeps } from './deps.ts';
import { outboundRefusal } from './outbound-fetch.ts';
import { buildProvider } from './provider.ts';

/** How often the server reads the keyring for keys that are due or that another node changed. Milliseconds. */
const WATCH = 30_000;
/** How old the JWKS may be. Milliseconds. */
const JWKS_AGE = 1_000;
/** The JWKS is answered from memory when the store is slower than this. Milliseconds. */
const JWKS_PATIENCE = 500;
/** Dialects' tokens live up to 30 days; a key is published a day longer than the last token it signed. Seconds. */
const LONGEST_TOKEN = 31 * 86_400;

type Build = ReturnType<typeof buildProvider>;

export async function createOidcServer(options: OidcServerOptions): Promise<OidcServer> {
  const { config, log, audit } = options;
  assertLifetimes(config);
  const deps = providerDeps(options);
  const routes = { registers: config.oidc.registration.mode !== 'off' };
  const keys = await openKeys(options);
  const oidcProvider = followKeys({ keys, build: () => buildProvider(deps, keys.ring), log });
  const provider = () => oidcProvider.provider;
  const deliverer = createDeliverer({
    ...{ ...deps, provider, deliveries: options.stores.deliveries },
    limits: config.oidc.backchannelLogout,
    count: options.countLogout ?? (() => {}),
    revoke: options.revoke ?? (async () => 'there are no upstreams'),
  });
  deps.logouts.follow(deliverer.wake);

  const issuerOn = (parts: typeof deps, writer: typeof audit) =>
    createGrantIssuer({
      ...parts,
      ring: () => keys.ring,
      reused: ({ clientId, accountId }) =>
        writer.write({ event: 'token.reused', outcome: 'refused', clientId, subject: accountId }),
    });
  const methods = (path: string) => providerMethods(path, routes);

  return {
    async handle(request, response) {
      if (request.url?.startsWith(ROUTES.jwks)) await oidcProvider.freshKeys();
      await oidcProvider.handle(request, response);
    },
    methods,
    isForPrograms: (path) => isForPrograms(path, routes),
    fastRoute: oidcProvider.fastRoute,
    bounds: requestBounds,
    grants: issuerOn(deps, audit),
    access: createAccessEnder(deps),
    accountAccess: createAccountAccess(deps),
    interactions: createInteractions({ ...deps, provider }),
    sessions: createBrowserSessions({ ...deps, provider, lifetimes: config.sessions }),
    signingKeys: () =>
      keys.list().map(({ jwk: _secret, since, until, ...key }) => ({
        ...{ ...key, since: new Date(since * 1000), until: new Date(until * 1000) },
      })),
    judgeClient: (client) =>
      judgeClient(client, {
        validate: (metadata) => validateClient(provider(), metadata),
        scopes: () => knownScopes(configuration(deps, keys.ring)),
        refusesToFetch: (url) => outboundRefusal(url, config.outbound),
        fetch: deps.fetch,
      }),
    registrations: deps.registration.forOperators,
    askDialects: (arrived) => void Object.assign(deps.dialects, arrived),
    rotateKeys: ({ force = false } = {}) => oidcProvider.rotate(force),
    deliverLogouts: deliverer.start,
    forDialectsOn(ground) {
      const parts = providerDeps({ ...options, ...ground });
      const sessions = createBrowserSessions({ ...parts, provider, lifetimes: config.sessions });
      return {
        methods,
        grants: issuerOn(parts, ground.audit),
        access: createAccessEnder(parts),
        sessions: { endOpenedBy: sessions.endOpenedBy, open: async () => {} },
      };
    },
    async close() {
      oidcProvider.stop();
      await deliverer.stop();
    },
  };
}

function openKeys({ config, stores, secrets, clock, log }: OidcServerOptions): Promise<SigningKeys> {
  const { idToken, accessToken } = config.oidc.lifetimes;
  const schedule = { ...config.keys, longestToken: Math.max(LONGEST_TOKEN, idToken, accessToken) };
  return openSigningKeys({ store: stores.keyring, secrets, clock, log, schedule });
}

/** A grant that ends takes its refresh tokens along, so it must last longer. */
function assertLifetimes({ oidc: { lifetimes } }: Config): void {
  if (lifetimes.grant < lifetimes.refreshToken) {
    throw new RangeError('oidc.lifetimes.grant must be at least oidc.lifetimes.refreshToken.');
  }
}

/** The provider on the current keys. */
function followKeys({ keys, build, log }: { keys: SigningKeys; build: () => Build; log: Log }) {
  let { provider, fast } = build();
  let handler = provider.callback();
  let lastLook = performance.now();
  const swap = () => {
    ({ provider, fast } = build());
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
    fastRoute(method: string, path: string) {
      // The look at the keyring is the long way's.
      if (path === ROUTES.jwks && performance.now() - lastLook >= JWKS_AGE) return undefined;
      return fast.get(routeKey(method, path));
    },
    handle: (request: IncomingMessage, response: ServerResponse): Promise<void> => handler(request, response),
    rotate,
    /** A client that fetches the JWKS right after another node has rotated finds the new key here too. */
    async freshKeys() {
      if (performance.now() - lastLook < JWKS_AGE) return;
      const { promise: enough, resolve } = Promise.withResolvers<void>();
      const patience = setTimeout(resolve, JWKS_PATIENCE);
      await Promise.race([look().catch(() => undefined), enough]);
      clearTimeout(patience);
    },
    stop: () => clearInterval(timer),
  };
}

/**
 * What an upstream publishes: where it answers and its signing keys, kept for an hour. A key that is
 * not there is asked for anew, because upstreams rotate, but once a minute at most: tokens with made-up key
 * ids must not make this server a load generator. While the upstream is down the keys that are known
 * go on serving.
 */
import { createLocalJWKSet, errors } from 'jose';
import type { ServerMetadata } from 'openid-client';
import type { Log } from '../../observe/log.ts';
import { type Fetch, fetchJson, isSafeUrl } from './fetch.ts';
import { UpstreamUnavailable } from './upstream.ts';

const KEPT_FOR = 3_600_000;
const REFETCH_EVERY = 60_000;

export type UpstreamKeys = ReturnType<typeof createUpstreamKeys>;

type Resolve = ReturnType<typeof createLocalJWKSet>;

interface KeySet {
  readonly resolve: Resolve;
  /** By `kid`: whose tokens alone a key may sign, where the upstream says so (Entra). */
  readonly issuers: ReadonlyMap<string, string>;
}

/** Where an upstream answers. */
export interface Endpoints {
  readonly authorizationEndpoint?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  readonly jwksUri?: string | undefined;
  readonly revocationEndpoint?: string | undefined;
}

export interface Published {
  readonly issuer: string;
  /** What its discovery document names, where that is no issuer itself. */
  readonly namedIssuer?: string;
  /** Those that are known. The discovery document is fetched for the others alone. */
  readonly endpoints: Endpoints;
}

export function createUpstreamKeys(options: Published & { fetch: Fetch; log: Pick<Log, 'warn'> }) {
  const { issuer, endpoints, log } = options;
  const known = knownMetadata(endpoints);
  const { authorizationEndpoint, tokenEndpoint, jwksUri } = endpoints;
  const suffice = [authorizationEndpoint, tokenEndpoint, jwksUri].every((one) => one !== undefined);
  const discovery = keep<ServerMetadata>(log, async () => ({
    ...(suffice ? { issuer } : await fetchMetadata(options.fetch, options)),
    ...known,
  }));
  const keySet = keep<KeySet>(log, async (now) => {
    const uri = endpoints.jwksUri ?? (await discovery.get(now)).jwks_uri;
    if (uri === undefined) throw new UpstreamUnavailable(`${issuer} names no jwks_uri.`);
    return readKeys(await fetchJson(options.fetch, uri));
  });

  return {
    /** UpstreamUnavailable when it was never fetched and cannot be now. */
    metadata: discovery.get,
    /** The key for a token's header. Jose's JWKSNoMatchingKey when there is none; UpstreamUnavailable. */
    async keyFor(now: Date, ...asked: Parameters<Resolve>) {
      const keys = await keySet.get(now);
      try {
        return await keys.resolve(...asked);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        const newer = await keySet.renew(now);
        return newer.resolve(...asked);
      }
    },
    /** Undefined: it may sign for every issuer of the upstream. */
    issuerOfKey: async (now: Date, kid = '') => (await keySet.get(now)).issuers.get(kid),
  };
}

function knownMetadata({ authorizationEndpoint, tokenEndpoint, jwksUri, revocationEndpoint }: Endpoints) {
  return {
    ...(authorizationEndpoint !== undefined && { authorization_endpoint: authorizationEndpoint }),
    ...(tokenEndpoint !== undefined && { token_endpoint: tokenEndpoint }),
    ...(jwksUri !== undefined && { jwks_uri: jwksUri }),
    ...(revocationEndpoint !== undefined && { revocation_endpoint: revocationEndpoint }),
  };
}

/** What of a discovery document is called, or opened in a browser. */
const ADDRESSES = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'] as const;

async function fetchMetadata(
  fetchCapped: Fetch,
  { issuer, namedIssuer = issuer }: Published,
): Promise<ServerMetadata> {
  // OIDC Discovery 4: without the slash that some issuers end in.
  const metadata = await fetchJson(
    fetchCapped,
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
  );
  // OIDC Discovery 4.3: a document that names another issuer is refused.
  if (metadata.issuer !== namedIssuer) throw new UpstreamUnavailable(`${issuer} publishes another issuer.`);
  // What answers from elsewhere must not lead the server to what listens on this machine.
  const isHere = new URL(issuer).protocol === 'http:';
  for (const name of ADDRESSES) {
    const address = metadata[name];
    if (address !== undefined && !(typeof address === 'string' && isSafeUrl(address, isHere)))
      throw new UpstreamUnavailable(`${issuer} names a ${name} that is no https URL.`);
  }
  return { ...metadata, issuer: namedIssuer };
}

function readKeys(document: Record<string, unknown>): KeySet {
  try {
    if (!Array.isArray(document.keys)) throw new TypeError('keys is no list');
    const named = document.keys.flatMap(({ kid, issuer }) =>
      typeof issuer === 'string' ? [[kid, issuer] as const] : [],
    );
    return { resolve: createLocalJWKSet({ keys: document.keys }), issuers: new Map(named) };
  } catch (cause) {
    throw new UpstreamUnavailable('The key set cannot be read.', { cause });
  }
}

function keep<T>(log: Pick<Log, 'warn'>, load: (now: Date) => Promise<T>) {
  let kept: { value: T; at: number } | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let underway: Promise<T> | undefined;

  function reload(now: Date): Promise<T> {
    askedAt = now.getTime();
    // One request for all that wait.
    underway ??= load(now)
      .then((value) => {
        kept = { value, at: now.getTime() };
        return value;
      })
      .finally(() => {
        underway = undefined;
      });
    return underway;
  }

  /** A newer one, unless the last fetch was less than a minute ago. */
  async function renew(now: Date): Promise<T> {
    const known = kept;
    if (known === undefined) return reload(now);
    if (underway === undefined && now.getTime() - askedAt < REFETCH_EVERY) return known.value;
    return reload(now).catch((error: unknown) => {
      log.warn({ err: error }, 'an upstream could not be asked again; what it said before goes on serving');
      return known.value;
    });
  }

  return {
    renew,
    /** At most an hour old, or older when a newer one cannot be had. */
    get: async (now: Date): Promise<T> =>
      kept !== undefined && now.getTime() - kept.at < KEPT_FOR ? kept.value : renew(now),
  };
}

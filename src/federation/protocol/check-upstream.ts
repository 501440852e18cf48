/**
 * What an operator wants to know of an upstream before people depend on it: discovery, its keys, its clock, and what is
 * to be known of the client's secret. No person signs in, and nothing changes.
 */
import { randomUUID } from 'node:crypto';
import type { UpstreamSpec } from './create-upstream.ts';
import { type Fetch, fetchJson } from './fetch.ts';
import { ALGORITHMS, TOLERANCE } from './id-token.ts';
import { createUpstreamKeys, type UpstreamKeys } from './jwks.ts';
import { createRedirectSignIn } from './redirect-sign-in.ts';
import { IdTokenRefused, UpstreamUnavailable } from './upstream.ts';

export interface UpstreamFinding {
  readonly check: 'discovery' | 'keys' | 'clock' | 'secret';
  readonly state: 'ok' | 'warning' | 'failed';
  readonly says: string;
}

type Says = Omit<UpstreamFinding, 'check'>;

const ok = (says: string): Says => ({ state: 'ok', says });
const warning = (says: string): Says => ({ state: 'warning', says });
const failed = (says: string): Says => ({ state: 'failed', says });

/** Seconds by which clocks may differ without a word. */
const CLOCKS_AGREE = 5;
const DAYS_OF_WARNING = 30;
const DAY = 86_400_000;

export async function checkUpstream(
  spec: UpstreamSpec,
  { fetch, callback, now }: { fetch: Fetch; callback: string; now: Date },
): Promise<UpstreamFinding[]> {
  let date: string | null = null;
  const dated: Fetch = async (url, init) => {
    const response = await fetch(url, init);
    date ??= response.headers.get('date');
    return response;
  };
  const keys = createUpstreamKeys({ ...spec.published, fetch: dated, log: { warn() {} } });
  const discovery: UpstreamFinding = {
    check: 'discovery',
    ...(await orFailed(() => discovered(spec, keys, now))),
  };
  if (discovery.state === 'failed') return [discovery];
  const published = await orFailed(() => keysOf(keys, dated, now));
  const secret = await orFailed(() => secretOf(spec, keys, { fetch: dated, callback, now }));
  return [
    discovery,
    { check: 'keys', ...published },
    { check: 'clock', ...clockOf(date, now) },
    { check: 'secret', ...secret },
  ];
}

async function orFailed(work: () => Promise<Says>): Promise<Says> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    return failed(reasonsOf(error).join(' '));
  }
}

/** Of the error and its causes: the last one says what an operator can mend, such as a name that is not found. */
function reasonsOf(error: unknown, depth = 1): string[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const { code = '' }: { code?: unknown } = Object(error);
  return [error.message || String(code), ...reasonsOf(error.cause, depth + 1)];
}

async function discovered({ published, client }: UpstreamSpec, keys: UpstreamKeys, now: Date): Promise<Says> {
  const { authorization_endpoint: authorization, token_endpoint: token, ...more } = await keys.metadata(now);
  if (client !== undefined && (authorization === undefined || token === undefined))
    return failed('it names no authorization_endpoint, or no token_endpoint');
  const methods = more.code_challenge_methods_supported;
  if (methods !== undefined && !methods.includes('S256'))
    return warning('it does not say that it takes PKCE (S256)');
  const known = Object.values(published.endpoints).every((endpoint) => endpoint !== undefined);
  return known && Object.keys(published.endpoints).length > 0
    ? ok('its addresses are documented or configured: nothing is discovered')
    : ok(`${published.issuer} names itself, and its addresses`);
}

async function keysOf(keys: UpstreamKeys, fetch: Fetch, now: Date): Promise<Says> {
  const { jwks_uri: uri } = await keys.metadata(now);
  if (uri === undefined) return failed('it names no jwks_uri');
  const { keys: all } = await fetchJson(fetch, uri);
  if (!Array.isArray(all)) return failed(`${uri} holds no list of keys`);
  const signing = all.filter((each) => {
    const { use, kty, alg } = Object(each);
    return (
      use !== 'enc' && (kty === 'RSA' || kty === 'EC') && (alg === undefined || ALGORITHMS.includes(alg))
    );
  });
  return signing.length > 0
    ? ok(`${signing.length} of ${all.length} sign ID tokens (${ALGORITHMS.join(', ')})`)
    : failed(`none of ${all.length} signs ID tokens with ${ALGORITHMS.join(' or ')}`);
}

function clockOf(date: string | null, now: Date): Says {
  const time = Date.parse(date ?? '');
  if (Number.isNaN(time)) return warning('its replies tell no time');
  const off = Math.abs(time - now.getTime()) / 1000;
  const differ = `it differs from this server’s by ${Math.round(off)} s`;
  if (off <= CLOCKS_AGREE) return ok('it agrees with this server’s');
  return off <= TOLERANCE ? warning(differ) : failed(`${differ}: ID tokens are refused past ${TOLERANCE} s`);
}

/** Asks whether the secret is good now. When it ends no upstream publishes, so the configuration may say it. */
async function secretOf(
  { client, secretExpires }: UpstreamSpec,
  keys: UpstreamKeys,
  options: { fetch: Fetch; callback: string; now: Date },
): Promise<Says> {
  if (client === undefined) return warning('no client is configured for the redirect sign-in');
  const refused = await refusalOfCode(
    createRedirectSignIn({ ...client, keys, fetch: options.fetch }),
    keys,
    options,
  );
  // Entra answers unauthorized_client where it does not know the client id.
  if (refused === 'invalid_client' || refused === 'unauthorized_client')
    return failed(`the upstream refuses the client, or its secret (${refused})`);
  if (refused !== 'invalid_grant')
    return warning(`its answer to a made-up code does not say whether it takes the secret: ${refused}`);
  const taken = `the upstream did not refuse it (its answer to a made-up code: ${refused})`;
  if (secretExpires === undefined)
    return ok(
      `${taken}; when it ends cannot be asked: set clientSecretExpires, and this warns ${DAYS_OF_WARNING} days before`,
    );
  const days = Math.floor((Date.parse(secretExpires) - options.now.getTime()) / DAY);
  if (days < 0) return failed(`it ended on ${secretExpires}, says the configuration`);
  const says = `${taken}; it ends on ${secretExpires}, in ${days} days`;
  return days < DAYS_OF_WARNING ? warning(says) : ok(says);
}

/** What the token endpoint answers to a code that it has never given. */
async function refusalOfCode(
  redirect: ReturnType<typeof createRedirectSignIn>,
  keys: UpstreamKeys,
  { callback, now }: { callback: string; now: Date },
): Promise<string> {
  const [state, code] = [randomUUID(), 'portico-upstream-check'];
  const { issuer: iss } = await keys.metadata(now);
  const keep = { verifier: 'v'.repeat(43), nonce: state };
  try {
    await redirect.finish({
      callback,
      state,
      keep,
      now,
      parameters: new URLSearchParams({ code, state, iss }),
    });
    return 'none';
  } catch (error) {
    if (!(error instanceof IdTokenRefused)) throw error;
    const { error: name, status }: { error?: unknown; status?: unknown } = Object(error.cause);
    if (typeof name === 'string') return name;
    return status === 401 ? 'invalid_client' : status === undefined ? 'none' : `status ${status}`;
  }
}

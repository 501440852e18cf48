/**
 * The redirect sign-in with an upstream: authorization code flow with PKCE, state and nonce, spoken by
 * openid-client. id-token.ts verifies the ID token that results, like one that a client presents.
 */
import type { Configuration } from 'openid-client';
import type { Fetch } from './fetch.ts';
import { TOLERANCE } from './id-token.ts';
import type { UpstreamKeys } from './jwks.ts';
import { IdTokenRefused, type RedirectEnd, type RedirectStart, UpstreamUnavailable } from './upstream.ts';

export interface RedirectOptions {
  readonly clientId: string;
  readonly keys: UpstreamKeys;
  readonly fetch: Fetch;
  readonly scope: string;
  /** Further parameters of the authorization request. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Parameters that make the upstream ask a signed-in person again. */
  readonly againParameters?: Readonly<Record<string, string>>;
  /** Asked at each exchange: a secret may be a short-lived JWT. Undefined: a public client. */
  clientSecret(now: Date): Promise<string | undefined>;
}

/** Only where people sign in with an upstream. */
const loadClient = () => import('openid-client');

export function createRedirectSignIn(options: RedirectOptions) {
  async function configuration(now: Date): Promise<Configuration> {
    const openid = await loadClient();
    const metadata = await options.keys.metadata(now);
    const secret = await options.clientSecret(now);
    const authentication = secret === undefined ? openid.None() : openid.ClientSecretPost(secret);
    const client = { [openid.clockTolerance]: TOLERANCE };
    const configured = new openid.Configuration(metadata, options.clientId, client, authentication);
    configured[openid.customFetch] = (url, init) => options.fetch(url, { ...init, body: init.body ?? null });
    // Only an issuer on this machine is http: the configuration and createCappedFetch refuse all others.
    if (metadata.issuer.startsWith('http:')) openid.allowInsecureRequests(configured);
    return configured;
  }

  return {
    async begin({ callback, state, loginHint, again = false }: RedirectStart) {
      const openid = await loadClient();
      const verifier = openid.randomPKCECodeVerifier();
      const nonce = openid.randomNonce();
      const url = openid.buildAuthorizationUrl(await configuration(new Date()), {
        redirect_uri: callback,
        scope: options.scope,
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(loginHint === undefined ? {} : { login_hint: loginHint }),
        ...options.parameters,
        ...(again ? options.againParameters : {}),
      });
      return { url: url.href, keep: { verifier, nonce } };
    },
    /** The ID token and the nonce that it must have. 'denied': the upstream answered with an error. */
    async finish({ callback, parameters, state, keep, now }: RedirectEnd) {
      if (parameters.get('state') !== state) throw new IdTokenRefused('The state is another one.');
      if (parameters.has('error')) return 'denied';
      const { verifier, nonce } = keep;
      if (typeof verifier !== 'string' || typeof nonce !== 'string') {
        throw new IdTokenRefused('What was kept of the sign-in is gone.');
      }
      const url = new URL(callback);
      // What belongs to the protocol; Apple's `user` and anything else stays out.
      const answer = [...parameters].filter(([name]) => ['code', 'state', 'iss'].includes(name));
      url.search = new URLSearchParams(answer).toString();
      const idToken = await exchange(await configuration(now), url, { verifier, nonce, state });
      return { idToken, nonce };
    },
  };
}

async function exchange(
  configured: Configuration,
  url: URL,
  expected: { verifier: string; nonce: string; state: string },
): Promise<string> {
  try {
    const openid = await loadClient();
    const tokens = await openid.authorizationCodeGrant(configured, url, {
      pkceCodeVerifier: expected.verifier,
      expectedNonce: expected.nonce,
      expectedState: expected.state,
      idTokenExpected: true,
    });
    if (tokens.id_token === undefined) throw new IdTokenRefused('The upstream sent no ID token.');
    return tokens.id_token;
  } catch (cause) {
    if (cause instanceof IdTokenRefused) throw cause;
    if (isUnavailable(cause)) throw new UpstreamUnavailable('The token endpoint does not answer.', { cause });
    throw new IdTokenRefused('The code could not be exchanged.', { cause });
  }
}

/** Whether the upstream failed, by the error or one of its causes; not more than eight are looked at. */
function isUnavailable(error: unknown, depth = 1): boolean {
  if (error instanceof UpstreamUnavailable) return true;
  if (error instanceof Response) return error.status >= 500;
  return error instanceof Error && depth < 8 && isUnavailable(error.cause, depth + 1);
}

/**
 * The redirect sign-in with an upstream: authorization code flow with PKCE, state and nonce, spoken by
 * openid-client. id-token.ts verifies the ID token that results, like one that a client presents.
 */
import type { ClientAuth, Configuration } from 'openid-client';
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
  /** How the client authenticates; asked at each exchange, since a secret may be a short-lived JWT. */
  authenticate(openid: OpenIdClient, now: Date): Promise<ClientAuth>;
}

export type OpenIdClient = typeof import('openid-client');

/** What the exchange of a code ends with. */
export interface Exchanged {
  readonly idToken: string;
  readonly nonce: string;
  readonly refreshToken?: string | undefined;
  /** What userinfo says of this subject; undefined where the upstream has none. IdTokenRefused, UpstreamUnavailable. */
  userinfo(subject: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** Only where people sign in with an upstream. */
const loadClient = (): Promise<OpenIdClient> => import('openid-client');

export function createRedirectSignIn(options: RedirectOptions) {
  async function configuration(now: Date, send = options.fetch): Promise<Configuration> {
    const openid = await loadClient();
    const metadata = await options.keys.metadata(now);
    const client = { [openid.clockTolerance]: TOLERANCE };
    const authentication = await options.authenticate(openid, now);
    const configured = new openid.Configuration(metadata, options.clientId, client, authentication);
    configured[openid.customFetch] = (url, init) => send(url, { ...init, body: init.body ?? null });
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
    async finish({ callback, parameters, state, keep, now }: RedirectEnd): Promise<Exchanged | 'denied'> {
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
      const { send, taken } = withoutIdToken(options.fetch);
      const configured = await configuration(now, send);
      const tokens = await spoken('The code could not be exchanged.', (openid) =>
        openid.authorizationCodeGrant(configured, url, { pkceCodeVerifier: verifier, expectedState: state }),
      );
      return {
        ...{ idToken: taken(), nonce, refreshToken: tokens.refresh_token },
        userinfo: async (subject) => userinfo(await configuration(now), tokens.access_token, subject),
      };
    },
    /** RFC 7009. IdTokenRefused, UpstreamUnavailable. */
    async revoke(refreshToken: string, now: Date): Promise<void> {
      const configured = await configuration(now);
      await spoken('The token was not revoked.', (openid) =>
        openid.tokenRevocation(configured, refreshToken, { token_type_hint: 'refresh_token' }),
      );
    },
  };
}

/**
 * Takes the ID token out of the answer before openid-client sees it: that knows one issuer for each server, where Entra
 * has one for each tenant. id-token.ts judges all of it, the nonce too.
 */
function withoutIdToken(fetchCapped: Fetch): { send: Fetch; taken(): string } {
  let idToken: unknown;
  return {
    async send(url, init) {
      const response = await fetchCapped(url, init);
      if (response.status !== 200) return response;
      const answer: Record<string, unknown> = Object.assign({}, await response.json());
      idToken = answer.id_token;
      return Response.json({ ...answer, id_token: undefined });
    },
    taken() {
      if (typeof idToken === 'string') return idToken;
      throw new IdTokenRefused('The upstream sent no ID token.');
    },
  };
}

async function userinfo(configured: Configuration, accessToken: string, subject: string) {
  if (configured.serverMetadata().userinfo_endpoint === undefined) return undefined;
  // Refuses the answer about another subject (OIDC Core 5.3.2).
  return spoken('Userinfo cannot be taken.', (openid) =>
    openid.fetchUserInfo(configured, accessToken, subject),
  );
}

async function spoken<T>(refused: string, work: (openid: OpenIdClient) => Promise<T>): Promise<T> {
  try {
    return await work(await loadClient());
  } catch (cause) {
    if (cause instanceof IdTokenRefused) throw cause;
    if (isUnavailable(cause)) throw new UpstreamUnavailable('The upstream does not answer.', { cause });
    throw new IdTokenRefused(refused, { cause });
  }
}

/** Whether the upstream failed, by the error or one of its causes; not more than eight are looked at. */
function isUnavailable(error: unknown, depth = 1): boolean {
  if (error instanceof UpstreamUnavailable) return true;
  if (error instanceof Response) return error.status >= 500;
  return error instanceof Error && depth < 8 && isUnavailable(error.cause, depth + 1);
}

/**
 * An application that lets people sign in with Portico: openid-client, the authorization code flow with
 * PKCE, state and nonce, and a browser that keeps cookies. It checks what a well-written client checks.
 */
import * as oidc from 'openid-client';
import { type TestClient, webApp } from './clients.ts';
import { openWebSession, type Page, type WebSession } from './web-session.ts';

export interface RelyingParty {
  readonly client: TestClient;
  /** openid-client's configuration, for its other functions. */
  readonly configuration: oidc.Configuration;
  /** Starts an authorization request of its own. `extra` overrides or adds parameters. */
  begin(extra?: Record<string, string>): Promise<Started>;
  /** Exchanges the code that came back to `callback`; checks state, nonce, iss and the ID token. */
  finish(started: Started, callback: string): Promise<Tokens>;
}

export interface Started {
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
}

export type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

export interface SignIn {
  readonly tokens: Tokens;
  readonly started: Started;
  readonly callback: string;
  readonly session: WebSession;
}

/** `issuer`: Portico's. Default client: webApp. */
export async function relyingParty(issuer: string, client: TestClient = webApp): Promise<RelyingParty> {
  const configuration = await oidc.discovery(
    new URL(issuer),
    client.clientId,
    client.secret === undefined ? {} : { client_secret: client.secret },
    authenticationOf(client),
    { execute: [oidc.allowInsecureRequests] },
  );
  return {
    client,
    configuration,
    async begin(extra = {}) {
      const [verifier, state, nonce] = [
        oidc.randomPKCECodeVerifier(),
        oidc.randomState(),
        oidc.randomNonce(),
      ];
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: client.redirectUri,
        scope: 'openid profile email',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
        ...extra,
      });
      return { url: url.href, verifier, state: extra.state ?? state, nonce: extra.nonce ?? nonce };
    },
    finish: (started, callback) =>
      oidc.authorizationCodeGrant(configuration, new URL(callback), {
        pkceCodeVerifier: started.verifier,
        expectedState: started.state,
        expectedNonce: started.nonce,
        idTokenExpected: true,
      }),
  };
}

function authenticationOf(client: TestClient): oidc.ClientAuth {
  if (client.secret === undefined) return oidc.None();
  return client.secretIn === 'body'
    ? oidc.ClientSecretPost(client.secret)
    : oidc.ClientSecretBasic(client.secret);
}

export interface SignInOptions {
  readonly login: string;
  readonly password: string;
  readonly session?: WebSession;
  readonly parameters?: Record<string, string>;
}

/** The whole way: authorization request, sign-in page, consent where it is asked, callback, tokens. */
export async function signIn(party: RelyingParty, options: SignInOptions): Promise<SignIn> {
  const session = options.session ?? openWebSession();
  const started = await party.begin(options.parameters);
  const callback = await walk(session, started.url, party.client.redirectUri, options);
  return { tokens: await party.finish(started, callback), started, callback, session };
}

/** Answers each page until the browser is sent to `redirectUri`; returns the address there. */
export async function walk(
  session: WebSession,
  url: string,
  redirectUri: string,
  { login, password }: { login: string; password: string },
): Promise<string> {
  const until = [redirectUri];
  let at = await session.open(url, until);
  for (let pages = 0; pages < 4 && typeof at !== 'string'; pages += 1) {
    at = await session.submit(at, asksForPassword(at) ? { login, password } : {}, { until });
  }
  if (typeof at !== 'string') throw new Error(`The sign-in ended at ${at.url} (${at.status}):\n${at.body}`);
  return at;
}

/** Goes to the end-session address, says yes where the server asks, and is followed to `until`. */
export async function walkOut(session: WebSession, url: string, until: string): Promise<string> {
  const asked = await session.open(url, [until]);
  const asks = typeof asked !== 'string' && asked.status === 200;
  const at = asks ? await session.submit(asked, {}, { until: [until] }) : asked;
  if (typeof at !== 'string') throw new Error(`The sign-out ended at ${at.url} (${at.status}):\n${at.body}`);
  return at;
}

export function asksForPassword(page: Page): boolean {
  return page.forms.some(({ names }) => names.includes('password'));
}

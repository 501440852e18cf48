/**
 * The OIDC half of the demo application, as any application would write it: discovery, the code flow with
 * PKCE, state and nonce, refresh, userinfo, sign-out. It speaks HTTP to the issuer like any other client.
 */
import type { Configuration } from 'openid-client';
import { DEMO_CLIENT_ID, DEMO_SCOPE } from './demo-client.ts';
import type { DemoTokens, Started } from './demo-sessions.ts';

export interface RelyingParty {
  /** Where to send the browser, and what to keep until it comes back. */
  begin(): Promise<{ url: string; started: Started }>;
  /** Exchanges the code. Throws what openid-client throws. */
  finish(callback: URL, started: Started): Promise<{ tokens: DemoTokens; subject: string }>;
  refresh(tokens: DemoTokens): Promise<DemoTokens>;
  userinfo(accessToken: string, subject: string): Promise<unknown>;
  /** Where to send the browser to sign out. */
  signOut(idToken: string | undefined): Promise<string>;
}

export function createRelyingParty(issuer: string): RelyingParty {
  let known: Promise<Configuration> | undefined;
  // Loaded when the first person comes: the server's start does not wait for it.
  const client = () => import('openid-client');
  const configuration = async (): Promise<Configuration> => {
    known ??= discover(issuer);
    try {
      return await known;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  return {
    async begin() {
      const oidc = await client();
      const verifier = oidc.randomPKCECodeVerifier();
      const started = { verifier, state: oidc.randomState(), nonce: oidc.randomNonce() };
      const url = oidc.buildAuthorizationUrl(await configuration(), {
        redirect_uri: `${issuer}/demo/callback`,
        scope: DEMO_SCOPE,
        // Without it the provider leaves offline_access out.
        prompt: 'consent',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: started.state,
        nonce: started.nonce,
      });
      return { url: url.href, started };
    },
    async finish(callback, started) {
      const oidc = await client();
      const answer = await oidc.authorizationCodeGrant(await configuration(), callback, {
        pkceCodeVerifier: started.verifier,
        expectedState: started.state,
        expectedNonce: started.nonce,
        idTokenExpected: true,
      });
      return { tokens: tokensOf(answer), subject: answer.claims()?.sub ?? '' };
    },
    async refresh(tokens) {
      const oidc = await client();
      const answer = await oidc.refreshTokenGrant(await configuration(), tokens.refreshToken ?? '');
      return { ...tokens, ...definedOf(tokensOf(answer)), accessToken: answer.access_token };
    },
    async userinfo(accessToken, subject) {
      const oidc = await client();
      return oidc.fetchUserInfo(await configuration(), accessToken, subject);
    },
    async signOut(idToken) {
      const oidc = await client();
      const hint = idToken === undefined ? {} : { id_token_hint: idToken };
      return oidc.buildEndSessionUrl(await configuration(), {
        post_logout_redirect_uri: `${issuer}/demo`,
        ...hint,
      }).href;
    },
  };
}

async function discover(issuer: string): Promise<Configuration> {
  const oidc = await import('openid-client');
  return oidc.discovery(
    new URL(issuer),
    DEMO_CLIENT_ID,
    { id_token_signed_response_alg: 'ES256' },
    oidc.None(),
    {
      // The demo application exists in development only, where the issuer is plain http on this machine.
      execute: issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
    },
  );
}

interface TokenAnswer {
  id_token?: string;
  access_token: string;
  refresh_token?: string;
  scope?: string;
  expires_in?: number;
}

function tokensOf(answer: TokenAnswer): DemoTokens {
  return {
    idToken: answer.id_token,
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    scope: answer.scope,
    expiresIn: answer.expires_in,
  };
}

function definedOf(tokens: DemoTokens): Partial<DemoTokens> {
  return Object.fromEntries(Object.entries(tokens).filter(([, value]) => value !== undefined));
}

/**
 * The OIDC half of the demo application, as any application would write it: discovery, the code flow with
 * PKCE, state and nonce, refresh, userinfo, sign-out. It speaks HTTP to the issuer like any other client.
 */
import type { Configuration } from 'openid-client';
import type { DemoTokens, Started } from './demo-sessions.ts';

/** The demo application as it is registered in config/seed/demo.yaml. */
const CLIENT_ID = 'demo';
const SCOPE = 'openid profile email organization roles offline_access';

export type RelyingParty = ReturnType<typeof createRelyingParty>;

export function createRelyingParty(issuer: string) {
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
    /** Where to send the browser, and what to keep until it comes back. */
    async begin() {
      const oidc = await client();
      const verifier = oidc.randomPKCECodeVerifier();
      const started = { verifier, state: oidc.randomState(), nonce: oidc.randomNonce() };
      const url = oidc.buildAuthorizationUrl(await configuration(), {
        redirect_uri: `${issuer}/demo/callback`,
        scope: SCOPE,
        // Without it the provider leaves offline_access out.
        prompt: 'consent',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: started.state,
        nonce: started.nonce,
      });
      return { url: url.href, started };
    },
    /** Exchanges the code. Throws what openid-client throws. */
    async finish(callback: URL, started: Started) {
      const oidc = await client();
      const answer = await oidc.authorizationCodeGrant(await configuration(), callback, {
        pkceCodeVerifier: started.verifier,
        expectedState: started.state,
        expectedNonce: started.nonce,
        idTokenExpected: true,
      });
      return { tokens: answer, subject: answer.claims()?.sub ?? '' };
    },
    async refresh(tokens: DemoTokens): Promise<DemoTokens> {
      const oidc = await client();
      const answer = await oidc.refreshTokenGrant(await configuration(), tokens.refresh_token ?? '');
      return { ...tokens, ...answer };
    },
    async userinfo(accessToken: string, subject: string): Promise<unknown> {
      const oidc = await client();
      return oidc.fetchUserInfo(await configuration(), accessToken, subject);
    },
    /** Where to send the browser to sign out. */
    async signOut(idToken: string | undefined) {
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
  return oidc.discovery(new URL(issuer), CLIENT_ID, undefined, oidc.None(), {
    // The demo application exists in development only, where the issuer is plain http on this machine.
    execute: issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : [],
  });
}

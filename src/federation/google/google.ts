/** Sign in with Google. https://developers.google.com/identity/gsi/web/guides/verify-google-id-token */
import * as openid from 'openid-client';
import type { Config } from '../../config/schema.ts';
import type { Log } from '../../observe/log.ts';
import type { Fetch } from '../protocol/fetch.ts';
import { type IdTokenClaims, type IdTokenRules, verifyIdToken } from '../protocol/id-token.ts';
import { createUpstreamKeys } from '../protocol/jwks.ts';
import { createRedirectSignIn } from '../protocol/redirect-sign-in.ts';
import { type Upstream, type UpstreamClaims, UpstreamUnavailable } from '../protocol/upstream.ts';

const ISSUER = 'https://accounts.google.com';
/** Seconds since `iat` of a token that we fetch ourselves. */
const FRESH = 600;

export function createGoogle(options: {
  settings: Config['federation']['google'];
  fetch: Fetch;
  log: Log;
}): Upstream {
  const { settings, fetch, log } = options;
  const { clientId, clientSecret, issuer } = settings;
  const keys = createUpstreamKeys({ issuer, fetch, log });
  // Google still writes its name without the scheme now and then. An issuer of one's own has one spelling.
  const issuers = issuer === ISSUER ? [ISSUER, 'accounts.google.com'] : [issuer];
  const verify = async (idToken: string, rules: Omit<IdTokenRules, 'issuers'>) =>
    claimsOf(await verifyIdToken(idToken, keys, { ...rules, issuers }));
  const redirect =
    clientId === undefined
      ? undefined
      : createRedirectSignIn({
          clientId,
          keys,
          fetch,
          scope: 'openid email profile',
          // Google knows no prompt=login. Apple asks its people every time.
          againParameters: { prompt: 'select_account' },
          clientAuthentication: async () =>
            clientSecret === undefined ? openid.None() : openid.ClientSecretPost(clientSecret),
        });

  return {
    name: 'google',
    redirects: redirect !== undefined,
    verifyIdToken: verify,
    async begin(input) {
      if (redirect === undefined) throw new UpstreamUnavailable('federation.google.clientId is not set.');
      return redirect.begin(input);
    },
    async finish(answer) {
      if (redirect === undefined || clientId === undefined) {
        throw new UpstreamUnavailable('federation.google.clientId is not set.');
      }
      const finished = await redirect.finish(answer);
      if (finished === 'denied') return 'denied';
      const { idToken, nonce } = finished;
      return verify(idToken, { audiences: [clientId], maxAge: FRESH, now: answer.now, nonce });
    },
  };
}

/** Google speaks for addresses of its own mail, and for those of a domain whose accounts it hosts. */
function claimsOf({ hostedDomain, ...claims }: IdTokenClaims): UpstreamClaims {
  const domain = claims.email?.toLowerCase().split('@').at(-1) ?? '';
  const ownMail = domain === 'gmail.com' || domain === 'googlemail.com';
  const authoritative = ownMail || (domain !== '' && hostedDomain?.toLowerCase() === domain);
  return { ...claims, provider: 'google', authoritative };
}

/** Sign in with Apple. https://developer.apple.com/documentation/signinwithapple/verifying-a-user */
import { importPKCS8, SignJWT } from 'jose';
import * as openid from 'openid-client';
import type { Config } from '../../config/schema.ts';
import { takeText } from '../../core/text.ts';
import type { Log } from '../../observe/log.ts';
import type { Fetch } from '../protocol/fetch.ts';
import { type IdTokenRules, verifyIdToken } from '../protocol/id-token.ts';
import { createUpstreamKeys } from '../protocol/jwks.ts';
import { createRedirectSignIn } from '../protocol/redirect-sign-in.ts';
import { type Upstream, type UpstreamClaims, UpstreamUnavailable } from '../protocol/upstream.ts';

type Settings = Config['federation']['apple'];

/** Seconds since `iat` of a token that we fetch ourselves. */
const FRESH = 600;

export function createApple(options: { settings: Settings; fetch: Fetch; log: Log }): Upstream {
  const { settings, fetch, log } = options;
  const { clientId, issuer } = settings;
  const keys = createUpstreamKeys({ issuer, fetch, log });
  // Apple is the one who gave the address out, or checked it: it speaks for every address it names.
  const verify = async (idToken: string, rules: Omit<IdTokenRules, 'issuers'>): Promise<UpstreamClaims> => {
    const { hostedDomain: _none, ...claims } = await verifyIdToken(idToken, keys, {
      ...rules,
      issuers: [issuer],
      truthAsText: true,
    });
    return { ...claims, provider: 'apple', authoritative: true };
  };
  const mint = secretMinter(settings);
  const redirect =
    clientId === undefined || mint === undefined
      ? undefined
      : createRedirectSignIn({
          clientId,
          keys,
          fetch,
          scope: 'openid name email',
          // Demanded by Apple as soon as a name or an address is asked for: the answer is a cross-site POST.
          parameters: { response_mode: 'form_post' },
          clientAuthentication: async (now) => openid.ClientSecretPost(await mint(now)),
        });

  return {
    name: 'apple',
    redirects: redirect !== undefined,
    verifyIdToken: verify,
    async begin(input) {
      if (redirect === undefined) throw notConfigured();
      return redirect.begin(input);
    },
    async finish(answer) {
      if (redirect === undefined || clientId === undefined) throw notConfigured();
      const finished = await redirect.finish(answer);
      if (finished === 'denied') return 'denied';
      const { idToken, nonce } = finished;
      const claims = await verify(idToken, { audiences: [clientId], maxAge: FRESH, now: answer.now, nonce });
      return { ...claims, ...namesOf(answer.parameters.get('user')) };
    },
  };
}

function notConfigured(): UpstreamUnavailable {
  return new UpstreamUnavailable('federation.apple lacks clientId, teamId, keyId or privateKey.');
}

/** Apple's client secret is a JWT that the developer signs with the .p8 key; ours live for five minutes. */
function secretMinter(settings: Settings): ((now: Date) => Promise<string>) | undefined {
  const { clientId, teamId, keyId, privateKey, issuer } = settings;
  if (clientId === undefined || teamId === undefined || keyId === undefined || privateKey === undefined) {
    return undefined;
  }
  return async (now) => {
    const issuedAt = Math.floor(now.getTime() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 300)
      .sign(await importPKCS8(privateKey, 'ES256'));
  };
}

/**
 * The names that Apple sends beside the token, at the first sign-in only. They come through the browser,
 * unsigned: good for a greeting, never for the address or anything that grants.
 */
function namesOf(user: string | null): { name?: string; givenName?: string; familyName?: string } {
  if (user === null || user.length > 2_000) return {};
  try {
    const { name } = JSON.parse(user) as { name?: { firstName?: unknown; lastName?: unknown } };
    const givenName = nameOf(name?.firstName);
    const familyName = nameOf(name?.lastName);
    const full = [givenName, familyName].filter((part) => part !== undefined).join(' ');
    return {
      ...(givenName === undefined ? {} : { givenName }),
      ...(familyName === undefined ? {} : { familyName }),
      ...(full === '' ? {} : { name: full }),
    };
  } catch {
    return {};
  }
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = takeText(value, 100);
  return name === undefined || name === '' || /\p{Cc}/u.test(name) ? undefined : name;
}

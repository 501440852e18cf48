/** The contract of upstream.ts over what a plug-in says of an upstream: its keys, its tokens, its client. */
import type { Log } from '../../observe/log.ts';
import type { Fetch } from './fetch.ts';
import { type IdTokenClaims, type IdTokenRules, personOf, verifyIdToken } from './id-token.ts';
import { createUpstreamKeys, type Published, type UpstreamKeys } from './jwks.ts';
import { createRedirectSignIn, type Exchanged, type RedirectOptions } from './redirect-sign-in.ts';
import { type Upstream, type UpstreamClaims, type UpstreamNotice, UpstreamUnavailable } from './upstream.ts';

/** What is the same for every token of an upstream. */
type RulesOfUpstream = Pick<IdTokenRules, 'issuers' | 'truthAsText' | 'claims'>;
type RulesOfToken = Omit<IdTokenRules, keyof RulesOfUpstream>;

export interface UpstreamSpec
  extends Pick<Upstream, 'name' | 'title' | 'logo' | 'domains' | 'issuers' | 'audiences'> {
  readonly published: Published;
  readonly rules: RulesOfUpstream;
  /** What its word about the address is worth. IdTokenRefused: the token is none of a person who may sign in. */
  vouches(claims: IdTokenClaims): Pick<UpstreamClaims, 'emailVerified' | 'authoritative'>;
  /** Undefined: the redirect sign-in is not configured. */
  readonly client?: Omit<RedirectOptions, 'keys' | 'fetch'> | undefined;
  /** Names that come beside the code, unsigned and at the first sign-in only, as the parameter `user`. */
  namesOf?: ((user: string | null) => Pick<UpstreamClaims, 'name' | 'givenName' | 'familyName'>) | undefined;
  /** The day on which the client's secret ends, where the configuration says it. */
  readonly secretExpires?: string | undefined;
  /** Its refresh tokens are kept, and revoked in the end. */
  readonly revokes?: boolean | undefined;
  /** What it sends from server to server. Undefined: nothing. */
  readNotice?: NoticeReader | undefined;
  /** Userinfo is asked for what the ID token lacks. */
  readonly asksUserinfo?: boolean;
}

/** Undefined: one of a kind that is not known here. IdTokenRefused, UpstreamUnavailable. */
export type NoticeReader = (
  token: string,
  keys: UpstreamKeys,
  rules: Pick<IdTokenRules, 'issuers' | 'audiences' | 'now'>,
) => Promise<UpstreamNotice | undefined>;

/** Seconds since `iat` of a token that we fetch ourselves. */
const FRESH = 600;

export function createUpstream(spec: UpstreamSpec, { fetch, log }: { fetch: Fetch; log: Log }): Upstream {
  const { name, title, logo, domains, issuers, audiences, client, namesOf, readNotice } = spec;
  const keys = createUpstreamKeys({ ...spec.published, fetch, log });
  const redirect = client && createRedirectSignIn({ ...client, keys, fetch });
  const read = (idToken: string, rules: RulesOfToken) =>
    verifyIdToken(idToken, keys, { ...rules, ...spec.rules });
  const judged = (verified: IdTokenClaims): UpstreamClaims => {
    const { payload: _, ...claims } = verified;
    return { ...claims, provider: name, ...spec.vouches(verified) };
  };
  const configured = () => {
    if (redirect !== undefined) return redirect;
    throw new UpstreamUnavailable(`federation.${name} lacks a key that the redirect sign-in needs.`);
  };

  return {
    ...{ name, title, logo, domains, issuers, audiences },
    redirects: redirect !== undefined,
    sendsNamesOnce: namesOf !== undefined,
    verifyIdToken: async (idToken, rules) => judged(await read(idToken, rules)),
    begin: async (input) => configured().begin(input),
    async finish(answer) {
      const exchanged = await configured().finish(answer);
      if (exchanged === 'denied' || client === undefined) return 'denied';
      const { idToken, nonce } = exchanged;
      const rules = { audiences: [client.clientId], maxAge: FRESH, now: answer.now, nonce };
      const verified = await read(idToken, rules);
      const whole =
        spec.asksUserinfo === true ? await withUserinfo(verified, exchanged, spec.rules) : verified;
      const { refreshToken } = exchanged;
      return {
        ...judged(whole),
        ...namesOf?.(answer.parameters.get('user')),
        ...(spec.revokes && refreshToken !== undefined && { refreshToken }),
      };
    },
    ...(spec.revokes && { revoke: async (token, now) => configured().revoke(token, now) }),
    ...(readNotice && {
      readNotice: (token, now) => {
        const receivers = client === undefined ? audiences : [client.clientId, ...audiences];
        return readNotice(token, keys, { issuers: spec.rules.issuers, audiences: receivers, now });
      },
    }),
  };
}

/** The address and its verified flag come from one place, the ID token or userinfo: neither vouches for the other's address. */
async function withUserinfo(
  verified: IdTokenClaims,
  { userinfo }: Exchanged,
  rules: RulesOfUpstream,
): Promise<IdTokenClaims> {
  const { email, emailVerified, name, givenName, familyName } = verified;
  if (email !== undefined && (name ?? givenName ?? familyName) !== undefined) return verified;
  const said = await userinfo(verified.subject).catch((error: unknown) => {
    // Names alone keep no one out.
    if (email === undefined) throw error;
    return undefined;
  });
  if (said === undefined) return verified;
  const more = personOf(said, rules);
  const own = email === undefined ? {} : { email, emailVerified };
  return { ...verified, ...more, ...own, payload: { ...said, ...verified.payload } };
}

/**
 * Verifies an upstream's ID token. Every defect is one refusal: which one it was is for the log, not for the
 * client that presents the token. Keys come from the upstream's own key set by `kid`; keys and URLs inside the
 * token (jwk, jku, x5u) are never looked at (RFC 8725 3.10).
 */
import { createHash } from 'node:crypto';
import { type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
import { readEmail, takeLine } from '../../core/text.ts';
import type { UpstreamKeys } from './jwks.ts';
import { IdTokenRefused, type UpstreamClaims, UpstreamUnavailable } from './upstream.ts';

/** Seconds that clocks may differ, for exp, iat and nbf. */
export const TOLERANCE = 60;

/** Asymmetric ones only: with HS256 the published key would be the secret. */
export const ALGORITHMS: readonly string[] = ['RS256', 'PS256', 'ES256'];

export interface IdTokenRules {
  /** The upstream's spellings of `iss`, with the issuer that each means. */
  readonly issuers: ReadonlyMap<string, string>;
  readonly audiences: readonly string[];
  /** Seconds since `iat`. */
  readonly maxAge: number;
  readonly now: Date;
  /** Of a sign-in that we started. */
  readonly nonce?: string;
  /** Apple and Entra also write truth values as texts. From any other upstream "true" proves nothing. */
  readonly truthAsText?: boolean;
  /** What the upstream calls the claims that have another name there. */
  readonly claims?: ClaimNames;
}

export type IdTokenClaims = Omit<UpstreamClaims, 'provider' | 'authoritative'> & {
  /** Everything that it says. */
  readonly payload: JWTPayload;
};

/** What we take, and what the standard calls it. */
const CLAIMS = {
  email: 'email',
  emailVerified: 'email_verified',
  name: 'name',
  givenName: 'given_name',
  familyName: 'family_name',
  picture: 'picture',
} as const;

export type ClaimNames = { readonly [Ours in keyof typeof CLAIMS]?: string | undefined };

/** Jose also decodes blanks, padding and the other alphabet; a token has one spelling (RFC 7515 2). */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** IdTokenRefused, UpstreamUnavailable. */
export async function verifyIdToken(
  idToken: string,
  keys: UpstreamKeys,
  rules: IdTokenRules,
): Promise<IdTokenClaims> {
  const required = ['exp', 'iat', 'sub', 'aud'];
  const { payload, issuer, ...once } = await verifyClaims(idToken, keys, rules, required);
  if (rules.nonce !== undefined && payload.nonce !== rules.nonce) refuse('nonce');
  const subject = payload.sub;
  if (typeof subject !== 'string' || subject === '' || subject.length > 255) refuse('sub');
  return { issuer, subject, payload, ...personOf(payload, rules), ...once };
}

type SignedRules = Pick<IdTokenRules, 'issuers' | 'audiences' | 'maxAge' | 'now'>;

/** What an upstream has signed for us, and what makes two of them the same. IdTokenRefused, UpstreamUnavailable. */
export async function verifyClaims(
  token: string,
  keys: UpstreamKeys,
  rules: SignedRules,
  required: string[],
): Promise<Pick<IdTokenClaims, 'issuer' | 'payload' | 'fingerprint' | 'staleAt'>> {
  if (!COMPACT.test(token)) refuse('form');
  const { payload, protectedHeader } = await verifySignature(token, keys, rules, required);
  // A logout or access token is not an ID token, even if the same key signed it (RFC 8725 3.11).
  if (protectedHeader.typ !== undefined && protectedHeader.typ.toUpperCase() !== 'JWT') refuse('typ');
  if (!isSingleAudience(payload.aud, rules.audiences)) refuse('aud');
  const ofKey = await keys.issuerOfKey(rules.now, protectedHeader.kid);
  // One set holds the keys of all tenants, and of some alone.
  if (ofKey !== undefined && ofKey.replace('{tenantid}', String(payload.tid)) !== payload.iss) refuse('key');
  const { exp = Number.POSITIVE_INFINITY, iat = 0, iss = '' } = payload;
  return {
    issuer: rules.issuers.get(iss) ?? refuse('iss'),
    payload,
    fingerprint: createHash('sha256')
      .update(token.slice(0, token.lastIndexOf('.')))
      .digest('base64url'),
    staleAt: Math.min(exp, iat + rules.maxAge) + TOLERANCE,
  };
}

async function verifySignature(
  jws: string,
  keys: UpstreamKeys,
  rules: SignedRules,
  required: string[],
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(jws, (header, token) => keys.keyFor(rules.now, header, token), {
      algorithms: [...ALGORITHMS],
      requiredClaims: required,
      maxTokenAge: rules.maxAge,
      clockTolerance: TOLERANCE,
      currentDate: rules.now,
    });
  } catch (cause) {
    if (cause instanceof UpstreamUnavailable) throw cause;
    throw new IdTokenRefused('The ID token does not verify.', { cause });
  }
}

/** Exactly one audience, and one that is allowed. A token for two receivers is accepted from neither. */
function isSingleAudience(aud: JWTPayload['aud'], audiences: readonly string[]): boolean {
  const [only, ...others] = Array.isArray(aud) ? aud : [aud];
  return typeof only === 'string' && others.length === 0 && audiences.includes(only);
}

/** Characters. What is longer is left out, as it is where people enter it themselves. */
const LONGEST_NAME = 100;
const LONGEST_PICTURE = 2000;

type Person = Pick<IdTokenClaims, keyof typeof CLAIMS>;

/** What claims say about a person. IdTokenRefused: the address is no text. */
export function personOf(
  claims: Readonly<Record<string, unknown>>,
  { claims: names = {}, truthAsText }: Pick<IdTokenRules, 'claims' | 'truthAsText'>,
): Person {
  const said = (ours: keyof typeof CLAIMS) => claims[names[ours] ?? CLAIMS[ours]];
  const line = (ours: keyof typeof CLAIMS, longest: number) => {
    const value = said(ours);
    const taken = typeof value === 'string' ? takeLine(value, longest) : undefined;
    return taken ? { [ours]: taken } : {};
  };
  const address = said('email');
  if (address !== undefined && (typeof address !== 'string' || address === '')) refuse('email');
  const email = address === undefined ? undefined : readEmail(address);
  const verified = said('emailVerified');
  const proven = verified === true || (truthAsText === true && (verified === 'true' || verified === '1'));
  return {
    // Some let their people write what is no address: it is none then, and says nothing.
    emailVerified: proven && (address === undefined || email !== undefined),
    ...(email !== undefined && { email }),
    ...line('name', LONGEST_NAME),
    ...line('givenName', LONGEST_NAME),
    ...line('familyName', LONGEST_NAME),
    ...line('picture', LONGEST_PICTURE),
  };
}

function refuse(claim: string): never {
  throw new IdTokenRefused(`The ID token's ${claim} is not acceptable.`);
}

/**
 * Verifies an upstream's ID token. Every defect is one refusal: which one it was is for the log, not for the
 * client that presents the token. Keys come from the upstream's own key set by `kid`; keys and URLs inside the
 * token (jwk, jku, x5u) are never looked at (RFC 8725 3.10).
 */
import { createHash } from 'node:crypto';
import { type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose';
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
  /** Apple also writes truth values as texts. From any other upstream "true" proves nothing. */
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
      issuer: [...rules.issuers.keys()],
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

type Person = Pick<IdTokenClaims, keyof typeof CLAIMS>;

/** What claims say about a person. IdTokenRefused: the address is no text. */
export function personOf(
  claims: Readonly<Record<string, unknown>>,
  { claims: names = {}, truthAsText }: Pick<IdTokenRules, 'claims' | 'truthAsText'>,
): Person {
  const said = (ours: keyof typeof CLAIMS) => claims[names[ours] ?? CLAIMS[ours]];
  const text = (ours: keyof typeof CLAIMS) => {
    const value = said(ours);
    return typeof value === 'string' && value !== '' ? { [ours]: value } : {};
  };
  const email = said('email');
  if (email !== undefined && (typeof email !== 'string' || email === '')) refuse('email');
  const verified = said('emailVerified');
  return {
    emailVerified: verified === true || (truthAsText === true && verified === 'true'),
    ...text('email'),
    ...text('name'),
    ...text('givenName'),
    ...text('familyName'),
    ...text('picture'),
  };
}

function refuse(claim: string): never {
  throw new IdTokenRefused(`The ID token's ${claim} is not acceptable.`);
}

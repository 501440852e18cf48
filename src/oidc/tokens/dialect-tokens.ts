/**
 * The tokens of one dialect sign-in, as they are made, stored and read back: in the provider's own shape, so
 * that introspection, revocation and the end of an account treat them like any other.
 */
import { randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { Json } from '../../model/json.ts';
import type { AccessInput, IssuedGrant, LiveToken, RefreshInput } from '../contract.ts';
import type { OidcRecord, OidcRecords, Payload, UnsavedRecord } from '../persistence/records.ts';
import { currentKey, type Keyring } from '../persistence/signing-keys.ts';
import { DIALECT_GRANT } from './dialect-grant.ts';
import type { Rotations } from './refresh-rotation.ts';
import { handleOf } from './token-handle.ts';

export interface GrantIssuerDeps {
  readonly oidcRecords: OidcRecords;
  readonly rotations: Rotations;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly issuer: string;
  readonly ring: () => Keyring;
  readonly reused: (context: { clientId: string; accountId: string }) => void;
}

/** What the tokens of one sign-in have in common. */
export interface SignIn {
  readonly grantId: string;
  readonly clientId: string;
  readonly accountId: string;
  readonly organization: string;
  readonly scope: string;
  readonly amr: readonly string[];
  /** Epoch seconds; a refreshed token keeps it. Absent in tokens of an older Portico. */
  readonly signedInAt?: number;
}

/** A token and its record, which is not saved yet. */
interface Unsaved<Token> {
  readonly token: Token;
  readonly record: UnsavedRecord;
}

/** Makes tokens under a grant. The caller saves their records together. */
export interface TokenMaker {
  access(signIn: SignIn, input: AccessInput): Promise<Unsaved<IssuedGrant['access']>>;
  refresh(signIn: SignIn, input: RefreshInput): Unsaved<NonNullable<IssuedGrant['refresh']>>;
  /** The Grant itself, which must outlive its tokens. */
  grant(signIn: SignIn, until: number): UnsavedRecord;
}

/** Ends a sign-in. A replay of a rotation looks for the used token, which is gone with the rest. */
export async function endGrant(oidcRecords: OidcRecords, grantId: string): Promise<void> {
  await oidcRecords.remove('Grant', grantId);
  await oidcRecords.endTokens(grantId);
}

export function createTokenMaker({ clock, issuer, ring }: GrantIssuerDeps): TokenMaker {
  const base = (signIn: SignIn, kind: string, times: { iat: number; exp: number }): Payload => ({
    kind,
    ...times,
    grantId: signIn.grantId,
    clientId: signIn.clientId,
    accountId: signIn.accountId,
    organization: signIn.organization,
    scope: signIn.scope,
    amr: [...signIn.amr],
    ...(signIn.signedInAt !== undefined && { signedInAt: signIn.signedInAt }),
    gty: DIALECT_GRANT,
  });

  return {
    async access(signIn, input) {
      const iat = seconds(clock);
      const exp = iat + input.lifetime;
      const jti = randomUUID();
      const value =
        input.value === 'jwt'
          ? await signAccess({ signIn, input, issuer, ring: ring(), iat, exp, jti })
          : input.value;
      const payload = {
        ...base(signIn, 'AccessToken', { iat, exp }),
        jti,
        aud: input.audience,
        extra: input.claims,
      };
      const record = { kind: 'AccessToken', value: handleOf(value), payload, lifetime: input.lifetime };
      return { token: { value, issuedAt: iat, expiresAt: exp }, record };
    },
    refresh(signIn, input) {
      const iat = seconds(clock);
      const exp = Math.min(iat + input.lifetime, input.endsAt ?? Number.POSITIVE_INFINITY);
      const payload = {
        ...base(signIn, 'RefreshToken', { iat, exp }),
        jti: input.value,
        iiat: iat,
        ...(input.endsAt !== undefined && { endsAt: input.endsAt }),
      };
      const record = { kind: 'RefreshToken', value: input.value, payload, lifetime: exp - iat };
      return { token: { value: input.value, issuedAt: iat, expiresAt: exp }, record };
    },
    grant(signIn, until) {
      const iat = seconds(clock);
      const { grantId, accountId, clientId, scope } = signIn;
      const payload = {
        kind: 'Grant',
        iat,
        exp: until,
        jti: grantId,
        accountId,
        clientId,
        openid: { scope },
      };
      return { kind: 'Grant', value: grantId, payload, lifetime: until - iat };
    },
  };
}

/** RFC 9068, or a plain JWT under a shared secret for resource servers that still verify the old way. */
async function signAccess(context: {
  signIn: SignIn;
  input: AccessInput;
  issuer: string;
  ring: Keyring;
  iat: number;
  exp: number;
  jti: string;
}): Promise<string> {
  const { signIn, input, issuer, ring, iat, exp, jti } = context;
  const claims: JWTPayload = {
    ...input.claims,
    iss: issuer,
    sub: signIn.accountId,
    aud: input.audience,
    client_id: signIn.clientId,
    scope: signIn.scope,
    iat,
    exp,
    jti,
  };
  const token = new SignJWT(claims);
  if (input.sharedSecret !== undefined) {
    return token
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(input.sharedSecret));
  }
  const key = currentKey(ring, 'ES256');
  return token.setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }).sign(key.jwk);
}

export function liveToken({ payload }: OidcRecord): LiveToken {
  return {
    accountId: String(payload.accountId),
    organization: String(payload.organization),
    grantId: String(payload.grantId),
    clientId: String(payload.clientId),
    scope: typeof payload.scope === 'string' ? payload.scope : '',
    issuedAt: Number(payload.iat),
    expiresAt: Number(payload.exp),
    audience: typeof payload.aud === 'string' ? payload.aud : undefined,
    claims: (payload.extra ?? {}) as Record<string, Json>,
    amr: Array.isArray(payload.amr) ? payload.amr.map(String) : [],
    ...(typeof payload.signedInAt === 'number' && { signedInAt: payload.signedInAt }),
  };
}

export function seconds(clock: Clock): number {
  return Math.floor(clock.now().getTime() / 1000);
}

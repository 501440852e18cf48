/**
 * The tokens of one dialect sign-in, as they are made, stored and read back: in the engine's own shape, so
 * that introspection, revocation and the end of an account treat them like any other.
 */
import { randomUUID } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { Json } from '../../model/json.ts';
import type { AccessWanted, IssuedGrant, LiveToken, RefreshWanted } from '../contract.ts';
import type { Artifact, Artifacts } from '../persistence/records.ts';
import type { Keyring } from '../persistence/signing-keys.ts';
import { currentKey } from '../persistence/signing-keys.ts';
import type { Payload } from '../provider/models.ts';
import { DIALECT_GRANT } from './dialect-grant.ts';
import type { Rotations } from './refresh-rotation.ts';
import { handleOf } from './token-handle.ts';

export interface GrantIssuerParts {
  readonly artifacts: Artifacts;
  readonly rotations: Rotations;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly issuer: string;
  readonly ring: () => Keyring;
  readonly reused: (facts: { clientId: string; accountId: string }) => void;
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

/** Saves tokens under a grant. */
export interface TokenMaker {
  access(signIn: SignIn, wanted: AccessWanted): Promise<IssuedGrant['access']>;
  refresh(signIn: SignIn, wanted: RefreshWanted): Promise<NonNullable<IssuedGrant['refresh']>>;
  /** Makes sure that the Grant outlives its tokens. */
  keepGrant(signIn: SignIn, until: number): Promise<void>;
}

/** Ends a sign-in. A replay of a rotation looks for the used token, which is gone with the rest. */
export async function endGrant(artifacts: Artifacts, grantId: string): Promise<void> {
  await artifacts.remove('Grant', grantId);
  await artifacts.endTokens(grantId);
}

export function createTokenMaker({ artifacts, clock, issuer, ring }: GrantIssuerParts): TokenMaker {
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
    async access(signIn, wanted) {
      const iat = seconds(clock);
      const exp = iat + wanted.lifetime;
      const jti = randomUUID();
      const value =
        wanted.value === 'jwt'
          ? await signAccess({ signIn, wanted, issuer, ring: ring(), iat, exp, jti })
          : wanted.value;
      const payload = {
        ...base(signIn, 'AccessToken', { iat, exp }),
        jti,
        aud: wanted.audience,
        extra: wanted.claims,
      };
      await artifacts.save('AccessToken', handleOf(value), payload, wanted.lifetime);
      return { value, issuedAt: iat, expiresAt: exp };
    },
    async refresh(signIn, wanted) {
      const iat = seconds(clock);
      const exp = Math.min(iat + wanted.lifetime, wanted.endsAt ?? Number.POSITIVE_INFINITY);
      const payload = {
        ...base(signIn, 'RefreshToken', { iat, exp }),
        jti: wanted.value,
        iiat: iat,
        ...(wanted.endsAt !== undefined && { endsAt: wanted.endsAt }),
      };
      await artifacts.save('RefreshToken', wanted.value, payload, exp - iat);
      return { value: wanted.value, issuedAt: iat, expiresAt: exp };
    },
    async keepGrant(signIn, until) {
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
      await artifacts.save('Grant', grantId, payload, until - iat);
    },
  };
}

/** RFC 9068, or a plain JWT under a shared secret for resource servers that still verify the old way. */
async function signAccess(facts: {
  signIn: SignIn;
  wanted: AccessWanted;
  issuer: string;
  ring: Keyring;
  iat: number;
  exp: number;
  jti: string;
}): Promise<string> {
  const { signIn, wanted, issuer, ring, iat, exp, jti } = facts;
  const claims: JWTPayload = {
    ...wanted.claims,
    iss: issuer,
    sub: signIn.accountId,
    aud: wanted.audience,
    client_id: signIn.clientId,
    scope: signIn.scope,
    iat,
    exp,
    jti,
  };
  const token = new SignJWT(claims);
  if (wanted.sharedSecret !== undefined) {
    return token
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(wanted.sharedSecret));
  }
  const key = currentKey(ring, 'ES256');
  return token.setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid }).sign(key.jwk);
}

export function liveToken({ payload }: Artifact): LiveToken {
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

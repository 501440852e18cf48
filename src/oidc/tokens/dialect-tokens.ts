/**
 * The tokens of one dialect sign-in, as they are made, stored and read back: in the provider's own shape, so
 * that introspection, revocation and the end of an account treat them like any other.
 */
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { type Json, textsOf } from '../../model/json.ts';
import type { AccessInput, AdoptedToken, AdoptionInput, LiveToken, RefreshInput } from '../grant-contract.ts';
import { privateKeyOf } from '../persistence/private-key.ts';
import type { OidcRecord, OidcRecords, Payload } from '../persistence/records.ts';
import { currentKey, type Keyring } from '../persistence/signing-keys.ts';
import type { Rotations } from './refresh-rotation.ts';
import { handleOf } from './token-handle.ts';

/** Grant type on the tokens of dialects. The provider shows it nowhere; Portico tells dialects' tokens by it. */
export const DIALECT_GRANT = 'dialect';

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
export type SignIn = Omit<LiveToken, 'issuedAt' | 'expiresAt' | 'audience' | 'claims'> & {
  /** The grant that the sign-in was exchanged from; without its own Grant such a token is not valid. */
  readonly parent?: string;
};

export type TokenMaker = ReturnType<typeof createTokenMaker>;

type AdoptedAccess = NonNullable<AdoptionInput['access']>;

/** Epoch seconds. */
interface Times {
  readonly iat: number;
  readonly exp: number;
}

/** Ends a sign-in. A replay of a rotation looks for the used token, which is gone with the rest. */
export async function endGrant(oidcRecords: OidcRecords, grantId: string): Promise<void> {
  await oidcRecords.remove('Grant', grantId);
  await oidcRecords.endTokens(grantId);
}

/** Ends the grant that this one was exchanged from, and so both, where the client has `ends_parent`. */
export async function endParent(oidcRecords: OidcRecords, grantId: string): Promise<void> {
  const { grantId: parent, endsParent } = (await oidcRecords.load('Grant', grantId))?.payload ?? {};
  if (endsParent === true) await endGrant(oidcRecords, String(parent));
}

/** Makes tokens under a grant, each with its record. The caller saves the records together. */
export function createTokenMaker({
  clock,
  issuer,
  ring,
}: Pick<GrantIssuerDeps, 'clock' | 'issuer' | 'ring'>) {
  const base = (signIn: SignIn, kind: string, times: Times): Payload => ({
    kind,
    ...times,
    grantId: signIn.grantId,
    clientId: signIn.clientId,
    accountId: signIn.accountId,
    organization: signIn.organization,
    scope: signIn.scope,
    amr: [...signIn.amr],
    ...(signIn.signedInAt !== undefined && { signedInAt: signIn.signedInAt }),
    ...(signIn.appPassword !== undefined && { appPassword: signIn.appPassword }),
    ...(signIn.parent !== undefined && { parent: signIn.parent }),
    gty: DIALECT_GRANT,
  });

  /** RFC 9068, or a plain JWT under a shared secret for resource servers that still verify the old way. */
  async function signAccess(signIn: SignIn, input: AccessInput, own: Times & { jti: string }) {
    const claims = {
      ...input.claims,
      iss: issuer,
      sub: signIn.accountId,
      aud: input.audience,
      client_id: signIn.clientId,
      scope: signIn.scope,
      ...own,
    };
    if (input.sharedSecret !== undefined) {
      const secret = new TextEncoder().encode(input.sharedSecret);
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret);
    }
    return privateKeyOf(currentKey(ring(), 'ES256')).jwt('at+jwt', claims);
  }

  return {
    async access(signIn: SignIn, input: AccessInput) {
      const iat = seconds(clock);
      const times = { iat, exp: iat + input.lifetime };
      const jti = randomUUID();
      const value = input.value === 'jwt' ? await signAccess(signIn, input, { ...times, jti }) : input.value;
      const own = { jti, aud: input.audience, extra: input.claims };
      const payload = { ...base(signIn, 'AccessToken', times), ...own };
      const record = { kind: 'AccessToken', value: handleOf(value), payload, lifetime: input.lifetime };
      return { token: { value, issuedAt: iat, expiresAt: times.exp }, record };
    },
    refresh(signIn: SignIn, { value, lifetime, endsAt }: RefreshInput) {
      const iat = seconds(clock);
      const exp = Math.min(iat + lifetime, endsAt ?? Number.POSITIVE_INFINITY);
      const own = { jti: value, iiat: iat, ...(endsAt !== undefined && { endsAt }) };
      const payload = { ...base(signIn, 'RefreshToken', { iat, exp }), ...own };
      const record = { kind: 'RefreshToken', value, payload, lifetime: exp - iat };
      return { token: { value, issuedAt: iat, expiresAt: exp }, record };
    },
    /** `adopted`: another server made its value, so that it may go there again. */
    adoptedAccess(signIn: SignIn, { value, issuedAt, expiresAt, audience, claims }: AdoptedAccess) {
      const iat = seconds(clock);
      const own = { jti: randomUUID(), aud: audience, extra: claims, adopted: true };
      const payload = { ...base(signIn, 'AccessToken', { iat: issuedAt ?? iat, exp: expiresAt }), ...own };
      return { kind: 'AccessToken', value: handleOf(value), payload, lifetime: expiresAt - iat };
    },
    adoptedRefresh(signIn: SignIn, { value, expiresAt }: AdoptedToken) {
      const iat = seconds(clock);
      const own = { jti: value, iiat: iat, endsAt: expiresAt, adopted: true };
      const payload = { ...base(signIn, 'RefreshToken', { iat, exp: expiresAt }), ...own };
      return { kind: 'RefreshToken', value, payload, lifetime: expiresAt - iat };
    },
    /** The Grant itself, which must outlive its tokens. `until`: epoch seconds. */
    grant({ grantId, accountId, clientId, scope }: SignIn, until: number) {
      const iat = seconds(clock);
      const times = { iat, exp: until };
      const payload = { kind: 'Grant', ...times, jti: grantId, accountId, clientId, openid: { scope } };
      return { kind: 'Grant', value: grantId, payload, lifetime: until - iat };
    },
  };
}

export function liveToken({ payload, createdAt }: OidcRecord): LiveToken {
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
    amr: textsOf(payload.amr),
    ...(typeof payload.signedInAt === 'number' && { signedInAt: payload.signedInAt }),
    ...(typeof payload.appPassword === 'string' && { appPassword: payload.appPassword }),
    ...(payload.adopted === true && { adoptedAt: createdAt }),
  };
}

export function seconds(clock: Clock): number {
  return Math.floor(clock.now().getTime() / 1000);
}

/** What the profile of a client forbids to its requests, beyond what the provider refuses by itself. */
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { type Client, errors } from 'oidc-provider';
import type { ProviderContext } from '../provider/context.ts';
import { isAllowedAlgorithm, isFapi2 } from './fapi2.ts';

/** Seconds that the clock of a client may be ahead (FAPI 2.0, 5.3.2.1: at least 10, at most 60). */
export const CLOCKS_DIFFER = 10;

type Claims = Readonly<Record<string, unknown>>;

/** A client assertion whose signature is verified. `aud` as a list would name others too. */
export function judgeAssertion(ctx: ProviderContext, claims: Claims, header: Claims, client: Client): void {
  if (!isFapi2(client)) return;
  if (claims.aud !== ctx.oidc.issuer) {
    throw new errors.InvalidClientAuth('aud must be the issuer, alone and as a text');
  }
  if (!isAllowedAlgorithm(header.alg)) throw new errors.InvalidClientAuth('alg is not of the profile');
  if (isAhead(claims.iat)) throw new errors.InvalidClientAuth('iat is in the future');
}

/** As soon as the client of a request is known. Where no proof can be read the provider says so. */
export function holdToProfile(ctx: ProviderContext, client: Client): void {
  const proof = ctx.get('DPoP');
  if (proof === '' || !isFapi2(client)) return;
  const { alg, iat } = readProof(proof);
  if (alg !== undefined && !isAllowedAlgorithm(alg)) {
    throw new errors.InvalidDpopProof('sign the DPoP proof with PS256, ES256 or EdDSA');
  }
  if (isAhead(iat))
    throw new errors.InvalidDpopProof('the DPoP proof has an iat in the future: set the clock');
}

function readProof(proof: string): { alg?: unknown; iat?: unknown } {
  try {
    return { alg: decodeProtectedHeader(proof).alg, iat: decodeJwt(proof).iat };
  } catch {
    return {};
  }
}

function isAhead(time: unknown): boolean {
  return typeof time === 'number' && time > Math.floor(Date.now() / 1000) + CLOCKS_DIFFER;
}

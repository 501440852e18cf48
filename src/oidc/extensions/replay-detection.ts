/**
 * DPoP proofs and client assertions are accepted once. The provider looks first and notes afterwards, so two
 * that arrive together would both pass. Here one step in the shared store does both.
 *
 * Replaces in oidc-provider 9.13.3:
 * - ReplayDetection.unique 26f0872a55e3
 */
import { decodeJwt } from 'jose';
import Provider, { errors } from 'oidc-provider';
import { randomUUID } from '../../core/crypto.ts';
import { routeOf } from '../provider/context.ts';
import type { LeasedDeps } from './device-codes.ts';

export function detectReplays({ provider, leases, secrets, clock }: LeasedDeps): void {
  /** `exp`: epoch seconds. */
  provider.ReplayDetection.unique = async (iss, jti, exp) => {
    const unique = await leases.acquire(
      `proof:${secrets.hmac('proof', JSON.stringify([iss, jti]))}`,
      randomUUID(),
      clock.now(),
      new Date(exp * 1000),
    );
    if (!unique && isProofOfRequest(jti))
      throw new errors.InvalidDpopProof('make a DPoP proof with a jti of its own for each request');
    return unique;
  };
}

/** The provider would say `invalid_grant` or `invalid_request`; RFC 9449, 5 has a code of its own for a proof. */
function isProofOfRequest(jti: string): boolean {
  const ctx = Provider.ctx;
  const proof = ctx?.get('DPoP');
  return Boolean(proof && routeOf(ctx) !== 'userinfo' && decodeJwt(proof).jti === jti);
}

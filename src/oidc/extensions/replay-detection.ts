/**
 * DPoP proofs and client assertions are accepted once. The provider looks first and notes afterwards, so two
 * that arrive together would both pass. Here one step in the shared store does both.
 *
 * Replaces in oidc-provider 9.13.3:
 * - ReplayDetection.unique 26f0872a55e3
 */
import { randomUUID } from '../../core/crypto.ts';
import type { LeasedDeps } from './device-codes.ts';

export function detectReplays({ provider, leases, secrets, clock }: LeasedDeps): void {
  /** `exp`: epoch seconds. */
  provider.ReplayDetection.unique = (iss, jti, exp) =>
    leases.acquire(
      `proof:${secrets.hmac('proof', JSON.stringify([iss, jti]))}`,
      randomUUID(),
      clock.now(),
      new Date(exp * 1000),
    );
}

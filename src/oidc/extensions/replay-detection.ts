/**
 * DPoP proofs and client assertions are good once. The provider looks first and notes afterwards, so two
 * that arrive together would both pass; here it is one step in the shared store.
 */
import type Provider from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import { randomUUID, type Secrets } from '../../core/crypto.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';

export function detectReplays(deps: {
  provider: Provider;
  leases: LeaseStore;
  secrets: Secrets;
  clock: Clock;
}): void {
  const { provider, leases, secrets, clock } = deps;
  const model = provider.ReplayDetection as unknown as {
    /** `exp`: epoch seconds. */
    unique(iss: string, jti: string, exp: number): Promise<boolean>;
  };
  model.unique = (iss, jti, exp) =>
    leases.acquire(
      `proof:${secrets.hmac('proof', JSON.stringify([iss, jti]))}`,
      randomUUID(),
      clock.now(),
      new Date(exp * 1000),
    );
}

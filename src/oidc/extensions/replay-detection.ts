/**
 * DPoP proofs and client assertions are good once. The engine looks first and notes afterwards, so two
 * that arrive together would both pass; here it is one step in the shared store.
 */
import type Provider from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { randomUUID } from '../../core/crypto.ts';
import type { ClaimStore } from '../../store/ports/leases.ts';

export function detectReplays(parts: {
  provider: Provider;
  claims: ClaimStore;
  secrets: Secrets;
  clock: Clock;
}): void {
  const { provider, claims, secrets, clock } = parts;
  const model = provider.ReplayDetection as unknown as {
    /** `exp`: epoch seconds. */
    unique(iss: string, jti: string, exp: number): Promise<boolean>;
  };
  model.unique = (iss, jti, exp) =>
    claims.claim(
      `proof:${secrets.mac('proof', JSON.stringify([iss, jti]))}`,
      randomUUID(),
      clock.now(),
      new Date(exp * 1000),
    );
}

/**
 * A yes that a legacy system gives once: its asking spends the refresh token or the code, or opens the account. Where
 * the legacy system then does not say who the person is, its yes is kept for a while, and the same request goes on
 * from it when the client sends it again.
 */
import { randomUUID } from '../../core/crypto.ts';
import type { Identity } from '../context.ts';

/** Milliseconds. The access token in the yes, which asks who the person is, may live no longer. */
const KEPT = 900_000;

export interface KeptYes {
  /** As it was kept, JSON. */
  read(): Promise<string | undefined>;
  /** One that is kept already stays. */
  keep(yes: string): Promise<void>;
  forget(): Promise<void>;
}

/** `request`: all that makes the request this one, the secret in it included; only an HMAC of it is stored. */
export function keptYes(
  { stores: { leases }, secrets, clock }: Pick<Identity, 'stores' | 'secrets' | 'clock'>,
  request: readonly unknown[],
): KeptYes {
  const key = `legacy-yes:${secrets.hmac('legacy-yes', JSON.stringify(request))}`;
  return {
    async read() {
      const state = await leases.read(key, clock.now());
      return typeof state === 'object' ? secrets.decrypt(state.encrypted, key) : undefined;
    },
    async keep(yes) {
      const [at, owner] = [clock.now(), randomUUID()];
      const until = new Date(at.getTime() + KEPT);
      if (await leases.acquire(key, owner, at, until))
        await leases.complete(key, owner, { encrypted: secrets.encrypt(yes, key), at, until });
    },
    forget: () => leases.forget(key),
  };
}

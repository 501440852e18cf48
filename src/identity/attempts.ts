import type { Clock } from '../clock.ts';
import type { Secrets } from '../secrets.ts';
import type { AttemptStore } from '../store/ports.ts';

export interface AttemptLimits {
  readonly pair: { readonly limit: number; readonly window: number };
  readonly address: { readonly limit: number; readonly window: number };
  readonly login: { readonly limit: number; readonly window: number };
}

export interface Attempts {
  begin(who: { organization: string; accountId?: string; name: string; address: string }): Promise<Attempt>;
  checkAddress(address: string): Promise<void>;
  chargeAddress(address: string): Promise<void>;
}

export interface Attempt {
  succeeded(accountId: string): Promise<void>;
  failed(): Promise<void>;
  abandoned(): Promise<void>;
}

/** `limits`: windows in seconds, as configured under `attempts`. */
export function createAttempts(_: {
  store: AttemptStore;
  clock: Clock;
  limits: AttemptLimits;
  secrets: Secrets;
}): Attempts {
  throw new Error('unwritten');
}

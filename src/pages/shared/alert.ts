/** A refusal as the one alert of a page: the reason's words are in the catalogue under `pages.alerts`. */
import type { Reason, Refused } from '../../core/refused.ts';

/** What a form can be wrong about besides a refusal of the domain. */
export type Issue =
  | 'login-needed'
  | 'code-too-early'
  | 'too-many-emails'
  | 'upstream-off'
  | 'upstream-down'
  | 'upstream-denied'
  | 'upstream-refused'
  | 'upstream-unknown'
  | 'invalid-address'
  | 'same-address'
  | 'last-factor'
  | 'invalid-key';

export interface Alert {
  readonly kind: Reason | Issue;
  /** Whole minutes to wait (code-too-early: seconds), at least 1. */
  readonly count?: number;
  readonly minimum?: number;
  /** An upstream's name, as people know it. */
  readonly provider?: string;
}

const SHOWN: ReadonlySet<Reason> = new Set([
  'sign-in-refused',
  'too-many-requests',
  'unavailable',
  'password-too-short',
  'password-too-common',
  'wrong-password',
  'code-refused',
  'invalid-fields',
]);

/** Rethrows a refusal that is none of the person's doing. */
export function alertFor(refusal: Refused, words: { minimum?: number } = {}): Alert {
  if (!SHOWN.has(refusal.reason)) throw refusal;
  const wait = refusal.retryAfter === undefined ? {} : { count: Math.ceil(refusal.retryAfter / 60) };
  return { kind: refusal.about === 'emails' ? 'too-many-emails' : refusal.reason, ...wait, ...words };
}

export function statusFor(refusal: Refused): number {
  if (refusal.reason === 'too-many-requests') return 429;
  return refusal.reason === 'unavailable' ? 503 : 400;
}

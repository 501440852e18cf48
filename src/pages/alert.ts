/** A refusal as the one alert of a page: the reason's words are in the catalogue under `pages.alerts`. */
import type { Reason, Refused } from '../identity/refusal.ts';

export interface Alert {
  readonly kind: Reason;
  /** Whole minutes to wait, at least 1. */
  readonly count?: number;
  readonly minimum?: number;
}

const SHOWN: ReadonlySet<Reason> = new Set([
  'sign-in-refused',
  'too-many-requests',
  'unavailable',
  'password-too-short',
  'password-too-common',
]);

/** Rethrows a refusal that is none of the person's doing. */
export function alertFor(refusal: Refused, words: { minimum?: number } = {}): Alert {
  if (!SHOWN.has(refusal.reason)) throw refusal;
  const wait = refusal.retryAfter === undefined ? {} : { count: Math.ceil(refusal.retryAfter / 60) };
  return { kind: refusal.reason, ...wait, ...words };
}

export function statusFor(refusal: Refused): number {
  if (refusal.reason === 'too-many-requests') return 429;
  return refusal.reason === 'unavailable' ? 503 : 400;
}

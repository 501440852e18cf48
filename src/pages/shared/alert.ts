/** A refusal as the one alert of a page: the reason's words are in the catalogue under `pages.alerts`. */
import type { Context } from 'koa';
import { type Reason, Refused } from '../../core/refused.ts';
import type { PageDeps } from './deps.ts';

/** What a form can be wrong about besides a refusal of the domain. */
export type Issue =
  | 'login-needed'
  | 'code-too-early'
  | 'too-many-emails'
  | 'sign-in-away'
  | 'registration-closed'
  | 'upstream-off'
  | 'upstream-down'
  | 'upstream-denied'
  | 'upstream-refused'
  | 'upstream-unknown'
  | 'upstream-taken'
  | 'not-linked'
  | 'passkey-expired'
  | 'passkey-unknown'
  | 'passkey-unverified'
  | 'passkey-wrong'
  | 'passkey-taken'
  | 'passkey-full'
  | 'invalid-address'
  | 'same-address'
  | 'last-factor'
  | 'invalid-key'
  | 'invalid-app-password'
  | 'too-many-app-passwords'
  | 'app-code-refused'
  | 'recovery-code-refused';

export interface Alert {
  readonly kind: Reason | Issue;
  /** Whole minutes to wait (code-too-early: seconds), at least 1. */
  readonly count?: number;
  readonly minimum?: number;
  /** An upstream's name, as people know it. */
  readonly provider?: string;
}

/** What a page is shown again with. */
export interface Refusal {
  readonly alert?: Alert;
  readonly status?: number;
}

/** Thrown for a form that is wrong in a way that the page alone knows. */
export class FormRefused extends Error {
  readonly refusal: Refusal;
  constructor(alert: Alert, status = 400) {
    super(alert.kind);
    this.refusal = { alert, status };
  }
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

const SHOWN_ABOUT = {
  emails: 'too-many-emails',
  'legacy-system': 'sign-in-away',
  registration: 'registration-closed',
} as const;

const STATUS: Partial<Record<Reason, number>> = { 'too-many-requests': 429, unavailable: 503 };

/** What a page shows of an error, and its status; rethrows one that is none of the person's doing. */
export function refusedBy(
  { passwordMinimum: minimum }: Pick<PageDeps, 'passwordMinimum'>,
  ctx: Context,
  error: unknown,
): Refusal {
  if (error instanceof FormRefused) return error.refusal;
  if (!(error instanceof Refused)) throw error;
  const { reason, retryAfter, about } = error;
  if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter));
  if (!SHOWN.has(reason)) throw error;
  const wait = retryAfter === undefined ? {} : { count: Math.ceil(retryAfter / 60) };
  const kind = about === undefined ? reason : SHOWN_ABOUT[about];
  return { alert: { kind, minimum, ...wait }, status: STATUS[reason] ?? 400 };
}

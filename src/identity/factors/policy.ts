/**
 * Whether a sign-in lacks a second factor: one question for every channel. An account with a passkey or an
 * authenticator app is asked for it at each sign-in. Beside that an organization, or a client, may require one of its
 * people: a person without one may put it off until the grace period ends, and earlier sign-ins go on until then.
 */
import type { Clock } from '../../core/clock.ts';
import { keepFresh } from '../../core/keep-fresh.ts';
import type { AccountRecord } from '../../model/account.ts';
import { type FactorPolicy, passkeysOf } from '../../model/factors.ts';
import type { Stores } from '../../store/ports/stores.ts';
import type { Identity } from '../context.ts';
import { relyingPartyOf } from './webauthn.ts';

const DAY = 86_400_000;

export const DEFAULTS = { offered: ['passkey', 'app'], graceDays: 14, rememberDays: 30 } as const;

export interface SignIn {
  readonly amr: readonly string[];
  readonly signedInAt: Date;
}

/** Whose sign-in, and which policies are asked: the organization's, and the client's where there is one. */
export interface Judged {
  readonly account: Pick<AccountRecord, 'factors' | 'roles' | 'createdAt'>;
  readonly policies: readonly (FactorPolicy | undefined)[];
  readonly now: Date;
}

/** `later`: in the grace period. */
export type FactorNeed = 'none' | 'later' | 'now';

/** Whether the sign-in goes no further without a second factor. */
export function lacksFactor(signIn: SignIn, judged: Judged): boolean {
  return needOfFactor(signIn, judged) === 'now';
}

export function needOfFactor(signIn: SignIn, judged: Judged): FactorNeed {
  const from = neededFrom(signIn, judged);
  if (from === undefined) return 'none';
  return judged.now.getTime() < from ? 'later' : 'now';
}

/** Until then a person may put it off. Undefined: there is no need. */
export function neededFrom(
  { amr, signedInAt }: SignIn,
  { account, policies, now }: Judged,
): number | undefined {
  if (amr.includes('mfa')) return undefined;
  // A client of which no browser is remembered does not take the session of one that is.
  if (amr.includes('remembered') && effectivePolicy(policies).rememberDays > 0) return undefined;
  const first = firstFactorAt(account);
  if (first !== undefined && signedInAt >= first) return now.getTime();
  const ends = [
    ...policies.filter((policy) => requires(policy, account)).map((policy) => endOfGrace(policy, account)),
    // A sign-in from before the account had a factor.
    ...(first === undefined ? [] : [first.getTime() + effectivePolicy(policies).graceDays * DAY]),
  ];
  return ends.length === 0 ? undefined : Math.min(...ends);
}

/** What two policies come to: the stricter of them, member by member. */
export function effectivePolicy(policies: Judged['policies']) {
  const all = policies.filter((policy) => policy !== undefined);
  const offered = DEFAULTS.offered.filter((kind) =>
    all.every((policy) => policy.offered?.includes(kind) ?? true),
  );
  return {
    offered: offered.length === 0 ? DEFAULTS.offered : offered,
    graceDays: fewest(all, 'graceDays'),
    rememberDays: fewest(all, 'rememberDays'),
  };
}

/** What a person may set up: an authenticator app, too, where nothing else is offered and passkeys cannot work. */
export function mayBeSetUp(identity: Pick<Identity, 'issuer'>, policies: Judged['policies']) {
  const { offered } = effectivePolicy(policies);
  const app = offered.includes('app') || relyingPartyOf(identity) === undefined;
  return { passkey: offered.includes('passkey'), app };
}

function fewest(policies: readonly FactorPolicy[], member: 'graceDays' | 'rememberDays'): number {
  const stated = policies.flatMap((policy) => policy[member] ?? []);
  return stated.length === 0 ? DEFAULTS[member] : Math.min(...stated);
}

/** Reads an organization's policy, from memory for a moment: every sign-in and every refresh asks. */
export function createPolicyReader({
  stores,
  clock,
}: {
  stores: Pick<Stores, 'organizations'>;
  clock: Clock;
}) {
  const organization = keepFresh(clock, (id) => stores.organizations.byId(id));
  return async (id: string): Promise<FactorPolicy | undefined> => (await organization(id))?.factors;
}

function requires(policy: FactorPolicy | undefined, { roles }: Judged['account']): policy is FactorPolicy {
  if (policy?.require === 'required') return true;
  return policy?.require === 'required-for-roles' && roles.some((role) => policy.roles?.includes(role));
}

/** Without `since` only a new account has a grace period. */
function endOfGrace({ since, graceDays = DEFAULTS.graceDays }: FactorPolicy, account: Judged['account']) {
  const begun = Math.max(since === undefined ? 0 : Date.parse(since), account.createdAt.getTime());
  return begun + graceDays * DAY;
}

function firstFactorAt(account: Judged['account']): Date | undefined {
  const app = account.factors?.app;
  const times = [...passkeysOf(account), ...(app ? [app] : [])].map(({ createdAt }) => Date.parse(createdAt));
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}

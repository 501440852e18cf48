/** How VisitNote shows an account: `loginData` at sign-in, the flat profile elsewhere. */
import { z } from 'zod';
import type { Json } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { SignedIn } from '../contract/tokens.ts';

const text = (value: Json | undefined, otherwise: string) => (typeof value === 'string' ? value : otherwise);
const textOrNull = (value: Json | undefined) => (typeof value === 'string' ? value : null);

/** VisitNote shows two names; an account of another vendor may have only the full one. */
export function names({ claims }: Pick<AccountView, 'claims'>): { first_name: string; last_name: string } {
  if (claims.given_name !== undefined || claims.family_name !== undefined) {
    return { first_name: claims.given_name ?? '', last_name: claims.family_name ?? '' };
  }
  const words = (claims.name ?? '').split(/\s+/u).filter((word) => word !== '');
  if (words.length < 2) return { first_name: words[0] ?? '', last_name: '' };
  return { first_name: words.slice(0, -1).join(' '), last_name: words.at(-1) ?? '' };
}

/** UTC with six decimals: `2031-02-01T00:00:00.000000Z`. */
export function microseconds(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

const MICROSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;

function trialEnd(vendor: AccountView['vendor']): string | null {
  const stored = vendor.trial_ends_at;
  if (typeof stored !== 'string') return null;
  const time = new Date(stored);
  if (Number.isNaN(time.getTime())) return null;
  // A Date ends at milliseconds: what is in the vendor's form already keeps its last three digits.
  return MICROSECONDS.test(stored) ? stored : microseconds(time);
}

function person(account: AccountView) {
  return {
    uuid: account.alias,
    ...names(account),
    email: account.email ?? '',
    subscription_status: text(account.vendor.subscription_status, 'none'),
  };
}

function course(account: AccountView) {
  return {
    trial_ends_at: trialEnd(account.vendor),
    needs_onboarding: account.vendor.needs_onboarding !== false,
  };
}

export function signedInReply({ account, tokens }: SignedIn) {
  return {
    status: true,
    data: { token: tokens.access.value, loginData: person(account), ...course(account) },
  };
}

export function profileReply(account: AccountView) {
  const { vendor } = account;
  return {
    status: true,
    data: {
      ...person(account),
      discipline: textOrNull(vendor.discipline),
      license_number: textOrNull(vendor.license_number),
      license_state: textOrNull(vendor.license_state),
      organization_uuid: textOrNull(vendor.organization_uuid),
      ...course(account),
    },
  };
}

const Person = z.strictObject({
  uuid: z.string(),
  first_name: z.string(),
  last_name: z.string(),
  email: z.string(),
  subscription_status: z.string(),
});

const Course = z.strictObject({ trial_ends_at: z.string().nullable(), needs_onboarding: z.boolean() });

export const SignedInReply = z.strictObject({
  status: z.literal(true),
  data: z.strictObject({ token: z.string(), loginData: Person, ...Course.shape }),
});

export const ProfileReply = z.strictObject({
  status: z.literal(true),
  data: z.strictObject({
    ...Person.shape,
    discipline: z.string().nullable(),
    license_number: z.string().nullable(),
    license_state: z.string().nullable(),
    organization_uuid: z.string().nullable(),
    ...Course.shape,
  }),
});

export const DoneReply = z.strictObject({
  status: z.literal(true),
  data: z.null(),
  message: z.string(),
});

export const Failure = z.strictObject({ status: z.literal(false), message: z.string() });

export const InvalidFields = z.strictObject({
  status: z.literal(false),
  message: z.string(),
  errors: z.record(z.string(), z.array(z.string()).length(1)),
});

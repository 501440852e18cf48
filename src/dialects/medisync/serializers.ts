/** How MediSync shows an account. No string member is ever null; times have milliseconds. */
import { z } from 'zod';
import type { Json } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { SignedIn } from '../contract/tokens.ts';

const text = (value: Json | undefined) => (typeof value === 'string' ? value : '');

function time(value: Json | undefined): string | null {
  if (typeof value !== 'string') return null;
  const parsed = new Date(value);
  return Number.isNaN(parsed.getTime()) ? null : parsed.toISOString();
}

export function signedInReply({ account, tokens }: SignedIn) {
  return {
    success: true,
    token: tokens.access.value,
    uid: account.alias,
    userTitle: text(account.vendor.title),
    firstName: account.claims.given_name ?? '',
    lastName: account.claims.family_name ?? '',
  };
}

function subscription({ vendor }: AccountView) {
  return {
    subscriptionActive: vendor.subscriptionActive === true,
    subscriptionExpiry: time(vendor.subscriptionExpiry),
  };
}

/** Composed at each read: title and both names, or the full name of an account that has neither. */
function fullName({ claims, vendor }: AccountView): string {
  const { given_name: first = '', family_name: last = '', name = '' } = claims;
  if (first === '' && last === '') return name;
  return [text(vendor.title), first, last].filter((part) => part !== '').join(' ');
}

export function profileReply(account: AccountView) {
  const { claims, vendor } = account;
  return {
    success: true,
    data: {
      name: fullName(account),
      email: account.email ?? '',
      firstName: claims.given_name ?? '',
      lastName: claims.family_name ?? '',
      title: text(vendor.title),
      specialty: text(vendor.specialty),
      ehr_system_type: text(vendor.ehr_system_type),
      ehr_system_name: text(vendor.ehr_system_name),
      isVerified: account.emailVerified,
      ...subscription(account),
      createdAt: account.createdAt.toISOString(),
      updatedAt: account.updatedAt.toISOString(),
    },
  };
}

export function subscriptionReply(account: AccountView) {
  return { success: true, data: subscription(account) };
}

export const SignedInReply = z.strictObject({
  success: z.literal(true),
  token: z.string(),
  uid: z.string(),
  userTitle: z.string(),
  firstName: z.string(),
  lastName: z.string(),
});

const Subscription = z.strictObject({
  subscriptionActive: z.boolean(),
  subscriptionExpiry: z.string().nullable(),
});

export const SubscriptionReply = z.strictObject({ success: z.literal(true), data: Subscription });

export const ProfileReply = z.strictObject({
  success: z.literal(true),
  data: z.strictObject({
    name: z.string(),
    email: z.string(),
    firstName: z.string(),
    lastName: z.string(),
    title: z.string(),
    specialty: z.string(),
    ehr_system_type: z.string(),
    ehr_system_name: z.string(),
    isVerified: z.boolean(),
    ...Subscription.shape,
    createdAt: z.string(),
    updatedAt: z.string(),
  }),
});

export const RegisteredReply = z.strictObject({
  success: z.literal(true),
  message: z.string(),
  user: z.strictObject({ id: z.string(), email: z.string(), isVerified: z.literal(false) }),
});

export const MessageReply = z.strictObject({ success: z.literal(true), message: z.string() });
export const Failure = z.strictObject({ success: z.literal(false), error: z.string(), code: z.string() });

/**
 * CarePortals' kinds of fields. Every issue has the endpoint's one text, so that a schema only tells good
 * from bad; what is refused for the password alone is judged by the endpoint, once all else is valid.
 */
import { z } from 'zod';
import { foldName, isLonger, Refused, takeText } from '../contract/dialect.ts';
import { isDay } from '../fields/fields.ts';

const points = (text: string) => [...text].length;
const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

const INVALID = 'is invalid';

/** Trimmed, NFC, of at most so many code points, without control characters or lone surrogates. */
const upTo = (most: number) =>
  z.string(INVALID).transform((input, context) => {
    const text = takeText(input, most);
    if (text !== undefined && !/\p{Cc}/u.test(text) && text.isWellFormed()) return text;
    context.addIssue({ code: 'custom', message: INVALID });
    return z.NEVER;
  });

export function text(least: number, most: number) {
  return upTo(most).refine((value) => points(value) >= least, INVALID);
}

/** A text whose own rule leaves no room for a long one. */
const clean = upTo(254);

/** One `@`, something before it, a domain of at least two non-empty labels, no blanks. */
const ADDRESS = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/u;

export const email = text(1, 254)
  .refine((address) => ADDRESS.test(address), INVALID)
  .transform(foldName);

/** At a reset request it need not look like an address. */
export const anyEmail = text(1, 254).transform(foldName);

export const name = text(1, 100);

const gender = clean.transform((value, context) => {
  const known = value.toLowerCase();
  if (['male', 'female', 'other'].includes(known)) return known;
  context.addIssue({ code: 'custom', message: INVALID });
  return z.NEVER;
});

/** A text, or the documented object whose only member is `value`. Leaves as a lower-case text. */
export const genderField = z.union([
  gender,
  z.strictObject({ value: gender }).transform(({ value }) => value),
]);

/** E.164, or undefined where the text is no phone number. */
export function phoneNumber(input: string, countryCode: string): string | undefined {
  const digits = input.trim().replace(/[\s\-.()]/gu, '');
  let number = digits;
  if (!digits.startsWith('+')) {
    number =
      digits.length >= 11 && digits.startsWith(countryCode) ? `+${digits}` : `+${countryCode}${digits}`;
  }
  return /^\+[1-9]\d{7,14}$/.test(number) ? number : undefined;
}

export function phone(countryCode: string) {
  return clean.transform((input, context) => {
    const number = phoneNumber(input, countryCode);
    if (number !== undefined) return number;
    context.addIssue({ code: 'custom', message: INVALID });
    return z.NEVER;
  });
}

/** Whether the day has begun yet is judged with the server's clock, by `hasBegun`. */
export const dob = clean.refine(isDay, INVALID);

/** Today in UTC, or before. */
export const hasBegun = (day: string, now: Date) => day <= now.toISOString().slice(0, 10);

export const provinceCode = clean.transform((input, context) => {
  if (input === '') return undefined;
  if (/^[a-z]{2}$/i.test(input)) return input.toUpperCase();
  context.addIssue({ code: 'custom', message: INVALID });
  return z.NEVER;
});

/** Taken as sent, unlike other texts. */
export const resetToken = z
  .string(INVALID)
  .refine((token) => token !== '' && !isLonger(token, 200), INVALID)
  .refine((token) => !/\p{Cc}/u.test(token) && token.isWellFormed(), INVALID);

/** Taken as sent; how long it must be is judged later. */
export const password = z
  .string(INVALID)
  .refine((input) => !input.includes('\0') && input.isWellFormed() && bytes(input) <= 1024, INVALID);

/** Code points, as they were sent. Throws 'password-too-short'. */
export function refuseShort(input: string, least: number): void {
  if (points(input) < least) throw new Refused('password-too-short');
}

/** Absent and null leave a member alone; so does what is empty after trimming, with `leaveEmpty`. */
export const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([z.null().transform(() => undefined), z.undefined(), schema]).optional();

export const leaveEmpty = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess(
    (input) => (typeof input === 'string' && input.trim() === '' ? undefined : input),
    maybe(schema),
  );

/** A text that breaks its member's rule. */
export interface Unfit {
  readonly unfit: string;
}

/**
 * What other channels stored need not fit here, and is shown all the same: a text that breaks the rule is let
 * through as such, for the endpoint to compare with what is shown.
 */
export const orAsShown = <Schema extends z.ZodType>(schema: Schema) =>
  z.union([schema, z.string().transform((unfit): Unfit => ({ unfit }))]);

/**
 * CarePortals' kinds of fields. Every issue has the endpoint's one text, so that a schema only tells good
 * from bad; what is refused for the password alone is judged by the endpoint, once all else is valid.
 */
import { z } from 'zod';
import { foldName, isLonger, Refused, takeText } from '../contract/dialect.ts';
import { isAddress, isDay, malformed, overPasswordLimit, points, unstorable } from '../fields/fields.ts';

const INVALID = 'is invalid';

/**
 * Trimmed, NFC, of at most so many code points, without control characters or lone surrogates. `read` says what is
 * kept of it: undefined where it breaks the field's own rule.
 */
const textBy = (read: (text: string) => string | undefined, most = 254) =>
  z.string(INVALID).transform((input, context) => {
    const text = takeText(input, most);
    const kept = text === undefined || malformed(text) ? undefined : read(text);
    if (kept !== undefined) return kept;
    context.addIssue({ code: 'custom', message: INVALID });
    return z.NEVER;
  });

export function text(least: number, most: number) {
  return textBy((value) => (points(value) < least ? undefined : value), most);
}

export const email = textBy((address) => (isAddress(address, 254) ? foldName(address) : undefined));

/** At a reset request it need not look like an address. */
export const anyEmail = text(1, 254).transform(foldName);

export const name = text(1, 100);

const gender = textBy((value) => ['male', 'female', 'other'].find((known) => known === value.toLowerCase()));

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

export const phone = (countryCode: string) => textBy((input) => phoneNumber(input, countryCode));

/** Whether the day has begun yet is judged with the server's clock, by `hasBegun`. */
export const dob = textBy((day) => (isDay(day) ? day : undefined));

/** Today in UTC, or before. */
export const hasBegun = (day: string, now: Date) => day <= now.toISOString().slice(0, 10);

export const provinceCode = textBy((input) => /^[a-z]{2}$/i.exec(input)?.[0].toUpperCase());

/** Taken as sent, unlike other texts. */
export const resetToken = z
  .string(INVALID)
  .refine((token) => token !== '' && !isLonger(token, 200) && !malformed(token), INVALID);

/** Taken as sent; how long it must be is judged later. */
export const password = z
  .string(INVALID)
  .refine((input) => !unstorable(input) && !overPasswordLimit(input), INVALID);

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

/**
 * VisitNote's field rules, tried in the vendor's order; the first that fails gives the field's one message.
 * Absent, null and empty are the same: missing. Nothing is ever converted.
 */
import { z } from 'zod';
import { isLonger, takeText } from '../contract/dialect.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const ADDRESS = /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/u;

/** `license_state` reads "license state" in messages. */
const spoken = (name: string) => name.replaceAll('_', ' ');

/** What the documentation says of a member whose rules are code. */
const TEXT = { type: 'string' } as const;

const points = (text: string) => [...text].length;
const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

/** Control characters (Unicode Cc) or a lone surrogate. */
function malformed(text: string): boolean {
  return /\p{Cc}/u.test(text) || !text.isWellFormed();
}

interface TextRules {
  readonly required?: boolean;
  /** Code points. */
  readonly limit: number;
  /** The member's own rule: the message when it fails. */
  readonly rule?: (text: string) => string | undefined;
}

/** A trimmed, NFC text; `undefined` when it is missing and need not be there. */
function text(name: string, rules: TextRules) {
  return z
    .unknown()
    .meta(TEXT)
    .transform((value, context): string | undefined => {
      const issue = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (value === undefined || value === null || (typeof value === 'string' && value.trim() === '')) {
        return rules.required ? issue(`The ${spoken(name)} field is required.`) : undefined;
      }
      if (typeof value !== 'string') return issue(`The ${spoken(name)} must be a string.`);
      if (malformed(value.trim())) return issue(`The ${spoken(name)} format is invalid.`);
      const clean = takeText(value, rules.limit);
      if (clean === undefined) {
        return issue(`The ${spoken(name)} must not be greater than ${rules.limit} characters.`);
      }
      const broken = rules.rule?.(clean);
      return broken === undefined ? clean : issue(broken);
    });
}

/** A text that must be there. */
export function required(name: string, limit: number, rule?: TextRules['rule']) {
  return text(name, { required: true, limit, ...(rule && { rule }) }).pipe(z.string());
}

/** A text of `complete-onboarding`: absent keeps (undefined), null and "" clear (null). */
export function clearable(name: string, limit: number, rule?: TextRules['rule']) {
  const input = text(name, { limit, ...(rule && { rule }) });
  return z
    .unknown()
    .meta(TEXT)
    .transform((value, context): string | null | undefined => {
      if (value === undefined) return undefined;
      const parsed = input.safeParse(value);
      if (parsed.success) return parsed.data ?? null;
      for (const issue of parsed.error.issues) context.addIssue({ code: 'custom', message: issue.message });
      return z.NEVER;
    });
}

/** An address that is only looked up: what is none is merely unknown. */
export const anyAddress = required('email', 255).transform((address) => address.toLowerCase());

/** Whether the text would pass as an address at /register. */
export function isAddress(address: string): boolean {
  return !isLonger(address, 255) && !malformed(address) && ADDRESS.test(address);
}

export const newAddress = required('email', 255, (address) =>
  isAddress(address) ? undefined : 'The email must be a valid email address.',
).transform((address) => address.toLowerCase());

/** Taken as sent, blanks included. */
export function password(judge?: (value: string) => string | undefined) {
  return z
    .unknown()
    .meta(TEXT)
    .transform((value, context): string => {
      const issue = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (value === undefined || value === null || value === '')
        return issue('The password field is required.');
      if (typeof value !== 'string') return issue('The password must be a string.');
      if (value.includes('\0') || !value.isWellFormed()) return issue('The password format is invalid.');
      if (bytes(value) > 1024) return issue('The password must not be greater than 1024 bytes.');
      const broken = judge?.(value);
      return broken === undefined ? value : issue(broken);
    });
}

export const idToken = z
  .unknown()
  .meta(TEXT)
  .transform((value, context): string => {
    const issue = (message: string) => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (value === undefined || value === null || value === '')
      return issue('The id token field is required.');
    if (typeof value !== 'string') return issue('The id token must be a string.');
    if (malformed(value)) return issue('The id token format is invalid.');
    if (isLonger(value, 8192)) return issue('The id token must not be greater than 8192 characters.');
    return value;
  });

export const uuid = (text: string) =>
  UUID.test(text) ? undefined : 'The organization uuid must be a valid UUID.';
export { points };

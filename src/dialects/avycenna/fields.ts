/**
 * AVYCENNA's field types. Each member with an issue gets one entry, for the first check that fails, with the
 * vendor's `msg` and `type`; nothing is ever converted.
 */
import { z } from 'zod';
import { foldName, isLonger, takeText } from '../contract/dialect.ts';

interface Issue {
  readonly msg: string;
  readonly type: string;
}

const MISSING: Issue = { msg: 'field required', type: 'value_error.missing' };
const NONE: Issue = { msg: 'none is not an allowed value', type: 'type_error.none.not_allowed' };
const NOT_TEXT: Issue = { msg: 'str type expected', type: 'type_error.str' };
const ADDRESS: Issue = { msg: 'value is not a valid email address', type: 'value_error.email' };
const OTP: Issue = { msg: 'value is not a 6-digit code', type: 'value_error.otp' };
const CHARACTERS: Issue = {
  msg: 'value contains characters that are not allowed',
  type: 'value_error.characters',
};
export const TOO_COMMON: Issue = { msg: 'password is too common', type: 'value_error.password.common' };

const tooShort = (least: number): Issue => ({
  msg: `ensure this value has at least ${least} characters`,
  type: 'value_error.any_str.min_length',
});
const tooLong = (most: string): Issue => ({
  msg: `ensure this value has at most ${most}`,
  type: 'value_error.any_str.max_length',
});

const points = (text: string) => [...text].length;
const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

/** A text member: missing, null and other types are refused alike everywhere; `read` is the member's own part. */
function text<Value>(read: (value: string) => { readonly value: Value } | Issue) {
  return z
    .unknown()
    .meta({ type: 'string' })
    .transform((input, context): Value => {
      const issue = ({ msg, type }: Issue) => {
        context.addIssue({ code: 'custom', message: msg, params: { code: type } });
        return z.NEVER;
      };
      if (input === undefined) return issue(MISSING);
      if (input === null) return issue(NONE);
      if (typeof input !== 'string') return issue(NOT_TEXT);
      const outcome = read(input);
      return 'value' in outcome ? outcome.value : issue(outcome);
    });
}

const LOCAL = /^[^\s\p{Cc}"(),:;<>@[\\\]]+$/u;
const LABEL = /^[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?$/u;

function isAddress(address: string): boolean {
  const [local = '', domain = '', ...more] = address.split('@');
  const labels = domain.split('.');
  return (
    more.length === 0 &&
    address.isWellFormed() &&
    !isLonger(address, 254) &&
    !isLonger(local, 64) &&
    LOCAL.test(local) &&
    labels.length >= 2 &&
    labels.every((label) => LABEL.test(label))
  );
}

/** `typed` is as it was sent, trimmed; `folded` is what is compared and stored. */
export const address = text((input) => {
  if (takeText(input, 254) === undefined) return ADDRESS;
  const folded = foldName(input);
  return isAddress(folded) ? { value: { typed: input.trim(), folded } } : ADDRESS;
});

export const otp = text((input) => {
  const code = input.trim();
  return /^[0-9]{6}$/.test(code) ? { value: code } : OTP;
});

/** Taken as sent. `least`: code points. */
export function password(least = 1) {
  return text((input) => {
    if (input.includes('\0') || !input.isWellFormed()) return CHARACTERS;
    if (points(input) < least) return tooShort(least);
    if (bytes(input) > 1024) return tooLong('1024 bytes');
    return { value: input };
  });
}

export const name = text((input) => {
  const clean = input.trim();
  if (/\p{Cc}/u.test(clean) || !clean.isWellFormed()) return CHARACTERS;
  if (clean === '') return tooShort(1);
  if (isLonger(clean, 100)) return tooLong('100 characters');
  return { value: clean };
});

export const refreshToken = text((input) => {
  if (input.includes('\0') || !input.isWellFormed()) return CHARACTERS;
  if (input === '') return tooShort(1);
  if (isLonger(input, 256)) return tooLong('256 characters');
  return { value: input };
});

export const SCOPES = ['read:health', 'write:health', 'read:users', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

const UNKNOWN_SCOPE: Issue = {
  msg: `value is not a valid enumeration member; permitted: ${SCOPES.map((scope) => `'${scope}'`).join(', ')}`,
  type: 'type_error.enum',
};

const isScope = (value: unknown): value is Scope => SCOPES.some((scope) => scope === value);

function listOf(input: unknown): unknown[] | Issue {
  if (input === undefined) return MISSING;
  if (input === null) return NONE;
  if (!Array.isArray(input)) return { msg: 'value is not a valid list', type: 'type_error.list' };
  if (input.length === 0) {
    return { msg: 'ensure this value has at least 1 items', type: 'value_error.list.min_items' };
  }
  if (input.length > 16) {
    return { msg: 'ensure this value has at most 16 items', type: 'value_error.list.max_items' };
  }
  return input;
}

const DOCUMENTED = { type: 'array', items: { enum: [...SCOPES] }, minItems: 1, maxItems: 16 } as const;

/** 1 to 16 known scopes, one entry for each bad item; repeats collapse to the first. */
export const scopes = z
  .unknown()
  .meta(DOCUMENTED)
  .transform((input, context): Scope[] => {
    const issue = ({ msg, type }: Issue, path: number[] = []) =>
      context.addIssue({ code: 'custom', message: msg, path, params: { code: type } });
    const items = listOf(input);
    if (!Array.isArray(items)) {
      issue(items);
      return z.NEVER;
    }
    items.forEach((item, index) => {
      if (typeof item !== 'string') issue(NOT_TEXT, [index]);
      else if (!isScope(item)) issue(UNKNOWN_SCOPE, [index]);
    });
    return [...new Set(items.filter(isScope))];
  });

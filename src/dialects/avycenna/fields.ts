/**
 * AVYCENNA's field types. Each member with an issue gets one entry, for the first check that fails, with the
 * vendor's `msg` (here `message`) and `type` (here `code`).
 */
import { foldName, isLonger, takeText } from '../contract/dialect.ts';
import {
  field,
  malformed,
  passwordField,
  points,
  textReader,
  unstorable,
  type Words,
} from '../fields/fields.ts';

const MISSING = { message: 'field required', code: 'value_error.missing' };
const NONE = { message: 'none is not an allowed value', code: 'type_error.none.not_allowed' };
const NOT_TEXT = { message: 'str type expected', code: 'type_error.str' };
const ADDRESS = { message: 'value is not a valid email address', code: 'value_error.email' };
const OTP = { message: 'value is not a 6-digit code', code: 'value_error.otp' };
export const TOO_COMMON = { message: 'password is too common', code: 'value_error.password.common' };

const tooShort = (least: number) => ({
  message: `ensure this value has at least ${least} characters`,
  code: 'value_error.any_str.min_length',
});

/** Missing, null and other types are refused alike everywhere. */
const words = (most: string, least = 1): Words => ({
  missing: MISSING,
  none: NONE,
  notText: NOT_TEXT,
  empty: tooShort(least),
  malformed: { message: 'value contains characters that are not allowed', code: 'value_error.characters' },
  tooLong: { message: `ensure this value has at most ${most}`, code: 'value_error.any_str.max_length' },
});

/** Words of a member of which only its own rule tells good from bad. */
const onlyRule = (issue: typeof ADDRESS): Words => ({
  ...words(''),
  empty: issue,
  malformed: issue,
  tooLong: issue,
});

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
export const address = field(
  textReader(onlyRule(ADDRESS), {
    unfit: (sent) => takeText(sent, 254) === undefined || !isAddress(foldName(sent)),
    take: (sent) => sent.trim(),
  }),
).transform((typed) => ({ typed, folded: foldName(typed) }));

export const otp = field(
  textReader(onlyRule(OTP), {
    unfit: (sent) => !/^[0-9]{6}$/.test(sent.trim()),
    take: (sent) => sent.trim(),
  }),
);

/** Taken as sent. `least`: code points. */
export const password = (least = 1) =>
  passwordField(words('1024 bytes', least), (sent) => (points(sent) < least ? tooShort(least) : undefined));

export const name = field(
  textReader(words('100 characters'), {
    unfit: (sent) => malformed(sent.trim()),
    take: (sent) => (isLonger(sent.trim(), 100) ? undefined : sent.trim()),
  }),
);

export const refreshToken = field(
  textReader(words('256 characters'), {
    exact: true,
    unfit: unstorable,
    take: (sent) => (isLonger(sent, 256) ? undefined : sent),
  }),
);

export const SCOPES = ['read:health', 'write:health', 'read:users', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

const UNKNOWN_SCOPE = {
  message: `value is not a valid enumeration member; permitted: ${SCOPES.map((scope) => `'${scope}'`).join(', ')}`,
  code: 'type_error.enum',
};

const isScope = (value: unknown): value is Scope => SCOPES.some((scope) => scope === value);

const NOT_LIST = { message: 'value is not a valid list', code: 'type_error.list' };
const NO_ITEMS = { message: 'ensure this value has at least 1 items', code: 'value_error.list.min_items' };
const MANY_ITEMS = { message: 'ensure this value has at most 16 items', code: 'value_error.list.max_items' };

/** 1 to 16 known scopes, one entry for each bad item; repeats collapse to the first. */
export const scopes = field(
  (value, refuse): Scope[] => {
    if (value === undefined) return refuse(MISSING);
    if (value === null) return refuse(NONE);
    if (!Array.isArray(value)) return refuse(NOT_LIST);
    if (value.length === 0) return refuse(NO_ITEMS);
    if (value.length > 16) return refuse(MANY_ITEMS);
    value.forEach((item, index) => {
      if (typeof item !== 'string') refuse(NOT_TEXT, [index]);
      else if (!isScope(item)) refuse(UNKNOWN_SCOPE, [index]);
    });
    return [...new Set(value.filter(isScope))];
  },
  { type: 'array', items: { enum: [...SCOPES] }, minItems: 1, maxItems: 16 },
);

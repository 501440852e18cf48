/**
 * MediSync's member rules. Checked in a fixed order; the first failure of the first failing member, in the
 * order of MEMBERS, is the reply. null is absent.
 */
import { foldName, isLonger } from '../contract/dialect.ts';
import { field, isAddress, passwordField, points, textReader, type Words } from '../fields/fields.ts';

/** The order in which every endpoint's table lists its members. */
export const MEMBERS = [
  'title',
  'firstName',
  'lastName',
  'email',
  'password',
  'remember',
  'specialty',
  'ehr_system_type',
  'ehr_system_name',
  'token',
];

/** The member's own rule: the message when it fails. */
type Rule = (text: string) => string | undefined;

const words = (name: string, most: string): Words => ({
  missing: `${name} is required`,
  notText: `${name} must be a string`,
  malformed: `${name} contains invalid characters`,
  tooLong: `${name} must be at most ${most}`,
});

/** `limit`: code points after trimming. */
function reader(name: string, limit: number, rule?: Rule) {
  const take = (sent: string) => (isLonger(sent.trim(), limit) ? undefined : sent.trim());
  return textReader(words(name, `${limit} characters`), { take, rule });
}

export const required = (name: string, limit = 100, rule?: Rule) => field(reader(name, limit, rule));

/** Absent and null (and nothing else) leave the member alone. */
export function optional(name: string, limit = 100, rule?: Rule) {
  const read = reader(name, limit, rule);
  return field((value, refuse) =>
    value === undefined || value === null ? undefined : read(value, refuse),
  ).optional();
}

const mustBeAddress: Rule = (text) => (isAddress(text) ? undefined : 'email must be a valid email address');

/** At sign-in, what is no address is merely unknown. */
export const anyAddress = required('email', 254).transform(foldName);
export const address = required('email', 254, mustBeAddress).transform(foldName);
export const optionalAddress = optional('email', 254, mustBeAddress).transform(
  (value) => value && foldName(value),
);

/** Exactly as sent: neither trimmed nor cut. */
export const password = (rule?: Rule) => passwordField(words('password', '1024 bytes'), rule);

export const newPassword = password((value) =>
  points(value) >= 8 && /\p{Lu}/u.test(value) && /\p{Ll}/u.test(value) && /\p{Nd}/u.test(value)
    ? undefined
    : 'password must have at least 8 characters, with uppercase and lowercase letters and a number',
);

export const remember = field(
  (value, refuse): boolean =>
    typeof (value ?? false) === 'boolean' ? value === true : refuse('remember must be a boolean'),
  { type: 'boolean' },
).optional();

/** Of any length and form: whatever text is no token of ours is a refused one. */
export const linkToken = field(
  textReader(words('token', ''), { unfit: () => false, take: (sent) => sent.trim() }),
);

/**
 * VisitNote's field rules, tried in the vendor's order; the first that fails gives the field's one message.
 * Absent, null and empty are the same: missing.
 */
import { foldName, isLonger, takeText } from '../contract/dialect.ts';
import { field, isAddress, malformed, passwordField, textReader, type Words } from '../fields/fields.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The member's own rule: the message when it fails. */
type Rule = (text: string) => string | undefined;

function words(name: string, most: string): Words {
  return {
    missing: `The ${name} field is required.`,
    notText: `The ${name} must be a string.`,
    malformed: `The ${name} format is invalid.`,
    tooLong: `The ${name} must not be greater than ${most}.`,
  };
}

/** A trimmed, NFC text. `license_state` reads "license state" in messages; `limit`: code points. */
function reader(name: string, limit: number, rule?: Rule) {
  return textReader(words(name.replaceAll('_', ' '), `${limit} characters`), {
    unfit: (sent) => malformed(sent.trim()),
    take: (sent) => takeText(sent, limit),
    rule,
  });
}

/** A text that must be there. */
export const required = (name: string, limit: number, rule?: Rule) => field(reader(name, limit, rule));

/** A text of `complete-onboarding`: absent keeps (undefined), null and "" clear (null). */
export function clearable(name: string, limit: number, rule?: Rule) {
  const read = reader(name, limit, rule);
  return field((value, refuse) => {
    if (value === undefined) return undefined;
    const clears = value === null || (typeof value === 'string' && value.trim() === '');
    return clears ? null : read(value, refuse);
  });
}

/** An address that is only looked up: what is none is merely unknown. */
export const anyAddress = required('email', 255).transform(foldName);

/** Whether the text would pass as an address at /register. */
export function isUsable(address: string): boolean {
  return !isLonger(address, 255) && !malformed(address) && isAddress(address, Infinity);
}

export const newAddress = required('email', 255, (address) =>
  isUsable(address) ? undefined : 'The email must be a valid email address.',
).transform(foldName);

export const password = (rule?: Rule) => passwordField(words('password', '1024 bytes'), rule);

export const idToken = field(
  textReader(words('id token', '8192 characters'), {
    exact: true,
    take: (sent) => (isLonger(sent, 8192) ? undefined : sent),
  }),
);

export const uuid = (text: string) =>
  UUID.test(text) ? undefined : 'The organization uuid must be a valid UUID.';

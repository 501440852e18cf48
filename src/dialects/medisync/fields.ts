/**
 * MediSync's member rules. Checked in a fixed order; the first failure of the first failing member, in the
 * order of MEMBERS, is the reply. null is absent; nothing is ever converted.
 */
import { z } from 'zod';
import { foldName, isLonger } from '../contract/dialect.ts';

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

/** What the documentation says of a member whose rules are code. */
const TEXT = { type: 'string' } as const;

const points = (text: string) => [...text].length;
const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

interface TextRules {
  /** Code points after trimming. */
  readonly limit: number;
  /** Absent, null (and nothing else) leave the member alone. */
  readonly optional?: boolean;
  readonly rule?: (text: string) => string | undefined;
}

function text(name: string, { limit, optional = false, rule }: TextRules) {
  return z
    .unknown()
    .meta(TEXT)
    .optional()
    .transform((value, context): string | undefined => {
      const issue = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (value === undefined || value === null) return optional ? undefined : issue(`${name} is required`);
      if (typeof value !== 'string') return issue(`${name} must be a string`);
      const clean = value.trim();
      if (clean === '') return issue(`${name} is required`);
      if (/\p{Cc}/u.test(value) || !value.isWellFormed()) return issue(`${name} contains invalid characters`);
      if (isLonger(clean, limit)) return issue(`${name} must be at most ${limit} characters`);
      const broken = rule?.(clean);
      return broken === undefined ? clean : issue(broken);
    });
}

export const required = (name: string, limit = 100) => text(name, { limit }).pipe(z.string());
export const optional = (name: string, limit = 100) => text(name, { limit, optional: true }).optional();

/** One `@`, a local part of 1 to 64, a domain of at least two non-empty labels, no white space. */
function addressIssue(address: string): string | undefined {
  const [local = '', domain = '', ...more] = address.split('@');
  const good =
    more.length === 0 &&
    local !== '' &&
    !isLonger(local, 64) &&
    domain.includes('.') &&
    domain.split('.').every((label) => label !== '') &&
    !/\s/u.test(address);
  return good ? undefined : 'email must be a valid email address';
}

/** At sign-in, what is no address is merely unknown. */
export const anyAddress = required('email', 254).transform(foldName);
export const address = text('email', { limit: 254, rule: addressIssue }).pipe(z.string()).transform(foldName);
export const optionalAddress = text('email', { limit: 254, optional: true, rule: addressIssue })
  .transform((value) => value && foldName(value))
  .optional();

/** Exactly as sent: neither trimmed nor cut. */
export function password(rule?: (value: string) => string | undefined) {
  return z
    .unknown()
    .meta(TEXT)
    .optional()
    .transform((value, context): string => {
      const issue = (message: string) => {
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      };
      if (value === undefined || value === null || value === '') return issue('password is required');
      if (typeof value !== 'string') return issue('password must be a string');
      if (value.includes('\0') || !value.isWellFormed()) return issue('password contains invalid characters');
      if (bytes(value) > 1024) return issue('password must be at most 1024 bytes');
      const broken = rule?.(value);
      return broken === undefined ? value : issue(broken);
    });
}

export const newPassword = password((value) =>
  points(value) >= 8 && /\p{Lu}/u.test(value) && /\p{Ll}/u.test(value) && /\p{Nd}/u.test(value)
    ? undefined
    : 'password must have at least 8 characters, with uppercase and lowercase letters and a number',
);

export const remember = z
  .unknown()
  .meta({ type: 'boolean' })
  .optional()
  .transform((value, context): boolean => {
    if (value === undefined || value === null) return false;
    if (typeof value === 'boolean') return value;
    context.addIssue({ code: 'custom', message: 'remember must be a boolean' });
    return z.NEVER;
  });

/** Steps 1 and 2 only: whatever text is no token of ours is a refused one. */
export const linkToken = z
  .unknown()
  .meta(TEXT)
  .optional()
  .transform((value, context): string => {
    const missing =
      value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
    if (!missing && typeof value === 'string') return value.trim();
    context.addIssue({ code: 'custom', message: missing ? 'token is required' : 'token must be a string' });
    return z.NEVER;
  });

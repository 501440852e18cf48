/** Field rules: one message each, and nothing is ever converted. */
import { z } from 'zod';
import { takeText } from '../contract/dialect.ts';

const ADDRESS = /^[^\s@]{1,64}@[^\s@.]+(\.[^\s@.]+)+$/u;

const bytes = (text: string) => new TextEncoder().encode(text).byteLength;

/** Control characters anywhere, or a lone surrogate. */
const malformed = (text: string) => /\p{Cc}/u.test(text) || !text.isWellFormed();

/** A trimmed, NFC text of 1 to `limit` code points. */
export function text(limit: number) {
  return z.string('must be a text').transform((value, context) => {
    const kept = takeText(value, limit);
    if (kept !== undefined && kept !== '' && !malformed(kept)) return kept;
    context.addIssue({ code: 'custom', message: `must have 1 to ${limit} characters` });
    return z.NEVER;
  });
}

export const email = text(254)
  .transform((value) => value.toLowerCase())
  .refine((value) => ADDRESS.test(value), { message: 'must be an e-mail address' });

/** Taken as sent. The cap keeps a client from having megabytes hashed. */
export const password = z
  .string('must be a text')
  .refine((value) => value !== '' && bytes(value) <= 1024, { message: 'must have 1 to 1024 bytes' })
  .refine((value) => !value.includes('\0') && value.isWellFormed(), {
    message: 'has characters that are not allowed',
  });

/** What is no token is a bad token, not a bad field. */
export const token = z.string('must be a text').min(1, 'must not be empty').max(4096, 'is too long');

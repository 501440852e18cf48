/** Field rules: one message each. */
import { z } from 'zod';
import { foldName, takeText } from '../contract/dialect.ts';
import { field, isAddress, malformed, passwordField, textReader, type Words } from '../fields/fields.ts';

const words = (range: string): Words => ({
  missing: 'must be a text',
  notText: 'must be a text',
  empty: range,
  malformed: 'has characters that are not allowed',
  tooLong: range,
});

/** A trimmed, NFC text of 1 to `limit` code points. */
export function text(limit: number, rule?: (kept: string) => string | undefined) {
  const take = (sent: string) => takeText(sent, limit);
  const unfit = (sent: string) => malformed(sent.trim());
  return field(textReader(words(`must have 1 to ${limit} characters`), { unfit, take, rule }));
}

export const email = text(254, (kept) =>
  isAddress(kept) ? undefined : 'must be an e-mail address',
).transform(foldName);

export const password = passwordField(words('must have 1 to 1024 bytes'));

/** What is no token is a bad token, not a bad field. */
export const token = z.string('must be a text').min(1, 'must not be empty').max(4096, 'is too long');

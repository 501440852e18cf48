/** The form of a hosted page: urlencoded, small, each name once. */
import type { IncomingMessage } from 'node:http';
import { Refused } from '../../core/refused.ts';
import { decodeText, parseForm, readBody, refuseEncoding } from '../request/read-body.ts';

/** Bytes. A long password in many-byte characters fits many times. */
const LIMIT = 16 * 1024;

export type FormFields = Pick<URLSearchParams, 'get'>;

/** Throws Refused('too-large' | 'unsupported-encoding' | 'unsupported-media-type' | 'unreadable-body'). */
export async function readForm(request: IncomingMessage): Promise<FormFields> {
  const bytes = await readBody(request, { limit: LIMIT });
  refuseEncoding(request);
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw new Refused('unsupported-media-type');
  const form = parseForm(decodeText(bytes));
  for (const name of form.keys()) {
    if (form.getAll(name).length > 1) throw new Refused('unreadable-body', { detail: 'a field given twice' });
  }
  return form;
}

/** Fields of a form that more than one page reads. */

import { takeText } from '../../core/text.ts';
import type { FormFields } from '../../http/forms/read-form.ts';

/** One `@` with something before it and a domain behind; undefined for what no email would reach. */
export function emailIn(form: FormFields): string | undefined {
  const email = (form.get('email') ?? '').trim();
  if (email.length > 254 || !email.isWellFormed() || /\p{Cc}/u.test(email)) return undefined;
  return /^[^\s@"(),:;<>[\\\]]{1,64}@[^\s@.,:;<>()[\]"\\]+(?:\.[^\s@.,:;<>()[\]"\\]+)+$/u.test(email)
    ? email
    : undefined;
}

/** One line of text without control characters; '' when nothing was entered, undefined when it cannot be taken. */
export function lineIn(form: FormFields, name: string, longest: number): string | undefined {
  const text = takeText(form.get(name) ?? '', longest);
  return text === undefined || !text.isWellFormed() || /\p{Cc}/u.test(text) ? undefined : text;
}

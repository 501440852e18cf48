/** Fields of a form that more than one page reads. */

import { readEmail, takeLine } from '../../core/text.ts';
import type { FormFields } from '../../http/forms/read-form.ts';

/** Undefined for what no email would reach. */
export function emailIn(form: FormFields): string | undefined {
  return readEmail(form.get('email') ?? '');
}

/** One line of text without control characters; '' when nothing was entered, undefined when it cannot be taken. */
export function lineIn(form: FormFields, name: string, longest: number): string | undefined {
  return takeLine(form.get(name) ?? '', longest);
}

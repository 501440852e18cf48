/**
 * From bytes to fields. Decoding and parsing are http/request/read-body.ts's, strict and bounded; here is decided what
 * the bytes are, and what cannot be read is said as a reason for the dialect to word.
 */
import { decodeText, parseForm, parseJson } from '../../http/request/read-body.ts';
import { type BodyKind, type BodyRules, Refused } from '../contract/dialect.ts';
import { type FormFields, formFields, multipartEntries, noFields } from '../runtime/parse-form.ts';

/** The media type without parameters, lower case: 'application/json'. */
export function mediaType(header: string | undefined): string {
  return (header?.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/**
 * What the body is, by its Content-Type. Undefined: nothing to read (no body, and none is needed).
 * Throws 'unsupported-media-type', 'empty-body'.
 */
export function bodyKind(
  rules: BodyRules,
  header: string | undefined,
  bytes: Uint8Array,
): BodyKind | undefined {
  const absent = bytes.byteLength === 0;
  if (absent && rules.absent === 'empty-object') return undefined;
  if (absent && rules.untyped === 'json') throw new Refused('empty-body');
  const kind = kindOf(mediaType(header), rules);
  if (kind === undefined || !rules.accepts.includes(kind)) throw new Refused('unsupported-media-type');
  if (absent) throw new Refused('empty-body');
  return kind;
}

function kindOf(type: string, rules: BodyRules): BodyKind | undefined {
  if (type === '') return rules.untyped === 'json' ? 'json' : undefined;
  if (type === 'application/json' || rules.jsonTypes?.test(type)) return 'json';
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'multipart/form-data') return 'multipart';
  return undefined;
}

function kindOfJson(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function jsonFields(bytes: Uint8Array): FormFields {
  const value = parseJson(decodeText(bytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const issue = { path: [], message: 'not an object', code: kindOfJson(value) };
    throw new Refused('not-an-object', { issues: [issue] });
  }
  // Without a prototype, `constructor` and `__proto__` are members like any other and lead nowhere.
  const fields = noFields();
  for (const [name, member] of Object.entries(value)) fields[name] = member;
  return fields;
}

/** Throws 'unreadable-body', 'not-an-object'. */
export async function parseBody(options: {
  readonly bytes: Uint8Array;
  readonly kind: BodyKind;
  readonly rules: BodyRules;
  readonly contentType: string | undefined;
}): Promise<FormFields> {
  const { bytes, kind, rules } = options;
  if (kind === 'json') return jsonFields(bytes);
  const entries =
    kind === 'form' ? parseForm(decodeText(bytes)) : await multipartEntries(bytes, options.contentType ?? '');
  if (entries === undefined) throw new Refused('unreadable-body', { detail: 'the multipart body is broken' });
  const fields = formFields(entries, rules.forms);
  return rules.repairForm?.(fields, kind) ?? fields;
}

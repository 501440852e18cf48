/**
 * Forms as plain objects. Flat: a name given twice is an array, and brackets are part of the name. Nested:
 * `a[]=x`, `a[0]=x` and a plain name given twice make an array, `a[b]=x` an object, one level deep. The
 * objects have no prototype, so `__proto__` is a name like any other.
 */
import { randomUUID } from '../../core/crypto.ts';

export type FormFields = Record<string, unknown>;

export const noFields = (): FormFields => Object.create(null);

const BRACKETS = /^([^[\]]+)\[([^[\]]*)\]$/;

function addTo(fields: FormFields, name: string, key: string, value: unknown): void {
  const present = fields[name];
  const isList = key === '' || /^\d{1,4}$/.test(key);
  if (present === undefined) {
    if (isList) fields[name] = [value];
    else fields[name] = Object.assign(noFields(), { [key]: value });
  } else if (Array.isArray(present)) {
    present.push(value);
  } else if (typeof present === 'object' && present !== null && !(present instanceof Blob)) {
    const members = present as FormFields;
    members[key] = key in members ? [members[key], value].flat() : value;
  } else {
    fields[name] = [present, value];
  }
}

/** A form, or a query, as the dialect reads forms. Deeper brackets, and names that do not close them, are plain names. */
export function formFields(
  entries: Iterable<readonly [string, unknown]>,
  forms: 'flat' | 'nested',
): FormFields {
  const fields = noFields();
  for (const [name, value] of entries) {
    const [, outer, inner] = (forms === 'nested' && BRACKETS.exec(name)) || [];
    if (outer !== undefined && inner !== undefined) addTo(fields, outer, inner, value);
    else if (name in fields) addTo(fields, name, '', value);
    else fields[name] = value;
  }
  return fields;
}

/** `multipart/form-data;; boundary=x` as clients send it: parameters that are empty are skipped. */
function boundaryOf(header: string): string | undefined {
  const boundary = header
    .split(';')
    .map((parameter) => parameter.trim())
    .find((parameter) => /^boundary=/i.test(parameter))
    ?.slice('boundary='.length)
    .replace(/^"(.*)"$/, '$1');
  return boundary !== undefined && /^[\w'()+,./:=? -]{1,70}$/.test(boundary) ? boundary : undefined;
}

/**
 * The runtime's parser takes the boundary's characters for a boundary in the middle of a value, too, and then
 * refuses the body. So the lines that are delimiters (RFC 2046 5.1.1) get a boundary that no value can hold.
 */
function renamed(bytes: Uint8Array, boundary: string, safe: string): Uint8Array<ArrayBuffer> {
  const delimiter = new RegExp(`(^|\\r\\n)--${RegExp.escape(boundary)}(--)?[ \\t]*(?=\\r\\n|$)`, 'g');
  const text = Buffer.from(bytes).toString('latin1');
  const named = text.replace(delimiter, (_, before: string, last = '') => `${before}--${safe}${last}`);
  return new Uint8Array(Buffer.from(named, 'latin1'));
}

/** Undefined: it cannot be read. Of the header only the boundary counts. */
export async function multipartEntries(
  bytes: Uint8Array,
  header: string,
): Promise<(readonly [string, unknown])[] | undefined> {
  const boundary = boundaryOf(header);
  if (boundary === undefined) return undefined;
  const safe = randomUUID();
  const headers = { 'content-type': `multipart/form-data; boundary="${safe}"` };
  try {
    const form = await new Response(renamed(bytes, boundary, safe), { headers }).formData();
    return [...form.entries()];
  } catch {
    return undefined;
  }
}

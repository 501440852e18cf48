/**
 * Forms as plain objects. Flat: a name given twice is an array, and brackets are part of the name. Nested:
 * `a[]=x`, `a[0]=x` and a plain name given twice make an array, `a[b]=x` an object, one level deep. The
 * objects have no prototype, so `__proto__` is a name like any other.
 */
export type FormFields = Record<string, unknown>;

export const noFields = (): FormFields => Object.create(null) as FormFields;

export function flatForm(entries: Iterable<readonly [string, unknown]>): FormFields {
  const fields = noFields();
  for (const [name, value] of entries) {
    const present = fields[name];
    if (present === undefined) fields[name] = value;
    else if (Array.isArray(present)) present.push(value);
    else fields[name] = [present, value];
  }
  return fields;
}

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

/** Deeper brackets, and names that do not close them, are plain names. */
export function nestedForm(entries: Iterable<readonly [string, unknown]>): FormFields {
  const fields = noFields();
  for (const [name, value] of entries) {
    const [, outer, inner] = BRACKETS.exec(name) ?? [];
    if (outer !== undefined && inner !== undefined) addTo(fields, outer, inner, value);
    else if (name in fields) addTo(fields, name, '', value);
    else fields[name] = value;
  }
  return fields;
}

/**
 * `multipart/form-data;; boundary=x` as clients send it: parameters that are empty are skipped. Only the
 * boundary is handed on, so nothing else in the header reaches the parser.
 */
export function multipartType(header: string): string | undefined {
  const boundary = header
    .split(';')
    .map((parameter) => parameter.trim())
    .find((parameter) => /^boundary=/i.test(parameter))
    ?.slice('boundary='.length)
    .replace(/^"(.*)"$/, '$1');
  if (boundary === undefined || !/^[\w'()+,./:=? -]{1,70}$/.test(boundary)) return undefined;
  return `multipart/form-data; boundary="${boundary}"`;
}

/** Undefined: it cannot be read. */
export async function multipartEntries(
  bytes: Uint8Array,
  header: string,
): Promise<(readonly [string, unknown])[] | undefined> {
  const type = multipartType(header);
  if (type === undefined) return undefined;
  try {
    const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': type } }).formData();
    return [...form.entries()];
  } catch {
    return undefined;
  }
}

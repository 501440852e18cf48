/** How a product writes its people down, and what its values mean. */

export type FileFormat = 'ndjson' | 'csv' | 'json';

export type Fields = { [member: string]: unknown };

export interface Shape {
  /** Of a file whose name does not tell. */
  readonly format: FileFormat;
  /** The record as a row; undefined: it is no person. */
  read(record: Fields): Fields | undefined;
}

/** Longer ones are no claims. */
const LONGEST = 512;

export function text(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** With an @ it is an address, which the person has or has not; many products use one for the other. */
export function username(value: unknown): string | undefined {
  const name = text(value);
  return name?.includes('@') ? undefined : name;
}

/** What a person can do without is left out where it is too long. */
export function claim(value: unknown): string | undefined {
  const said = text(value);
  return said !== undefined && said.length > LONGEST ? undefined : said;
}

export function flag(value: unknown): boolean | undefined {
  const said = String(value ?? '').toLowerCase();
  if (['true', 't', '1', 'yes'].includes(said)) return true;
  return ['false', 'f', '0', 'no'].includes(said) ? false : undefined;
}

/** Milliseconds, or a text; one without a zone is in UTC. */
export function time(value: unknown): string | undefined {
  const said = text(value);
  if (said === undefined) return undefined;
  const isPlain = /^\d{4}-\d\d-\d\d[ T][\d:.]+$/.test(said);
  const at = new Date(/^\d{10,}$/.test(said) ? Number(said) : isPlain ? `${said.replace(' ', 'T')}Z` : said);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function list(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fields) : [];
}

/** JSON in a text. */
export function inner(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return undefined;
  }
}

/** The Google and Apple identities among the links, of which each product has names of its own. */
export function linked(links: readonly { readonly provider: unknown; readonly subject: unknown }[]) {
  const identities = links.flatMap(({ provider, subject }) => {
    const [, issuer] = UPSTREAMS.find(([form]) => form.test(String(provider))) ?? [];
    const id = text(subject);
    return issuer === undefined || id === undefined ? [] : [{ issuer, subject: id }];
  });
  return identities.length === 0 ? undefined : identities;
}

const UPSTREAMS = [
  [/^google(?:-oauth2|\.com)?$/i, 'https://accounts.google.com'],
  [/^(?:apple|apple\.com|signinwithapple)$/i, 'https://appleid.apple.com'],
] as const;

/** Without members that the product says nothing about. */
export function said(row: Fields): Fields {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}

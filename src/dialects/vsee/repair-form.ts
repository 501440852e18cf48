/**
 * Slips of documented form clients. Some send `email=an+1@vsee.com` without escaping, which a form parser
 * turns into "an 1@vsee.com"; some send the body `refresh_token: <hex>`, which is one name without value.
 */
import type { BodyKind } from '../contract/dialect.ts';

const REFRESH_SLIP = /^\s*refresh_token\s*:\s*([0-9a-f]{32})\s*$/i;

export function repairForm(fields: Record<string, unknown>, kind: BodyKind): Record<string, unknown> {
  const names = Object.keys(fields);
  const token = names.length === 1 ? REFRESH_SLIP.exec(names[0] ?? '')?.[1] : undefined;
  if (token !== undefined && fields[names[0] ?? ''] === '') return { refresh_token: token };
  if (kind !== 'form') return fields;
  const repaired = { ...fields };
  if (typeof fields.email === 'string') repaired.email = plusForBlank(fields.email);
  if (typeof fields.username === 'string' && fields.username.includes('@')) {
    repaired.username = plusForBlank(fields.username);
  }
  return repaired;
}

/** Only blanks are trimmed here: a TAB at the end must still be seen, and refused, by the field's rule. */
export function plusForBlank(address: string): string {
  let start = 0;
  let end = address.length;
  while (address[start] === ' ') start += 1;
  while (end > start && address[end - 1] === ' ') end -= 1;
  return address.slice(start, end).replaceAll(' ', '+');
}

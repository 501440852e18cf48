/** A clinic may let in only people on its roster (`vendor.vsee.eligibility`). */

import { foldName, type Json } from '../../contract/dialect.ts';
import { isObject } from '../fields.ts';

/** What a row may name. */
const MEMBERS = ['first_name', 'last_name', 'dob', 'ssn', 'email'] as const;

type Request = { readonly [K in (typeof MEMBERS)[number]]?: string | undefined };

/** True without a roster. A row fits when every member it has equals the request's. */
export function isOnTheRoster(request: Request, roster: Json | undefined): boolean {
  if (roster === undefined || roster === null) return true;
  return Array.isArray(roster) && roster.some((row) => fits(row, request));
}

/** A row without members, or with one that no request has, fits no request: a slip there must not open registration. */
function fits(row: Json, request: Request): boolean {
  if (!isObject(row)) return false;
  const input = Object.entries(row).filter(([, value]) => value !== null);
  if (input.length === 0) return false;
  return input.every(([name, value]) => {
    const member = MEMBERS.find((known) => known === name);
    const sent = member && request[member];
    return sent !== undefined && foldName(sent) === foldName(String(value));
  });
}

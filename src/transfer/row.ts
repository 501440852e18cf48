/** One person of a roster: what `portico seed` takes for an account, with the vendor's id and without a password. */
import type { z } from 'zod';
import { seedSchema } from '../seed/schema.ts';

const account = seedSchema.shape.accounts.unwrap().element;

/** The organization and the dialect are the command's. */
const row = account
  .omit({ id: true, organization: true, aliases: true, password: true, password_hash: true })
  .extend({ vendor_id: account.shape.name })
  .refine(({ email, vendor_id }) => email !== undefined || vendor_id !== undefined, {
    message: 'must have a vendor_id or an email',
  });

export type RosterRow = z.output<typeof row>;

/** Tables whose members are the vendor's or a standard's: in CSV, columns with dots. */
const TABLES = /^(?:address\.[a-z_]+|vendor\.[\w-]+\.[\w-]+|identities\.\d\.(?:issuer|subject))$/;

export function isColumn(name: string): boolean {
  const { address: _, vendor: __, identities: ___, ...flat } = row.shape;
  return Object.hasOwn(flat, name) || TABLES.test(name);
}

/** The row, or why it is none: the members at fault, never what is in them. */
export function parseRow(value: unknown): { readonly row: RosterRow } | { readonly issue: string } {
  const hasPassword = isTable(value) && ('password' in value || 'password_hash' in value);
  if (hasPassword) return { issue: 'has a password; a roster has none' };
  const parsed = row.safeParse(value);
  if (parsed.success) return { row: parsed.data };
  const issues = parsed.error.issues.map(({ path, message, code }) => {
    const said = code === 'unrecognized_keys' ? 'has a member that is not known' : message;
    return path.length === 0 ? said : `${path.map(String).join('.')}: ${said}`;
  });
  return { issue: issues.slice(0, 5).join('; ').slice(0, 500) };
}

/** The cells of a CSV row as members: dots make tables; an empty cell says nothing. */
export function fromCells(cells: Readonly<Record<string, string>>): unknown {
  const members: Table = {};
  for (const [name, cell] of Object.entries(cells))
    if (cell !== '') put(members, name.split('.'), meant(name, cell));
  const { identities } = members;
  return identities === undefined
    ? members
    : { ...members, identities: Object.values(isTable(identities) ? identities : {}) };
}

type Table = { [member: string]: unknown };

function put(table: Table, [name = '', ...below]: readonly string[], value: unknown): void {
  if (below.length === 0) {
    Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
    return;
  }
  if (!Object.hasOwn(table, name)) put(table, [name], {});
  const inner = table[name];
  if (isTable(inner)) put(inner, below, value);
}

/** CSV knows texts only: switches are words, roles have blanks between. */
function meant(name: string, cell: string): unknown {
  if (name === 'roles') return cell.split(/\s+/).filter(Boolean);
  const mayBeSwitch = name.startsWith('vendor.') || name.endsWith('_verified');
  return mayBeSwitch && /^(?:true|false)$/.test(cell) ? cell === 'true' : cell;
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

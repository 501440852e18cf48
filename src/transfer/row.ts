/** One person of a file: what `portico seed` takes for an account, with the vendor's id, a foreign hash and API keys. */
import { z } from 'zod';
import { seedSchema } from '../seed/schema.ts';

const account = seedSchema.shape.accounts.unwrap().element;
const line = account.shape.name;

const apiKey = z.strictObject({
  id: line,
  name: line.unwrap(),
  sha256: z.string().regex(/^[\da-f]{64}$/i, 'must be a SHA-256 in hexadecimal digits'),
  scopes: z.array(line.unwrap()).optional(),
  expires_at: account.shape.created_at,
});

/** As the stores name aliases. */
const dialect = z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/, 'must be the name of a dialect');

/** Some are JSON with everything that it took to make them. */
const hash = z.string().min(1, 'must not be empty').max(2048, 'must have 2048 characters or fewer');

/** The organization and the dialect are the command's. */
const row = account
  .omit({ id: true, organization: true, password_hash: true })
  .extend({
    aliases: z.record(dialect, line.unwrap()).optional(),
    vendor_id: line,
    password_hash: hash.optional(),
    password_salt: line,
    api_keys: z.array(apiKey).optional(),
  })
  .refine(
    ({ email, vendor_id, username, identities = [], aliases = {} }) =>
      [email, vendor_id, username, identities[0], Object.keys(aliases)[0]].some((one) => one !== undefined),
    { message: 'must have a vendor_id, an email, a username, an alias or an identity' },
  );

export type PersonRow = z.output<typeof row>;

/** Tables whose members are the vendor's or a standard's: in CSV, columns with dots. */
const TABLES =
  /^(?:address\.[a-z_]+|vendor\.[\w-]+\.[\w-]+|aliases\.[\w-]+|identities\.\d\.(?:issuer|subject))$/;

/** What ends in `:json` has JSON in its cells. */
export function isColumn(name: string): boolean {
  const [path = '', ...json] = name.split(':json');
  const { address: _, vendor: __, identities: ___, aliases: ____, api_keys: _____, ...flat } = row.shape;
  const isText = Object.hasOwn(json.length > 0 ? row.shape : flat, path);
  return json.join() === '' && (isText || TABLES.test(path));
}

/** The row, or why it is none: the members at fault, never what is in them. */
export function parseRow(
  value: unknown,
  { roster }: { readonly roster: boolean },
): { readonly row: PersonRow } | { readonly issue: string } {
  const hasPassword = isTable(value) && ('password' in value || 'password_hash' in value);
  if (roster && hasPassword) return { issue: 'has a password; a roster has none' };
  const parsed = row.safeParse(value);
  if (parsed.success) return { row: parsed.data };
  const issues = parsed.error.issues.map((issue) => {
    const { path, code } = issue;
    const key = code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    const said = code === 'unrecognized_keys' ? 'has a member that is not known' : (key ?? issue.message);
    return path.length === 0 ? said : `${nameOf(path)}: ${said}`;
  });
  return { issue: issues.slice(0, 5).join('; ').slice(0, 500) };
}

/** Members of `vendor` and `aliases` have names that the file chose. */
function nameOf([first, ...below]: readonly PropertyKey[]): string {
  const isTheirs = first === 'vendor' || first === 'aliases';
  return [first, ...(isTheirs ? below.map(() => '*') : below)].map(String).join('.');
}

export type Table = { [member: string]: unknown };

/** A row of these members, whose dots make tables. What is a text there may mean something else. */
export function fromCells(cells: Readonly<Record<string, unknown>>, members: Table = {}): Table {
  for (const [name, cell] of Object.entries(cells)) {
    if (cell === '' || cell === undefined) continue;
    const [path = ''] = name.split(':json');
    put(members, path.split('.'), typeof cell === 'string' ? meant(name, cell) : cell);
  }
  const { identities } = members;
  if (isTable(identities)) members.identities = Object.values(identities);
  return members;
}

function put(table: Table, [name = '', ...below]: readonly string[], value: unknown): void {
  if (below.length === 0) {
    Object.defineProperty(table, name, { value, enumerable: true, configurable: true, writable: true });
    return;
  }
  if (!Object.hasOwn(table, name)) put(table, [name], {});
  const inner = table[name];
  if (isTable(inner)) put(inner, below, value);
}

/** CSV knows texts only: switches are words, roles have blanks between, and `:json` says that a cell is JSON. */
function meant(name: string, cell: string): unknown {
  if (name.endsWith(':json')) return jsonIn(cell);
  if (name === 'roles') return cell.split(/\s+/).filter(Boolean);
  const mayBeSwitch = name.startsWith('vendor.') || name.endsWith('_verified');
  return mayBeSwitch && /^(?:true|false)$/.test(cell) ? cell === 'true' : cell;
}

/** A cell that is no JSON becomes NaN, which the schema refuses. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return Number.NaN;
  }
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The people of an organization as rows that `portico import` takes: everything but our own ids and API keys. */
import { isDeepStrictEqual } from 'node:util';
import { inTurn } from '../core/in-turn.ts';
import type { AccountRecord } from '../model/account.ts';
import type { IdentityRecord } from '../model/upstream-identity.ts';
import type { Stores } from '../store/ports/stores.ts';
import { fromCells, isColumn, isTable, type Table } from './row.ts';

const PAGE = 500;
const AT_ONCE = 64;

export interface PeopleExport {
  readonly stores: Pick<Stores, 'accounts' | 'identities'>;
  readonly organization: string;
  readonly withHashes: boolean;
}

/** A page of people at a time. */
export async function* exportRows(options: PeopleExport): AsyncGenerator<Table[]> {
  const { stores, organization, withHashes } = options;
  for (let after: string | undefined; ; ) {
    const page = await stores.accounts.page(organization, {
      limit: PAGE,
      ...(after !== undefined && { after }),
    });
    yield await inTurn(page, AT_ONCE, async (account) => {
      const row = rowOf(account, await stores.identities.listByAccount(account.id));
      return withHashes ? row : { ...row, password_hash: undefined };
    });
    after = page.at(-1)?.id;
    if (page.length < PAGE) return;
  }
}

/** Lines of NDJSON, or of CSV, whose columns take a look at all people first. */
export async function* exportLines(options: PeopleExport, shape: 'ndjson' | 'csv'): AsyncGenerator<string[]> {
  if (shape === 'ndjson') {
    for await (const rows of exportRows(options)) yield rows.map((row) => JSON.stringify(row));
    return;
  }
  const columns = await columnsOf(options);
  yield [[...columns.values()].map(quoted).join(',')];
  for await (const rows of exportRows(options))
    yield rows.map((row) => {
      const cells = new Map(cellsOf(row));
      return [...columns].map(([name, column]) => quoted(cellText(column, cells.get(name)))).join(',');
    });
}

function rowOf(account: AccountRecord, links: readonly IdentityRecord[]): Table {
  const { email, emailVerified, username, passwordHash, status, claims, roles, aliases, vendor } = account;
  const unlessEmpty = (value: object) => (Object.keys(value).length === 0 ? undefined : value);
  return {
    ...(email !== undefined && { email, email_verified: emailVerified }),
    username,
    password_hash: passwordHash,
    status: status === 'active' ? undefined : status,
    ...claims,
    ...{ roles: unlessEmpty(roles), aliases: unlessEmpty(aliases), vendor: unlessEmpty(vendor) },
    identities: unlessEmpty(links.map(({ issuer, subject }) => ({ issuer, subject }))),
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  };
}

/** A spreadsheet would work it out; one in quotation marks, as JSON has texts, it leaves alone. */
const FORMULA = /^[=+\-@\t\r](?![\d .()-]*$)/;

/** By the name of the member, the name of the column: with `:json` where a plain cell would lose something. */
async function columnsOf(options: PeopleExport): Promise<Map<string, string>> {
  const columns = new Map<string, string>();
  for await (const rows of exportRows(options))
    for (const row of rows)
      for (const [name, value] of cellsOf(row)) {
        const cell = cellText(name, value);
        const isPlain =
          !FORMULA.test(cell) &&
          isDeepStrictEqual(read(name, cell), read(`${name}:json`, JSON.stringify(value)));
        if (!isPlain) columns.set(name, `${name}:json`);
        else if (!columns.has(name)) columns.set(name, name);
      }
  return columns;
}

const read = (column: string, cell: string) => fromCells({ [column]: cell });

/** Tables become columns with dots, where their names can. */
function cellsOf(row: Table): [string, unknown][] {
  return Object.entries(row).flatMap(([name, value]): [string, unknown][] => {
    if (value === undefined) return [];
    if (name === 'roles' || (!isTable(value) && !Array.isArray(value))) return [[name, value]];
    const cells = leavesOf(name, value, name === 'address' || name === 'aliases' ? 1 : 2);
    return cells.every(([each]) => isColumn(each)) ? cells : [[name, value]];
  });
}

function leavesOf(name: string, value: object, depth: number): [string, unknown][] {
  return Object.entries(value).flatMap(([member, each]): [string, unknown][] => {
    const path = `${name}.${member}`;
    return depth > 1 && isTable(each) ? leavesOf(path, each, depth - 1) : [[path, each]];
  });
}

function cellText(column: string, value: unknown): string {
  if (value === undefined) return '';
  if (column.endsWith(':json')) return JSON.stringify(value);
  return Array.isArray(value) ? value.join(' ') : String(value);
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

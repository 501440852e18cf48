/** Statements that every table needs, made from the names of its columns. */
import type { Database, Sql, Value } from './database.ts';

export type Columns = Readonly<Record<string, Value>>;

/** A row of a table whose records are JSON text. */
export interface RecordRow {
  readonly record: string;
}

export interface Table<Row, Stored> {
  readonly name: string;
  /** Columns that order the rows and name one of them. */
  readonly key: readonly string[];
  /** Which rows live at the moment that is its `?`; absent: all. */
  readonly live?: string;
  recordOf(row: Row): Stored;
}

export const LIVE = 'expires_at > ?';

/** The row whose columns have these values; alive at `now`, where that is given. */
export function find<Row, Stored>(
  sql: Sql,
  table: Table<Row, Stored>,
  columns: Columns,
  now?: Date,
): Stored | undefined {
  const { where, values } = filter(table, columns, now);
  const row = sql.get<Row>(`SELECT * FROM ${table.name} ${where}`, ...values);
  return row && table.recordOf(row);
}

/** As `find` by this column, for what most requests ask: the text is made once, and reads no more than these columns. */
export function finder<Row extends object, Stored>(
  { name, recordOf }: Table<Row, Stored>,
  column: string,
  read: readonly (keyof Row & string)[],
): (sql: Sql, value: string) => Stored | undefined {
  const text = `SELECT ${read.join(', ')} FROM ${name} WHERE ${column} = ?`;
  return (sql, value) => {
    const row = sql.get<Row>(text, value);
    return row && recordOf(row);
  };
}

/** Rows whose columns have these values; in the order of the key, where no other one is given. */
export function list<Row, Stored>(
  sql: Sql,
  table: Table<Row, Stored>,
  columns: Columns = {},
  {
    now,
    order = table.key.join(', '),
    limit,
  }: { now?: Date | undefined; order?: string; limit?: number } = {},
): Stored[] {
  const { where, values } = filter(table, columns, now);
  const rows = sql.all<Row>(
    `SELECT * FROM ${table.name} ${where} ORDER BY ${order} LIMIT ?`,
    ...values,
    limit ?? -1,
  );
  return rows.map((row) => table.recordOf(row));
}

function filter<Row, Stored>({ live }: Table<Row, Stored>, columns: Columns, now: Date | undefined) {
  const conditions = equal(columns);
  const values = Object.values(columns);
  if (now && live) {
    conditions.push(live);
    values.push(now);
  }
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values };
}

/** True when the row was added; false when a unique index has it already. */
export function add(sql: Sql, table: string, row: Columns): boolean {
  const text = `${insertion(table, Object.keys(row))} ON CONFLICT DO NOTHING`;
  return sql.run(text, ...Object.values(row)) === 1;
}

/** Adds the row, or gives the one that has its `key` these values; other columns of that one stay. */
export function put(
  sql: Sql,
  { name, key }: Pick<Table<object, unknown>, 'name' | 'key'>,
  row: Columns,
): void {
  sql.run(replacement({ name, key }, Object.keys(row)), ...Object.values(row));
}

export function insert(sql: Sql, table: string, row: Columns): void {
  sql.run(insertion(table, Object.keys(row)), ...Object.values(row));
}

/** As `put`, of a row with these columns in this order, whose text is made once. */
export function putter<Column extends string>(
  table: Pick<Table<object, unknown>, 'name' | 'key'>,
  columns: readonly Column[],
): (sql: Sql, row: Readonly<Record<Column, Value>>) => void {
  const text = replacement(table, columns);
  return (sql, row) => void sql.run(text, ...columns.map((column) => row[column]));
}

/** Resolves with how many rows had these values. */
export function remove(sql: Sql, table: string, columns: Columns): number {
  return sql.run(`DELETE FROM ${table} WHERE ${equal(columns).join(' AND ')}`, ...Object.values(columns));
}

/** Rows per transaction: sign-ins must not wait behind the broom. */
const BATCH = 500;

/** Deletes the rows of which `condition` is true at `moment`; resolves with how many. */
export async function removeInBatches(
  database: Database,
  { name, key }: Pick<Table<object, unknown>, 'name' | 'key'>,
  condition: string,
  moment: Date,
): Promise<number> {
  const some = `SELECT ${key.join(', ')} FROM ${name} WHERE ${condition} LIMIT ${BATCH}`;
  for (let total = 0; ; ) {
    const gone = await database.write((sql) =>
      sql.run(`DELETE FROM ${name} WHERE (${key.join(', ')}) IN (${some})`, moment),
    );
    total += gone;
    if (gone < BATCH) return total;
  }
}

function replacement(
  { name, key }: Pick<Table<object, unknown>, 'name' | 'key'>,
  columns: readonly string[],
): string {
  const others = columns.filter((column) => !key.includes(column));
  const changes = others.map((column) => `${column} = excluded.${column}`).join(', ');
  return `${insertion(name, columns)} ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${changes}`;
}

function insertion(table: string, names: readonly string[]): string {
  return `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
}

function equal(columns: Columns): string[] {
  return Object.keys(columns).map((column) => `${column} = ?`);
}

/** A moment of a row; undefined for NULL. */
export function dateOf(milliseconds: number): Date;
export function dateOf(milliseconds: number | null): Date | undefined;
export function dateOf(milliseconds: number | null): Date | undefined {
  return milliseconds === null ? undefined : new Date(milliseconds);
}

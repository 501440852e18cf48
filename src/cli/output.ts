/** What commands write: tables and records for people, JSON for programs. Errors go to standard error. */
import { OperatorError } from '../core/errors.ts';
import { columns } from '../core/text.ts';

export interface JsonOption {
  readonly json?: boolean;
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** To standard error, where it does not get into what a program reads. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function sayJson(value: unknown): void {
  say(JSON.stringify(value, null, 2));
}

type Row = Readonly<Record<string, unknown>>;

/** One line per row, columns as wide as needed; `nothing` when there are none. */
export function sayTable(rows: readonly Row[], nothing: string): void {
  const [first] = rows;
  if (!first) {
    say(nothing);
    return;
  }
  const names = Object.keys(first);
  const lines = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => cell(row[name]))),
  ];
  for (const line of columns(lines)) say(line);
}

/** The records as JSON, or a table of what `row` makes of each; `nothing` when there are none. */
export function sayList<Item>(
  { json }: JsonOption,
  items: readonly Item[],
  { row, nothing }: { row: (item: Item) => Row; nothing: string },
) {
  if (json) sayJson(items);
  else sayTable(items.map(row), nothing);
}

/** As JSON, or one line per member; absent ones are left out. `once`: what is shown this once. */
export function sayRecord(
  { json }: JsonOption,
  record: object,
  once?: { readonly name: string; readonly members: Row },
) {
  const all = { ...record, ...once?.members };
  if (json) return sayJson(all);
  const members = Object.entries(all).filter(([, value]) => value !== undefined);
  for (const line of columns(members.map(([name, value]) => [name, cell(value)]))) say(line);
  if (once) say(`\nThe ${once.name} is shown this once.`);
}

/** Control characters of stored values must not drive the operator's terminal. */
function cell(value: unknown): string {
  return shown(value).replaceAll(/\p{Cc}/gu, '\uFFFD');
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object')) return value.join(' ') || '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The command cannot be run as typed; the message says what to do. */
export class CommandRefused extends OperatorError {
  override readonly name = 'CommandRefused';
}

/**
 * Which column of a file is which member: `mail: email`. A list of two splits a name at its last blank,
 * `full_name: [given_name, family_name]`; null leaves a column out. Dots lead into tables: `attributes.team: roles`.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError } from '../core/errors.ts';
import { isColumn, isTable, type Table } from './row.ts';

/** What a column becomes: one name, two for its parts, or none. */
export type ColumnMap = ReadonlyMap<string, readonly string[]>;

const name = z.string().refine(isColumn, { message: 'is no column of docs/import.md' });
const form = z.record(z.string(), z.union([name, z.tuple([name, name]), z.null()]));

export function readColumnMap(file: string): ColumnMap {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new OperatorError(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const result = form.safeParse(content);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new OperatorError(
      `${file}: ${issue?.path.join('.')} must lead to a column of docs/import.md, two or null.`,
    );
  }
  return new Map(Object.entries(result.data).map(([from, to]) => [from, [to ?? []].flat()]));
}

/** What the map takes from a record, by its new name, and the rest. */
export function mapped(map: ColumnMap, record: Table): { rest: Table; taken: Table } {
  const rest = { ...record };
  const taken: Table = {};
  for (const [from, [first, second]] of map) {
    const path = Object.hasOwn(rest, from) ? [from] : from.split('.');
    const value = take(rest, path);
    if (first === undefined || value === undefined) continue;
    const text = Array.isArray(value) && value.length === 1 && first !== 'roles' ? value[0] : value;
    if (second === undefined) taken[first] = text;
    else [taken[first], taken[second]] = atLastBlank(String(text).trim());
  }
  return { rest, taken };
}

function take(table: Table, [name = '', ...below]: readonly string[]): unknown {
  const value = Object.hasOwn(table, name) ? table[name] : undefined;
  if (below.length === 0) {
    delete table[name];
    return value;
  }
  if (!isTable(value)) return undefined;
  const copy = { ...value };
  table[name] = copy;
  return take(copy, below);
}

function atLastBlank(text: string): [string, string] {
  const at = text.lastIndexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at).trim(), text.slice(at + 1)];
}

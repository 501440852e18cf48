/** A file's rows one after another, however large it is. A bad row is a row; a file that is none of its kind stops. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { JSONParser, TokenType } from '@streamparser/json';
import { CsvError, parse } from 'csv-parse';
import { OperatorError } from '../core/errors.ts';
import { type ColumnMap, mapped } from './column-map.ts';
import { fromCells, isColumn, isTable, type Table } from './row.ts';
import type { FileFormat, Shape } from './shapes/shape.ts';

/** Of one row. */
const LONGEST = 1_048_576;
/** Of a JSON document between two of its people: a realm has more than them. */
const LONGEST_BETWEEN = 64 * LONGEST;
/** Tables within tables. */
const DEEPEST = 32;
/** Of a JSON document. */
const DEEPEST_DOCUMENT = 1000;
/** Of the names of columns. */
const SHOWN = 20;

export interface RowSource {
  /** '-': standard input. */
  readonly file: string;
  readonly format: FileFormat;
  /** Of the product that wrote it; absent: Portico's own rows. */
  readonly shape?: Shape | undefined;
  readonly map?: ColumnMap | undefined;
}

export interface FileRow {
  /** Of a JSON document, which of its people. */
  readonly line: number;
  /** Absent: it cannot be read. */
  readonly value?: unknown;
}

export class ImportRefused extends OperatorError {
  override readonly name = 'ImportRefused';
}

export async function* readRows(source: RowSource): AsyncGenerator<FileRow> {
  for await (const record of source.format === 'csv' ? csvRecords(source) : jsonRecords(source)) {
    const { line, value } = record;
    if (isDeep(value)) yield { line };
    else if (!isTable(value)) yield record;
    else {
      const row = rowOf(source, value);
      // Cells may hold JSON of their own.
      if (isDeep(row)) yield { line };
      else if (row !== undefined) yield { line, value: row };
    }
  }
}

/** What reads a row calls itself for each table inside another. */
function isDeep(value: unknown, left = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return left === 0 || Object.values(value).some((each) => isDeep(each, left - 1));
}

/** Undefined: the record is no person. */
function rowOf({ format, shape, map }: RowSource, record: Table): unknown {
  const { rest, taken } = map === undefined ? { rest: record, taken: {} } : mapped(map, record);
  const isOwn = shape === undefined;
  if (isOwn && format === 'csv') return fromCells({ ...rest, ...taken });
  const row = isOwn ? rest : shape.read(rest);
  return row && fromCells(taken, row);
}

/** SHA-256 of the content: what makes two files the same. Undefined: it can be read but once. */
export async function digestOf(file: string): Promise<string | undefined> {
  if (file === '-') return undefined;
  const hash = createHash('sha256');
  for await (const bytes of bytesOf(file)) hash.update(bytes);
  return hash.digest('base64url');
}

async function* bytesOf(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) yield Buffer.from(chunk);
  } catch (error) {
    throw new ImportRefused(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

async function* textOf(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decoded = (bytes?: Buffer) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new ImportRefused(`${file} is not UTF-8.`);
    }
  };
  for await (const bytes of bytesOf(file)) yield decoded(bytes);
  yield decoded();
}

/** Products call a file of lines JSON too. The first character tells which of the two it is. */
async function* jsonRecords({ file, format, shape }: RowSource): AsyncGenerator<FileRow> {
  const texts = textOf(file);
  const { value: first = '' } = await texts.next();
  async function* all() {
    yield first;
    yield* texts;
  }
  const isList = first.trimStart().startsWith('[');
  const isDocument = format === 'json' || (shape !== undefined && isList);
  const paths = isList ? ['$.*'] : ['$.users.*', '$.Users.*'];
  yield* isDocument ? documentRecords({ file, paths }, all()) : lineRecords(file, all());
}

/** The elements of a list, or of the list `users` of a table. What was read is not kept. */
async function* documentRecords(
  { file, paths }: { file: string; paths: string[] },
  texts: AsyncGenerator<string>,
): AsyncGenerator<FileRow> {
  const parser = new JSONParser({ paths, keepStack: false });
  let found: unknown[] = [];
  // Each table that is open takes memory.
  let depth = 0;
  parser.onToken = ({ token }) => {
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) depth += 1;
    else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) depth -= 1;
    if (depth > DEEPEST_DOCUMENT) throw stop();
  };
  parser.onValue = ({ value }) => {
    found.push(value);
  };
  let line = 0;
  let length = 0;
  const stop = () => new ImportRefused(`${file} is no JSON behind person ${line}.`);
  for await (const text of texts) {
    length += text.length;
    if (length > LONGEST_BETWEEN)
      throw new ImportRefused(`${file} has no person for too long behind person ${line}.`);
    try {
      parser.write(text);
    } catch {
      throw stop();
    }
    if (found.length > 0) length = 0;
    for (const value of found) {
      line += 1;
      yield { line, value };
    }
    found = [];
  }
  if (!parser.isEnded) throw stop();
}

async function* lineRecords(file: string, texts: AsyncGenerator<string>): AsyncGenerator<FileRow> {
  let rest = '';
  let line = 0;
  const refuseLong = ({ length }: string, at: number) => {
    if (length > LONGEST) throw new ImportRefused(`${file}:${at} is too long for a row.`);
  };
  for await (const text of texts) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const each of lines) {
      line += 1;
      refuseLong(each, line);
      if (each.trim() !== '') yield { line, ...parsed(each) };
    }
    refuseLong(rest, line + 1);
  }
  if (rest.trim() !== '') yield { line: line + 1, ...parsed(rest) };
}

function parsed(text: string): { value?: unknown } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return {};
  }
}

async function* csvRecords(source: RowSource): AsyncGenerator<FileRow> {
  const { file } = source;
  const parser = parse({
    ...{ info: true, skip_empty_lines: true, relax_column_count: true, max_record_size: LONGEST },
    columns: (names: string[]) => columnsOf(source, names),
    // As databases write what is not there. People may be called so.
    cast: (cell) => (source.shape !== undefined && /^(?:NULL|\\N)$/.test(cell) ? '' : cell),
  });
  // What goes wrong before the parser is told by it.
  pipeline(Readable.from(textOf(file)), parser, () => {});
  let uneven = 0;
  try {
    for await (const { record, info } of parser) {
      const { lines: line, invalid_field_length } = info;
      const isUneven = invalid_field_length > uneven;
      uneven = invalid_field_length;
      yield isUneven ? { line } : { line, value: record };
    }
  } catch (error) {
    if (error instanceof OperatorError || !(error instanceof CsvError)) throw error;
    // Its message may have the cell in it.
    const words = error.code.toLowerCase().replaceAll('_', ' ');
    throw new ImportRefused(`${file} is no CSV: ${words} at line ${parser.info.lines}`);
  }
}

/**
 * A misspelt column would lose what is in it. Of a product, columns that a row has no place for are left out. A file
 * without names begins with a person, of whom nothing is shown.
 */
function columnsOf({ file, shape, map }: RowSource, names: readonly string[]): string[] {
  const columns = names.map((name) => name.trim());
  const results = columns.flatMap((name) => map?.get(name) ?? [name]);
  const unknown = shape === undefined ? results.filter((name) => !isColumn(name)) : [];
  const seen = new Set<string>();
  const twice = results.filter((name) => seen.size === seen.add(name).size);
  const said = (list: readonly string[]) =>
    list
      .slice(0, SHOWN)
      .map((name) => JSON.stringify(name))
      .join(', ');
  if (unknown.length > 0 && unknown.length === results.length)
    throw new ImportRefused(
      `${file} has no column that is known: its first line has to name them, with commas between.`,
    );
  if (unknown.length > 0)
    throw new ImportRefused(
      `${file} has columns that are not known: ${said(unknown)}. --map says which member each is, or null (docs/import.md).`,
    );
  if (twice.length > 0)
    throw new ImportRefused(`${file} has columns twice: ${said(twice.filter(isColumn)) || twice.length}.`);
  return columns;
}

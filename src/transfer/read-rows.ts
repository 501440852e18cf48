/** A file's rows one after another, however large it is. A bad row is a row; a file that is none of its kind stops. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { OperatorError } from '../core/errors.ts';
import { fromCells, isColumn } from './row.ts';

/** Of one row. */
const LONGEST = 1_048_576;

export type FileShape = 'ndjson' | 'csv';

export interface FileRow {
  readonly line: number;
  /** Absent: it cannot be read. */
  readonly value?: unknown;
}

export class ImportRefused extends OperatorError {
  override readonly name = 'ImportRefused';
}

export function readRows(file: string, shape: FileShape): AsyncGenerator<FileRow> {
  return shape === 'csv' ? csvRows(file) : jsonRows(file);
}

/** SHA-256 of the content: what makes two files the same. */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const bytes of bytesOf(file)) hash.update(bytes);
  return hash.digest('base64url');
}

async function* bytesOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file);
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

async function* jsonRows(file: string): AsyncGenerator<FileRow> {
  let rest = '';
  let line = 0;
  const refuseLong = ({ length }: string, at: number) => {
    if (length > LONGEST) throw new ImportRefused(`${file}:${at} is too long for a row.`);
  };
  for await (const text of textOf(file)) {
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

async function* csvRows(file: string): AsyncGenerator<FileRow> {
  const parser = parse({
    ...{ info: true, skip_empty_lines: true, relax_column_count: true, max_record_size: LONGEST },
    columns: (names: string[]) => columnsOf(file, names),
  });
  // What goes wrong before the parser is told by it.
  pipeline(Readable.from(textOf(file)), parser, () => {});
  let uneven = 0;
  try {
    for await (const { record, info } of parser) {
      const { lines: line, invalid_field_length } = info;
      const isUneven = invalid_field_length > uneven;
      uneven = invalid_field_length;
      yield isUneven ? { line } : { line, value: fromCells(record) };
    }
  } catch (error) {
    if (error instanceof OperatorError || !(error instanceof Error) || !('code' in error)) throw error;
    throw new ImportRefused(`${file} is no CSV: ${error.message}`, { cause: error });
  }
}

/** A misspelt column would lose what is in it. */
function columnsOf(file: string, names: readonly string[]): string[] {
  const columns = names.map((name) => name.trim());
  const unknown = columns.filter((name) => !isColumn(name));
  const twice = columns.filter((name, place) => columns.indexOf(name) !== place);
  const quoted = (list: readonly string[]) => list.map((name) => JSON.stringify(name)).join(', ');
  if (unknown.length > 0)
    throw new ImportRefused(`${file} has columns that are not known: ${quoted(unknown)}.`);
  if (twice.length > 0) throw new ImportRefused(`${file} has columns twice: ${quoted(twice)}.`);
  return columns;
}

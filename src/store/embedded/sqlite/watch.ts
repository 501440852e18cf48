/**
 * Notes what statements read and write. A statement that names a row by its id touches that row, any other statement
 * the whole of its tables. A write of another connection changes `PRAGMA data_version`: then all that was read counts
 * as changed.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ReadSet, Watch } from '../../../core/kept-answers.ts';
import type { Value } from './statements.ts';

/** What a statement touches. */
export interface Touch {
  readonly tables: readonly string[];
  readonly writes: boolean;
  /** Which of its values is the id of the only row that it touches; absent: it may touch any. */
  readonly idAt?: number;
}

/** Cells that are kept. */
const MOST = 10_000;
const WHOLE = '';

/** Something that was read. */
interface Cell {
  isSame: boolean;
}

/** What one piece of work has read. */
class Noted {
  readonly cells = new Set<Cell>();
  /** Milliseconds: when the first of the rows ends. */
  until = Number.POSITIVE_INFINITY;
  hasWritten = false;
}

export class ReadWatch implements Watch {
  /** By table, then by id. */
  readonly #cells = new Map<string, Map<string, Cell>>();
  #size = 0;
  readonly #noted = new AsyncLocalStorage<Noted | undefined>();
  readonly #look: () => number | undefined;
  #version: number | undefined;

  /** `look`: the data_version of the transaction that reads now; undefined where there is none. */
  constructor(look: () => number | undefined) {
    this.#look = look;
  }

  async during<Result>(work: () => Promise<Result>) {
    const noted = new Noted();
    this.#isAlone();
    const result = await this.#noted.run(noted, work);
    if (noted.hasWritten) return { result, readSet: undefined };
    const readSet: ReadSet = {
      isCurrent: (now) => {
        if (now.getTime() >= noted.until || !this.#isAlone()) return false;
        for (const { isSame } of noted.cells) if (!isSame) return false;
        return true;
      },
    };
    return { result, readSet };
  }

  apart<Result>(work: () => Result): Result {
    return this.#noted.run(undefined, work);
  }

  /** The work that is noted, if any, asks for a write. It runs later. */
  noteQueuedWrite(): void {
    const noted = this.#noted.getStore();
    if (noted) noted.hasWritten = true;
  }

  /** `rows`: what the statement brought. */
  note(touch: Touch, values: readonly Value[], rows: readonly object[]): void {
    if (touch.tables.length === 0) return;
    if (touch.writes) this.#noteWrite(touch, values);
    const noted = this.#noted.getStore();
    if (noted !== undefined && !noted.hasWritten) this.#noteRead(noted, touch, values, rows);
  }

  #noteRead(noted: Noted, { tables, idAt }: Touch, values: readonly Value[], rows: readonly object[]): void {
    // Before the cells are made, which belong to this transaction.
    this.#isAlone();
    const id = idAt === undefined ? WHOLE : String(values[idAt]);
    for (const table of tables) noted.cells.add(this.#cell(table, id));
    for (const row of rows) {
      const { expires_at: end }: { expires_at?: unknown } = row;
      if (typeof end === 'number') noted.until = Math.min(noted.until, end);
    }
  }

  #noteWrite({ tables, idAt }: Touch, values: readonly Value[]): void {
    for (const table of tables) {
      const cells = this.#cells.get(table);
      if (cells === undefined) continue;
      if (idAt === undefined) this.#forget(table, cells);
      else for (const name of [WHOLE, String(values[idAt])]) this.#change(cells, name);
    }
  }

  noteAnything(): void {
    for (const [table, cells] of this.#cells) this.#forget(table, cells);
  }

  /** True: no other connection has written since the last look. */
  #isAlone(): boolean {
    const version = this.#look();
    if (version !== undefined && version === this.#version) return true;
    this.#version = version;
    this.noteAnything();
    return false;
  }

  #cell(table: string, id: string): Cell {
    if (this.#size >= MOST) this.noteAnything();
    const cells = this.#cells.get(table) ?? new Map<string, Cell>();
    this.#cells.set(table, cells);
    const known = cells.get(id);
    if (known) return known;
    const cell = { isSame: true };
    cells.set(id, cell);
    this.#size += 1;
    return cell;
  }

  #change(cells: Map<string, Cell>, id: string): void {
    const cell = cells.get(id);
    if (cell === undefined) return;
    cell.isSame = false;
    cells.delete(id);
    this.#size -= 1;
  }

  #forget(table: string, cells: Map<string, Cell>): void {
    for (const cell of cells.values()) cell.isSame = false;
    this.#size -= cells.size;
    this.#cells.delete(table);
  }
}

const TABLES = /\b(?:FROM|JOIN|INTO|(?<!DO )UPDATE(?: OR \w+)?)\s+(\w+)/g;
const ORDERS = /^\s*(?:INSERT|UPDATE|DELETE)\b/;
const INSERTION = /^INSERT INTO \w+ \(([^)]*)\) VALUES \([?, ]*\)(?: ON CONFLICT(?: \(([^)]*)\))? DO .*)?$/s;
/** `id = ?`, and beside it only conditions that narrow it further. */
const BY_ID =
  /^([^()]*? WHERE (?:\w+ = \? AND )*)id = \?(?: AND (?:\w+ (?:=|>) \?|\w+ IS NULL|\([^()]*\)))*\s*$/s;

export function touchOf(text: string): Touch {
  const tables = [...new Set(Array.from(text.matchAll(TABLES), ([, table = '']) => table))];
  const touch = { tables, writes: ORDERS.test(text) };
  const idAt = tables.length === 1 ? placeOfId(text) : undefined;
  return idAt === undefined ? touch : { ...touch, idAt };
}

function placeOfId(text: string): number | undefined {
  const [, columns, conflict] = INSERTION.exec(text) ?? [];
  if (columns !== undefined) {
    const at = columns.split(', ').indexOf('id');
    return at < 0 || (conflict !== undefined && !conflict.split(', ').includes('id')) ? undefined : at;
  }
  const [, before] = BY_ID.exec(text) ?? [];
  return before === undefined ? undefined : before.split('?').length - 1;
}

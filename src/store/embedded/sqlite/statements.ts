/** Statements on the connection, prepared once. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type ReadWatch, type Touch, touchOf } from './watch.ts';

/** A moment is stored in milliseconds, truth as 1 or 0, and undefined as NULL. */
export type Value = SQLInputValue | Date | boolean | undefined;

/** One statement at a time, inside a read or a write. Texts are prepared once and kept. */
export interface Sql {
  get<Row>(text: string, ...values: Value[]): Row | undefined;
  all<Row>(text: string, ...values: Value[]): Row[];
  /** Resolves with the number of rows changed. */
  run(text: string, ...values: Value[]): number;
  exec(text: string): void;
}

export function statements(connection: DatabaseSync, watch: ReadWatch): Sql {
  const prepared = new Map<string, { statement: StatementSync; touch: Touch }>();
  const prepare = (text: string) => {
    const known = prepared.get(text);
    if (known) return known;
    const fresh = { statement: connection.prepare(text), touch: touchOf(text) };
    prepared.set(text, fresh);
    return fresh;
  };
  return {
    get: <Row>(text: string, ...values: Value[]) => {
      const { statement, touch } = prepare(text);
      const row = statement.get(...values.map(inputOf));
      watch.note(touch, values, row === undefined ? [] : [row]);
      return row as Row | undefined;
    },
    all: <Row>(text: string, ...values: Value[]) => {
      const { statement, touch } = prepare(text);
      const rows = statement.all(...values.map(inputOf));
      watch.note(touch, values, rows);
      return rows as Row[];
    },
    run(text, ...values) {
      const { statement, touch } = prepare(text);
      const { changes } = statement.run(...values.map(inputOf));
      watch.note(touch, values, []);
      return Number(changes);
    },
    exec(text) {
      connection.exec(text);
      if (!CHANGES_NOTHING.test(text)) watch.noteAnything();
    },
  };
}

const CHANGES_NOTHING = /^(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA)\b/;

function inputOf(value: Value): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : (value ?? null);
}

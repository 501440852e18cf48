/** Statements on the connection, prepared once. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

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

export function statements(connection: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  const statement = (text: string): StatementSync => {
    const known = prepared.get(text);
    if (known) return known;
    const fresh = connection.prepare(text);
    prepared.set(text, fresh);
    return fresh;
  };
  return {
    get: <Row>(text: string, ...values: Value[]) =>
      statement(text).get(...values.map(inputOf)) as Row | undefined,
    all: <Row>(text: string, ...values: Value[]) => statement(text).all(...values.map(inputOf)) as Row[],
    run: (text, ...values) => Number(statement(text).run(...values.map(inputOf)).changes),
    exec: (text) => connection.exec(text),
  };
}

function inputOf(value: Value): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return value instanceof Date ? value.getTime() : (value ?? null);
}

/** Replies whose members stand in a table once, each with its schema. */
import { z } from 'zod';

/** The members of something: the schema of each, and how it is read. */
export type Table<Shown extends unknown[]> = Readonly<
  Record<string, readonly [schema: z.ZodType, read: (...shown: Shown) => unknown]>
>;

/** Members of a table, in the reply's order. `names`: words with blanks between. */
export function shape<Shown extends unknown[]>(table: Table<Shown>, ...names: string[]) {
  const members = names
    .join(' ')
    .split(' ')
    .map((name) => {
      const [schema, read] = table[name] ?? [];
      if (schema === undefined || read === undefined) throw new Error(`No table has the member '${name}'.`);
      return { name, schema, read };
    });
  return {
    schema: z.strictObject(Object.fromEntries(members.map(({ name, schema }) => [name, schema]))),
    show: (...shown: Shown): Record<string, unknown> =>
      Object.fromEntries(members.map(({ name, read }) => [name, read(...shown)])),
  };
}

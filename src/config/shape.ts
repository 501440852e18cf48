/**
 * Looks into a zod schema: which keys a table has, what kind of value a key takes. The environment, the
 * `_file` keys and the documentation all ask here, so that none of them has a list of keys of its own.
 */
import type { z } from 'zod';
import { type KeyInfo, keyInfo } from './kinds.ts';

/** The part of a zod definition that is read here. */
interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly defaultValue?: unknown;
}

const WRAPPERS = new Set(['optional', 'nullable', 'default', 'prefault', 'readonly', 'nonoptional', 'catch']);

export function definitionOf(schema: z.ZodType): Definition {
  const definition: object = schema.def;
  return definition as Definition;
}

/** The schema without defaults, optionality and transforms: what a person writes. */
export function core(schema: z.ZodType): z.ZodType {
  const { type, innerType, in: input } = definitionOf(schema);
  if (WRAPPERS.has(type) && innerType) return core(innerType);
  if (type === 'pipe' && input) return core(input);
  return schema;
}

/** Keys of a table with their schemas; undefined when the schema is no table with known keys. */
export function tableOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> | undefined {
  return definitionOf(core(schema)).shape;
}

/** Lower case, without underscores: how names of the environment are compared. */
export function folded(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

/** The table's key of this name, compared folded. */
export function keyNamed(table: Readonly<Record<string, z.ZodType>>, name: string): string | undefined {
  if (Object.hasOwn(table, name)) return name;
  return Object.keys(table).find((key) => folded(key) === folded(name));
}

/** Facts of a key, wherever between its wrappers they were noted. */
export function requestInfoOf(schema: z.ZodType): KeyInfo | undefined {
  const result = keyInfo.get(schema);
  const { type, innerType } = definitionOf(schema);
  return result ?? (WRAPPERS.has(type) && innerType ? requestInfoOf(innerType) : undefined);
}

export function schemaAt(root: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let schema: z.ZodType | undefined = root;
  for (const step of path) {
    if (!schema) return undefined;
    const inner = definitionOf(core(schema));
    if (inner.shape) schema = Object.hasOwn(inner.shape, step) ? inner.shape[String(step)] : undefined;
    else schema = inner.element ?? inner.valueType;
  }
  return schema;
}

/** Every key as a path, tables included. */
export function pathsOf(schema: z.ZodType, before: readonly string[] = []): string[] {
  return Object.entries(tableOf(schema) ?? {}).flatMap(([name, inner]) => {
    const path = [...before, name];
    return [path.join('.'), ...pathsOf(inner, path)];
  });
}

/** Whether null is one of the values that the key takes. */
export function takesNull(schema: z.ZodType): boolean {
  return schema.safeParse(null).success;
}

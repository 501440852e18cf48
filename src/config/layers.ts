/** The layers of the configuration that are files: reading them, and laying one over another. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { z } from 'zod';
import { type Issue, placeOfIssue } from './issues.ts';
import { core, definitionOf, keyNamed, schemaAt, tableOf, takesNull } from './shape.ts';

export type Values = Record<string, unknown>;

/** One layer: its values, and who says so. */
export interface Layer {
  readonly name: string;
  readonly values: Values;
  readonly issues: readonly Issue[];
  /** Where a path was set, when it is not the layer's name. */
  readonly from?: ReadonlyMap<string, string>;
}

/** Reads a YAML file. `required`: a missing one is an issue, otherwise an empty layer. */
export function readLayer(options: {
  file: string;
  name: string;
  root: z.ZodType;
  cwd: string;
  required: boolean;
}): Layer {
  const { file, name, root, cwd, required } = options;
  const refused = (message: string): Layer => ({ name, values: {}, issues: [{ path: name, message }] });
  if (!existsSync(file)) return required ? refused('does not exist') : { name, values: {}, issues: [] };
  try {
    const values: unknown = parse(readFileSync(file, 'utf8')) ?? {};
    if (!isTable(values)) return refused('must be a table of keys');
    const folder = dirname(file);
    const issues: Issue[] = [];
    const read = withFiles(values, root, [], (value, path) => {
      const content = contentOf({ file: value, path, folder, cwd, from: name });
      if (typeof content !== 'string') issues.push(content);
      return content;
    });
    if (Array.isArray(read.seed)) read.seed = read.seed.map((seed) => located(seed, folder, cwd));
    return { name, values: read, issues };
  } catch (error) {
    return refused(`cannot be read as YAML${placeOfIssue(error)}`);
  }
}

/** A file that a configuration names: beside the configuration if it is there, else from the working directory. */
export function located(file: unknown, folder: string, cwd: string): unknown {
  if (typeof file !== 'string' || file === '') return file;
  const beside = resolve(folder, file);
  return existsSync(beside) ? beside : resolve(cwd, file);
}

/** `secret_file: path` and `secretFile: path` become `secret: <content>`, unless that is a key itself. */
function withFiles(
  values: Values,
  root: z.ZodType,
  path: readonly string[],
  read: (file: unknown, path: string) => unknown,
): Values {
  const schema = schemaAt(root, path);
  const table = schema && tableOf(schema);
  const result: Values = {};
  for (const [key, value] of Object.entries(values)) {
    const at = [...path, key];
    const target = table && !Object.hasOwn(table, key) ? /^(.+?)(?:_file|File)$/.exec(key)?.[1] : undefined;
    const named = table && target !== undefined ? keyNamed(table, target) : undefined;
    if (named !== undefined) {
      const content = read(value, at.join('.'));
      if (typeof content === 'string') define(result, named, content);
    } else define(result, key, isTable(value) ? withFiles(value, root, at, read) : value);
  }
  return result;
}

/** A secret's file, without the line break at its end. */
export function contentOf(options: {
  file: unknown;
  path: string;
  folder: string;
  cwd: string;
  from: string;
}): string | Issue {
  const { file, path, folder, cwd, from } = options;
  const place = located(file, folder, cwd);
  if (typeof place !== 'string' || place === '') return { path, from, message: 'must be the path of a file' };
  try {
    return readFileSync(place, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    return { path, value: JSON.stringify(file), from, message: `cannot be read (${reason})` };
  }
}

export type Merged = ReturnType<typeof merge>;

/** Lays the layers over each other, the last on top. Tables are joined; everything else, lists too, is replaced. */
export function merge(layers: readonly Layer[], root: z.ZodType) {
  const values: Values = {};
  const origins = new Map<string, string>();
  for (const layer of layers) {
    lay(values, layer.values, root, [], (path) => origins.set(path, layer.from?.get(path) ?? layer.name));
  }
  return {
    values,
    /** Who set a path, or the nearest one above it. */
    from(path: readonly string[]): string | undefined {
      // Of a table: who set the first of what is in it.
      const within = [...origins.keys()].find((at) => at.startsWith(`${path.join('.')}.`));
      if (within !== undefined) return origins.get(within);
      for (let length = path.length; length > 0; length -= 1) {
        const origin = origins.get(path.slice(0, length).join('.'));
        if (origin !== undefined) return origin;
      }
      return undefined;
    },
  };
}

function lay(
  over: Values,
  values: Values,
  root: z.ZodType,
  path: readonly string[],
  note: (path: string) => void,
): void {
  for (const [key, value] of Object.entries(values)) {
    const at = [...path, key];
    const schema = schemaAt(root, at);
    if (isTable(value)) {
      const below = Object.hasOwn(over, key) ? over[key] : undefined;
      const joined: Values = isTable(below) ? below : {};
      define(over, key, joined);
      lay(joined, value, root, at, note);
      if (Object.keys(value).length === 0) note(at.join('.'));
    } else if (value === null && !(schema && takesNull(schema))) {
      // `smtp:` with nothing behind it says nothing about a table, and takes a value back.
      const isOfTable = schema && ['object', 'record'].includes(definitionOf(core(schema)).type);
      if (!isOfTable) delete over[key];
    } else {
      define(over, key, structuredClone(value));
      note(at.join('.'));
    }
  }
}

/** Also for a key named __proto__, which is then an unknown key like any other. */
function define(table: Values, key: string, value: unknown): void {
  Object.defineProperty(table, key, { value, enumerable: true, writable: true, configurable: true });
}

export function isTable(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

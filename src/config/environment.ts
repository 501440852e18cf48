/**
 * The environment as the uppermost layer. PORTICO_STORE__MONGO__URL sets store.mongo.url; a segment is
 * compared without case and without underscores. `..._FILE` reads the value from a file, and is a suffix
 * only where the whole name is no key itself. An empty variable counts as not set.
 */
import { parse } from 'yaml';
import type { z } from 'zod';
import { closest, type Issue } from './issues.ts';
import { contentOf, isTable, type Layer, located, type Values } from './layers.ts';
import { core, definitionOf, keyNamed, pathsOf, schemaAt, tableOf } from './shape.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'PORTICO_';
/** Read by load.ts itself. */
const RESERVED = new Set(['PORTICO_CONFIG']);
/** What Kubernetes tells every container about a service that is called portico. */
const OF_KUBERNETES = /^PORTICO_(?:SERVICE_(?:HOST|PORT)|PORT_\d+_)|^PORTICO_PORT$/;

export function readEnvironment(options: { env: Environment; root: z.ZodType; cwd: string }): Layer {
  const { env, root, cwd } = options;
  const values: Values = {};
  const issues: Issue[] = [];
  const from = new Map<string, string>();
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(PREFIX) || RESERVED.has(name) || OF_KUBERNETES.test(name)) continue;
    if (value === undefined || value === '') continue;
    const path = pathOf(name, root);
    if (!path) {
      issues.push({ path: name, message: `names no known key${meantBy(name, root)}` });
      continue;
    }
    const at = path.keys.join('.');
    const earlier = from.get(at);
    if (earlier !== undefined) {
      issues.push({ path: name, message: `sets ${at}, which ${earlier} sets too; keep one of them` });
      continue;
    }
    from.set(at, name);
    const text = path.file
      ? contentOf({ file: value, path: name, folder: cwd, cwd, from: 'environment' })
      : value;
    if (typeof text !== 'string') issues.push(text);
    else set(values, path.keys, typed(text, schemaAt(root, path.keys)));
  }
  if (Array.isArray(values.seed)) values.seed = values.seed.map((seed) => located(seed, cwd, cwd));
  return { name: 'environment', values, issues, from };
}

function pathOf(name: string, root: z.ZodType): { keys: string[]; file: boolean } | undefined {
  const segments = name.slice(PREFIX.length).split('__');
  const whole = follow(segments, root);
  if (whole) return { keys: whole, file: false };
  if (!name.endsWith('_FILE')) return undefined;
  const keys = follow(name.slice(PREFIX.length, -'_FILE'.length).split('__'), root);
  return keys && { keys, file: true };
}

/** The keys that the segments name, or undefined. */
function follow(segments: readonly string[], root: z.ZodType): string[] | undefined {
  const keys: string[] = [];
  for (const segment of segments) {
    const schema = schemaAt(root, keys);
    const table = schema && tableOf(schema);
    const inRecord = schema && definitionOf(core(schema)).type === 'record';
    const key = table ? keyNamed(table, segment) : inRecord ? segment.toLowerCase() : undefined;
    if (key === undefined || key === '') return undefined;
    keys.push(key);
  }
  // NODE_ENV alone says which environment this is.
  return keys[0] === 'environment' ? undefined : keys;
}

function meantBy(name: string, root: z.ZodType): string {
  const path = name.slice(PREFIX.length).replaceAll('__', '.');
  const meant = closest(path, pathsOf(root));
  return meant === undefined ? '' : `; did you mean ${variableOf(meant)}?`;
}

/** The variable that sets a path. */
export function variableOf(path: string): string {
  return PREFIX + path.toUpperCase().replaceAll('.', '__');
}

function set(values: Values, keys: readonly string[], value: unknown): void {
  let table = values;
  for (const key of keys.slice(0, -1)) {
    // An entry may be called constructor, which every object has.
    const below = (Object.hasOwn(table, key) ? table[key] : undefined) ?? {};
    // A variable says that this is no table: the schema refuses that one.
    if (!isTable(below)) return;
    table[key] = below;
    table = below;
  }
  table[keys.at(-1) ?? ''] = value;
}

/** The text as the kind of value that the key takes. What does not fit stays text, and the schema says so. */
function typed(text: string, schema: z.ZodType | undefined): unknown {
  if (!schema) return text;
  if (text === 'null' && schema.safeParse(null).success) return null;
  const inner = core(schema);
  const { type, element, options = [] } = definitionOf(inner);
  if (type === 'number' || type === 'int') return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (type === 'array') return list(text, element);
  if (type === 'object' || type === 'record') return text.trimStart().startsWith('{') ? readable(text) : text;
  if (type !== 'union') return text;
  const kinds = kindsOf(options);
  if (kinds.includes('number') && /^-?\d+$/.test(text)) return Number(text);
  if (kinds.includes('array') && text.trimStart().startsWith('[')) return readable(text);
  return text;
}

function kindsOf(options: readonly z.ZodType[]): string[] {
  return options.flatMap((option) => {
    const { type, options: inner = [] } = definitionOf(core(option));
    return type === 'union' ? kindsOf(inner) : [type];
  });
}

/** `[a, b]` in YAML or JSON, or `a,b`. */
function list(text: string, element: z.ZodType | undefined): unknown {
  if (text.trimStart().startsWith('[')) return readable(text);
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => typed(item, element));
}

function readable(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}

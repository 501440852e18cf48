/**
 * Loads the configuration: config/default.yaml < config/<NODE_ENV>.yaml < PORT < the file that PORTICO_CONFIG
 * names < environment. The only module that reads process.env. Everything that is wrong is reported at
 * once. schema.ts says what there is, rules.ts what goes together, server-key.ts makes the server key.
 */
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Environment, readEnvironment } from './environment.ts';
import { ConfigError, didYouMean, type Issue, parsePart } from './issues.ts';
import { contentOf, isTable, type Layer, type Merged, merge, readLayer, type Values } from './layers.ts';
import { judge } from './rules.ts';
import { type Config, configSchema, sections } from './schema.ts';

/** zod schemas of `dialects.<name>` or `federation.<name>`, by name. */
type Shapes = Readonly<Record<string, z.ZodType>>;

export interface LoadOptions {
  /** Default: the environment of this process. */
  readonly env?: Environment;
  /** Relative paths begin here. Default: the working directory of this process. */
  readonly cwd?: string;
  /** What `dialects.<name>` and `federation.<name>` may hold. Absent: plug-ins are taken as they are. */
  readonly dialects?: Shapes;
  readonly federation?: Shapes;
  /** Where default.yaml lies. Default: the project's own config folder. */
  readonly folder?: string;
}

const PROJECT_CONFIG = resolve(import.meta.dirname, '../../config');

/** Throws ConfigError with every issue. Plug-ins' keys in the result are as written: each plug-in parses its own. */
export function loadConfig(options: LoadOptions = {}): Config {
  const { env = process.env, cwd = process.cwd(), folder = PROJECT_CONFIG } = options;
  const root = rootSchema(options);
  const environment = env.NODE_ENV || 'development';
  const layers = readLayers({ env, cwd, folder, root, environment });
  const issues: Issue[] = layers.flatMap((layer) => [...layer.issues]);
  const merged = merge(layers, root);
  if (merged.values.environment !== undefined) {
    issues.push({ path: 'environment', message: 'is set by NODE_ENV, nowhere else' });
  }
  merged.values.environment = environment;
  if (environment !== 'production') followPort(layers.slice(1), merged);
  if (environment === 'production') issues.push(...takeKeyFile(layers.slice(1), merged, cwd));
  const config = parseSections(merged, issues);
  issues.push(...judgePlugIns(merged, 'dialect', 'dialects', options.dialects));
  issues.push(...judgePlugIns(merged, 'upstream', 'federation', options.federation));
  const demoSeeds = [join(PROJECT_CONFIG, 'seed/demo.yaml')];
  for (const issue of judge(config, demoSeeds)) {
    const from = issue.value === undefined ? undefined : merged.from(issue.path.split('.'));
    issues.push({ ...issue, from });
  }
  if (issues.length > 0) throw new ConfigError(issues);
  return withAbsolutePaths(configSchema.parse(config), cwd);
}

type Places = Required<Pick<LoadOptions, 'env' | 'cwd' | 'folder'>> & {
  root: z.ZodType;
  environment: string;
};

function readLayers({ env, cwd, folder, root, environment }: Places): Layer[] {
  const file = (name: string) =>
    readLayer({ file: join(folder, name), name: `config/${name}`, root, cwd, required: false });
  const known = /^[a-z]+$/.test(environment);
  const own = env.PORTICO_CONFIG;
  return [
    file('default.yaml'),
    ...(known ? [file(`${environment}.yaml`)] : []),
    portOfPlatform(env),
    ...(own ? [readLayer({ file: resolve(cwd, own), name: own, root, cwd, required: true })] : []),
    readEnvironment({ env, root, cwd }),
  ];
}

/** What platforms that choose the port say. A port that the operator's own configuration names wins. */
function portOfPlatform({ PORT = '' }: Environment): Layer {
  const port = /^\d{1,5}$/.test(PORT) ? Number(PORT) : PORT;
  return { name: 'PORT', values: PORT === '' ? {} : { http: { port } }, issues: [] };
}

/** Why the server does not listen where PORT says; undefined when it does, or when PORT is not set. */
export function whyNotPort({ http }: Config, { PORT = '' }: Environment = process.env): string | undefined {
  if (PORT === '' || Number(PORT) === http.port) return undefined;
  return `PORT is ${PORT}, but the configuration names http.port ${http.port}, which counts.`;
}

/** The schema with the plug-ins' own shapes in their places. */
function rootSchema({ dialects, federation }: LoadOptions): z.ZodType {
  return z.object({
    ...sections,
    ...(dialects && { dialects: z.object(dialects) }),
    ...(federation && { federation: z.object(federation) }),
  });
}

/** The default issuer names the default port, so it follows a port that is set alone. */
function followPort(layers: readonly Layer[], merged: Merged): void {
  const { http } = merged.values;
  if (layers.some((layer) => layer.values.issuer !== undefined)) return;
  if (isTable(http) && typeof http.port === 'number') merged.values.issuer = `http://localhost:${http.port}`;
}

/**
 * In production keys.encryptionFile counts only when it is set explicitly: a development key that happens to
 * lie at the default place must not become a production key.
 */
function takeKeyFile(layers: readonly Layer[], merged: Merged, cwd: string): Issue[] {
  const { keys } = merged.values;
  if (!isTable(keys) || keys.encryption !== undefined || keys.encryptionFile === undefined) return [];
  if (!layers.some((layer) => isTable(layer.values.keys) && layer.values.keys.encryptionFile !== undefined))
    return [];
  const { encryptionFile: file } = keys;
  const from = merged.from(['keys', 'encryptionFile']) ?? '';
  const content = contentOf({ file, path: 'keys.encryptionFile', folder: cwd, cwd, from });
  if (typeof content !== 'string') return [content];
  keys.encryption = content.trim();
  return [];
}

/** Parses each section by itself, so that an issue in one does not hide those of the others. */
function parseSections(merged: Merged, issues: Issue[]): Partial<Config> {
  const config: Values = {};
  for (const [name, schema] of Object.entries(sections)) {
    const parsed = parsePart({ schema, value: merged.values[name], at: [name], from: merged.from });
    issues.push(...parsed.issues);
    if (parsed.issues.length === 0) config[name] = parsed.value;
  }
  for (const name of Object.keys(merged.values)) {
    if (Object.hasOwn(sections, name)) continue;
    issues.push({
      path: name,
      from: merged.from([name]),
      message: `is no known key${didYouMean(name, Object.keys(sections))}`,
    });
  }
  return config as Partial<Config>;
}

function judgePlugIns(merged: Merged, kind: string, section: string, shapes: Shapes | undefined): Issue[] {
  const input = merged.values[section];
  if (!shapes || !isTable(input)) return [];
  return Object.entries(input).flatMap(([name, value]) => {
    const schema = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    const at = [section, name];
    if (schema) return parsePart({ schema, value, at, from: merged.from }).issues;
    const known = Object.keys(shapes);
    const meant = didYouMean(name, known) || `; known are ${known.join(', ')}`;
    return [{ path: at.join('.'), from: merged.from(at), message: `is no known ${kind}${meant}` }];
  });
}

/** Files that are written lie below the working directory of the start. */
function withAbsolutePaths(config: Config, cwd: string): Config {
  const { store, keys } = config;
  return {
    ...config,
    store: { ...store, embedded: { ...store.embedded, file: resolve(cwd, store.embedded.file) } },
    keys: { ...keys, encryptionFile: resolve(cwd, keys.encryptionFile) },
  };
}

/** docs/configuration.md, made from the schema: every key with its kind, its default and what it does. */
import { z } from 'zod';
import { deprecationSection } from './deprecation-section.ts';
import { legacySection } from './legacy-section.ts';
import { sections } from './schema.ts';
import { core, definitionOf, requestInfoOf, tableOf } from './shape.ts';

type Shapes = Readonly<Record<string, z.ZodType>>;

/** `dialects`, `federation`: the schemas of the plug-ins, by name. */
export function describeConfiguration(plugIns: { dialects: Shapes; federation: Shapes }): string {
  const { dialects, federation } = plugIns;
  const deps = Object.entries(sections).map(([name, schema]) => {
    if (name === 'dialects') return dialectsPart(dialects);
    return sectionPart(name, schema, name === 'federation' ? z.object(federation) : schema);
  });
  return `${[INTRODUCTION, ...deps].join('\n\n')}\n`;
}

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` from src/config/schema.ts. Do not edit. -->

Portico reads four layers; a later one wins over an earlier one:

1. \`config/default.yaml\`
2. \`config/<NODE_ENV>.yaml\`: \`development\` (the default), \`production\` or \`test\`
3. the YAML file that \`PORTICO_CONFIG\` names
4. the environment

\`PORT\`, by which platforms choose the port, sets \`http.port\` between 2 and 3. A port that the file or
\`PORTICO_HTTP__PORT\` names wins over it, and the server says so when it starts. Such platforms reach the server from
outside: set \`PORTICO_HTTP__HOST=0.0.0.0\` too.

Tables are joined, key by key. Everything else is replaced: a list takes the place of the list below it.
\`null\` takes a value of the layers below back. \`portico config check --show\` prints what is in force, without
secrets.

**Environment.** \`http.port\` is \`PORTICO_HTTP__PORT\`: a dot becomes two underscores. Names match without case and
without underscores inside a segment, so \`PORTICO_HTTP__TRUSTEDPROXIES\` and \`PORTICO_HTTP__TRUSTED_PROXIES\` are
one. Lists are written \`a,b\` or \`[a, b]\`, tables as JSON. An empty variable counts as not set.

**Secrets from files.** A variable that ends in \`_FILE\` reads the value from the file that it names:
\`PORTICO_FEDERATION__GOOGLE__CLIENT_SECRET_FILE=/run/secrets/google\`. \`_FILE\` is a suffix only where the whole name is
no key itself: \`PORTICO_KEYS__ENCRYPTION_FILE\` is \`keys.encryptionFile\`. In YAML, \`secret_file\` and \`secretFile\` do
the same for \`secret\`, and for every other key. The line break at the end of such a file is dropped.

**Durations** are whole seconds, or a number with a unit: \`10s\`, \`5m\`, \`24h\`, \`30d\`.

**Paths.** Files that are read (seeds, secrets) are looked for beside the configuration file that names them, then
from the working directory. Files that are written (\`data/\`) begin at the working directory.

**Mistakes** are reported all at once, each with its key, its value (never a secret's), who set it, and what is
allowed. The server does not start with a key that does not exist.

**Production** refuses to start with an http issuer, with emails that are not delivered, with the demo application, with the
demo seed or a password, key or secret of it, and with \`outbound.allowPrivate\`. The server key, cookie keys and secrets of
HS256 must be random; \`http.trustedProxies\` must be narrower than the internet. It takes \`store.kind: embedded\` only where you
set it: one SQLite file serves one machine.`;

/** `table`: the keys of a section whose own schema does not know them. */
function sectionPart(name: string, schema: z.ZodType, table = schema): string {
  const heading = `## ${name}\n\n`;
  if (!tableOf(table)) return heading + tableText([row([name], schema, defaultOf(schema))]);
  return `${heading}${aboutOf(schema)}\n\n${tableText(rowsOf(table, [name], defaultOf(schema)))}`;
}

function dialectsPart(dialects: Shapes): string {
  const deps = Object.entries(dialects).map(
    ([name, schema]) =>
      `### dialects.${name}\n\n${tableText(rowsOf(schema, ['dialects', name], defaultOf(schema), ['deprecation', 'legacy']))}`,
  );
  const about =
    'The vendors’ sign-in APIs, by name. Each dialect says in the README of its folder what its keys do. ' +
    '`admitsFrom` is the same for all: an account that a person opened at the hosted pages or at another dialect is ' +
    'let in only with a role that an operator gave, or where `admitsFrom` lists the place: `hosted`, or a dialect. ' +
    '`factors`, too, is the same for all. The vendors’ APIs know no second factor, so it says what becomes of an account ' +
    'that needs one: `refuse` (its sign-ins, refreshes and tokens are refused as wrong ones are), `allow` (they go on ' +
    'without), or `app-passwords` (an app password, which the person makes on my account, signs in in place of the ' +
    'account’s own). [migration.md](migration.md#old-clients-and-second-factors) tells what an organization does.';
  const legacy = `### dialects.<name>.legacy\n\n${LEGACY}\n\n${tableText(rowsOf(legacySection, ['dialects.<name>.legacy'], undefined))}`;
  const deprecation = `### dialects.<name>.deprecation\n\n${DEPRECATION}\n\n${tableText(rowsOf(deprecationSection, ['dialects.<name>.deprecation'], undefined))}`;
  return [`## dialects\n\n${about}`, ...deps, legacy, deprecation].join('\n\n');
}

const LEGACY =
  'The system that answered the vendor’s API before Portico, the same for every dialect. Without this table no other system is ' +
  'asked. Where passwords go stands here alone: nothing in the store changes it.';

const DEPRECATION =
  'The end of a vendor’s API, the same for every dialect: every reply announces it (RFC 9745, RFC 8594), and brown-outs ' +
  'rehearse it. [migration.md](migration.md#the-end-in-steps) tells how to go about it.';

type Row = readonly [key: string, kind: string, otherwise: string, about: string];

function tableText(rows: readonly Row[]): string {
  // Most dialects explain their keys in their own README.
  const columns = rows.some(([, , , about]) => about !== '') ? 4 : 3;
  const lines = rows.map(
    (cells) =>
      `| ${cells
        .slice(0, columns)
        .map((cell) => cell.replaceAll('|', '\\|'))
        .join(' | ')} |`,
  );
  const heads = ['Key', 'Value', 'Default', ''].slice(0, columns);
  return [`| ${heads.join(' | ')} |`, `|${'---|'.repeat(columns)}`, ...lines].join('\n');
}

/** The keys of a table, those of tables inside it too. */
function rowsOf(
  schema: z.ZodType,
  path: readonly string[],
  defaults: unknown,
  without: readonly string[] = [],
): Row[] {
  return Object.entries(tableOf(schema) ?? {}).flatMap(([name, inner]) => {
    if (without.includes(name)) return [];
    const at = [...path, name];
    const below = writtenDefault(inner) ?? (defaults as Record<string, unknown> | undefined)?.[name];
    if (definitionOf(core(inner)).type === 'never') return [];
    if (tableOf(inner)) return rowsOf(inner, at, below);
    const named = definitionOf(core(inner)).valueType;
    const entries = named && tableOf(named) ? rowsOf(named, [...at, '<name>'], undefined) : [];
    return [row(at, inner, below), ...entries];
  });
}

function row(path: readonly string[], schema: z.ZodType, value: unknown): Row {
  const kind = kindOf(schema);
  const otherwise =
    value === undefined ? '' : code(kind === 'duration' ? durationText(value) : valueText(value));
  return [code(path.join('.')), kind, otherwise, aboutOf(schema)];
}

/** Ours from the registry of facts; a dialect's from zod's describe(). */
function aboutOf(schema: z.ZodType): string {
  return requestInfoOf(schema)?.about ?? schema.description ?? '';
}

const code = (text: string) => `\`${text}\``;

/** The key's value when it is not set. */
function defaultOf(schema: z.ZodType): unknown {
  const parsed = schema.safeParse(undefined);
  return parsed.success ? parsed.data : undefined;
}

/** The default as a person would write it, before it is transformed. */
function writtenDefault(schema: z.ZodType): unknown {
  const { type, defaultValue, innerType, in: input } = definitionOf(schema);
  if (type === 'default' || type === 'prefault') return tableOf(schema) ? undefined : defaultValue;
  const inner = type === 'pipe' ? input : innerType;
  return inner && writtenDefault(inner);
}

function valueText(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}

function durationText(value: unknown): string {
  if (typeof value === 'string') return value;
  const units: readonly [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
  ];
  const seconds = Number(value);
  const unit = units.find(([size]) => seconds % size === 0 && seconds >= size);
  return unit ? `${seconds / unit[0]}${unit[1]}` : `${seconds}s`;
}

/** The kind of value in words. */
function kindOf(schema: z.ZodType): string {
  const inner = core(schema);
  const { type, element, options = [], entries, values } = definitionOf(inner);
  const orNull = type !== 'unknown' && schema.safeParse(null).success ? ' or `null`' : '';
  if (entries) return Object.keys(entries).map(code).join(', ') + orNull;
  if (values) return values.map((value) => code(valueText(value))).join(', ') + orNull;
  if (element) return `list of ${kindOf(element)}${orNull}`;
  if (type === 'union') {
    return isDuration(options)
      ? `duration${orNull}`
      : [...new Set(options.map((option) => kindOf(option)))].join(', or ') + orNull;
  }
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'number',
    int: 'number',
    boolean: '`true`, `false`',
    record: 'table',
    object: 'table',
  };
  return (words[type] ?? 'any value') + orNull;
}

/** A number of seconds, or a text that is made into one. */
function isDuration(options: readonly z.ZodType[]): boolean {
  const [seconds, text] = options;
  if (!seconds || !text || options.length !== 2) return false;
  const isNumber = ['number', 'int'].includes(definitionOf(core(seconds)).type);
  return isNumber && definitionOf(text).type === 'pipe' && text.safeParse('10s').success;
}

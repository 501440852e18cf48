/**
 * Compares what a server answered with what a scenario expects: exactly, with `<matchers>` where a value
 * cannot be known beforehand. Returns every difference with its JSON pointer, so that one run shows all.
 */

/** Differences, one line each; empty when `actual` is what was expected. `actual` undefined: not there. */
export function differences(expected: unknown, actual: unknown, at = ''): string[] {
  if (typeof expected === 'string') return compareText(expected, actual, at);
  if (Array.isArray(expected)) return compareList(expected, actual, at);
  if (typeof expected === 'object' && expected !== null) {
    return compareObject(expected as Record<string, unknown>, actual, at);
  }
  return Object.is(expected, actual) ? [] : [unlike(expected, actual, at)];
}

/** As `differences`, but `actual` may have further members at the top. */
export function missingMembers(expected: Record<string, unknown>, actual: Record<string, unknown>): string[] {
  return Object.entries(expected).flatMap(([name, value]) => differences(value, actual[name], `/${name}`));
}

function compareObject(expected: Record<string, unknown>, actual: unknown, at: string): string[] {
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual))
    return [unlike(expected, actual, at)];
  const there = actual as Record<string, unknown>;
  const result = Object.entries(expected).flatMap(([name, value]) =>
    differences(value, Object.hasOwn(there, name) ? there[name] : undefined, `${at}/${name}`),
  );
  for (const name of Object.keys(there)) {
    if (!Object.hasOwn(expected, name)) result.push(`${at}/${name}: not expected, got ${show(there[name])}`);
  }
  return result;
}

function compareList(expected: unknown[], actual: unknown, at: string): string[] {
  if (!Array.isArray(actual)) return [unlike(expected, actual, at)];
  const result = expected.flatMap((value, index) => differences(value, actual[index], `${at}/${index}`));
  if (actual.length !== expected.length) {
    result.push(`${at || '/'}: expected ${expected.length} items, got ${actual.length}: ${show(actual)}`);
  }
  return result;
}

function compareText(expected: string, actual: unknown, at: string): string[] {
  const matches = matcher(expected);
  const right = matches === undefined ? expected === actual : matches(actual);
  return right ? [] : [unlike(expected, actual, at)];
}

type Matcher = (actual: unknown) => boolean;

const text =
  (pattern: RegExp): Matcher =>
  (actual) =>
    typeof actual === 'string' && pattern.test(actual);

const UTC_TIME: Readonly<Record<string, RegExp>> = {
  s: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  ms: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  us: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
};

const PLAIN: Readonly<Record<string, Matcher>> = {
  '<jwt>': text(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/),
  '<uuid>': text(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  '<digits>': text(/^\d+$/),
  '<string>': (actual) => typeof actual === 'string' && actual !== '',
  '<int>': (actual) => Number.isSafeInteger(actual),
  '<bool>': (actual) => typeof actual === 'boolean',
  '<any>': (actual) => actual !== undefined,
  '<null>': (actual) => actual === null,
  '<absent>': (actual) => actual === undefined,
};

/** What a whole string stands for; undefined: itself. A text that only looks like a matcher is an issue. */
function matcher(expected: string): Matcher | undefined {
  const plain = PLAIN[expected];
  if (plain !== undefined) return plain;
  const [, kind, argument = ''] = /^<(re|hex|iso|epoch)[:+](.*)>$/s.exec(expected) ?? [];
  if (kind === 're') return text(new RegExp(argument, 's'));
  if (kind === 'hex') return text(new RegExp(`^[0-9a-f]{${Number(argument)}}$`));
  if (kind === 'iso') return isoTime(argument);
  if (kind === 'epoch') return epoch(Number(argument));
  if (/^<[a-z]+([:+].*)?>$/s.test(expected)) throw new Error(`There is no matcher ${expected}.`);
  return undefined;
}

function isoTime(precision: string): Matcher {
  const pattern = UTC_TIME[precision];
  if (pattern === undefined) throw new Error(`There is no matcher <iso:${precision}>.`);
  return (actual) => typeof actual === 'string' && pattern.test(actual) && !Number.isNaN(Date.parse(actual));
}

/** Within a minute of now plus `offset` seconds. */
function epoch(offset: number): Matcher {
  return (actual) =>
    Number.isInteger(actual) && Math.abs(Number(actual) - (Date.now() / 1000 + offset)) <= 60;
}

function unlike(expected: unknown, actual: unknown, at: string): string {
  return `${at || '/'}: expected ${show(expected)}, got ${show(actual)}`;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const written = JSON.stringify(value);
  return written.length > 400 ? `${written.slice(0, 400)}...` : written;
}

/** The form of a value: what can be said of it without telling it. */

export type Form = string;

const TEXT_FORMS: readonly [RegExp, (match: RegExpExecArray) => Form][] = [
  [/^$/, () => 'empty text'],
  [/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i, () => 'uuid'],
  [/^[\w-]{8,}\.[\w-]{8,}\.[\w-]*$/, () => 'jwt'],
  [
    /^\d{4}-\d\d-\d\d([T ])\d\d:\d\d(?::\d\d(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?$/i,
    ([, between, decimals = '', zone = '']) =>
      `time with ${decimals.length} decimals${between === ' ' ? ' and a blank' : ''}, ${zone === '' ? 'no zone' : zone.toUpperCase() === 'Z' ? 'Z' : 'an offset'}`,
  ],
  [/^\d{4}-\d\d-\d\d$/, () => 'date'],
  [/^[^\s@]+@[^\s@]+\.[^\s@]+$/, () => 'email'],
  [/^[a-z][a-z\d+.-]*:\/\/\S+$/i, () => 'URL'],
  [/^\d+$/, () => 'digits'],
  [/^[\da-f]{16,}$/i, ([text]) => `hex of ${text.length}`],
  [/^[\w.~+/|=:-]{20,}$/, () => 'token'],
];

export function formOf(value: unknown): Form {
  if (value === undefined) return 'absent';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (typeof value !== 'string') return typeof value;
  for (const [pattern, form] of TEXT_FORMS) {
    const match = pattern.exec(value);
    if (match !== null) return form(match);
  }
  return 'text';
}

/** What two systems say alike of one person. Ids, tokens and times are each system's own. */
const SAID_ALIKE: ReadonlySet<Form> = new Set(['text', 'email', 'digits', 'date', 'boolean', 'number']);

/** A number from here on is a time. */
const A_TIME = 1e9;

export function isSaidAlike(value: unknown): boolean {
  return SAID_ALIKE.has(formOf(value)) && !(typeof value === 'number' && Math.abs(value) >= A_TIME);
}

/** What JSON calls the value. */
export function typeOf(value: unknown): string {
  if (value === null || value === undefined) return value === null ? 'null' : 'absent';
  return Array.isArray(value) ? 'list' : typeof value;
}

export type JsonTable = Readonly<Record<string, unknown>>;

export function isTable(value: unknown): value is JsonTable {
  return typeOf(value) === 'object';
}

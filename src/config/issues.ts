/** Mistakes of a configuration in words: where, what stands there (never a secret), and what is allowed. */

import { distance } from 'fastest-levenshtein';
import { YAMLParseError } from 'yaml';
import type { z } from 'zod';
import { OperatorError } from '../core/errors.ts';
import { shownValue } from './secret.ts';
import { core, definitionOf, schemaAt, tableOf } from './shape.ts';

export interface Issue {
  /** Dotted, such as `http.port`; or the name of a variable or file. */
  readonly path: string;
  /** As it may be shown. Absent: nothing is set. */
  readonly value?: string | undefined;
  /** Where the value was set. */
  readonly from?: string | undefined;
  /** What is wrong and what is allowed, as the end of a sentence: 'must be ...'. */
  readonly message: string;
}

export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[]) {
    const count = issues.length === 1 ? 'one issue' : `${issues.length} issues`;
    super(`The configuration has ${count}:\n${issues.map((issue) => `  ${inWords(issue)}`).join('\n')}`);
    this.issues = issues;
  }
}

export function inWords({ path, value, from, message }: Issue): string {
  const is = value === undefined ? '' : ` is ${value}`;
  return `${path}${is}${from === undefined ? '' : ` (${from})`}: ${message}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'must be text',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  array: 'must be a list',
  object: 'must be a table of keys',
  record: 'must be a table of keys',
  never: 'must not be set',
};

/** zod's issues in our words; a message that a schema gives itself wins. */
export const wording: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? 'must be set'
        : (TYPES[issue.expected] ?? `must be ${issue.expected}`);
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `must have ${issue.minimum} or more`
        : `must be ${issue.inclusive ? '' : 'more than '}${issue.minimum}${issue.inclusive ? ' or more' : ''}`;
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than ' : ''}${issue.maximum}${issue.inclusive === false ? '' : ' or less'}`;
    default:
      return undefined;
  }
};

/**
 * Parses one part of the configuration; its value is undefined when there are issues.
 * `at`: its place; `from`: who set a path; `show`: a wrong value, without secrets.
 */
export function parsePart<Schema extends z.ZodType>(options: {
  schema: Schema;
  value: unknown;
  at: readonly string[];
  from?: (path: readonly string[]) => string | undefined;
  show?: (value: unknown, path: readonly string[]) => string;
}) {
  const { schema, value, at, from = () => undefined, show = shownValue } = options;
  const result = schema.safeParse(value, { error: wording, reportInput: true });
  if (result.success) return { value: result.data, issues: [] };
  const issues = result.error.issues.flatMap((issue) => {
    const path = [...at, ...issue.path.map(String)];
    const inside = schemaAt(schema, issue.path);
    if (issue.code === 'unrecognized_keys') {
      const known = Object.keys((inside && tableOf(inside)) ?? {});
      return issue.keys.map((name) => {
        const at = [...path, name];
        return { path: at.join('.'), from: from(at), message: `is no known key${didYouMean(name, known)}` };
      });
    }
    // Of a record: its name is wrong, not what stands there.
    const wrong = issue.code === 'invalid_key' ? undefined : valueAt(value, issue.path);
    const shown = wrong === undefined ? undefined : show(wrong, path);
    return [{ path: path.join('.'), value: shown, from: from(path), message: messageOf(issue, inside) }];
  });
  return { value: undefined, issues };
}

function messageOf(issue: z.core.$ZodIssue, schema: z.ZodType | undefined): string {
  if (issue.code === 'invalid_key') return `has a name that ${issue.issues[0]?.message ?? 'does not fit'}`;
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return issue.message;
  // The option whose type fits knows best what is wrong with the value.
  const nearest = issue.errors.find((issues) => issues.some((inner) => inner.code !== 'invalid_type'))?.[0];
  if (nearest) return nearest.message;
  const options = schema ? (definitionOf(core(schema)).options ?? []) : [];
  const kinds = options.map((option) => {
    const { type, values } = definitionOf(core(option));
    return values ? values.map(String).join(' or ') : (TYPES[type] ?? type).replace(/^must be /, '');
  });
  return `must be ${kinds.join(', or ')}`;
}

export function didYouMean(name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** The known name that is the fewest slips away, if it is near enough to be meant. */
export function closest(name: string, known: readonly string[]): string | undefined {
  const fold = (text: string) => text.toLowerCase().replaceAll(/[-_.]/g, '');
  const ranked = known
    .map((candidate) => ({ candidate, slips: distance(fold(name), fold(candidate)) }))
    .sort((a, b) => a.slips - b.slips);
  const best = ranked[0];
  return best && best.slips <= Math.max(2, Math.floor(fold(name).length / 3)) ? best.candidate : undefined;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step];
  return value;
}

/** Where a parser stopped. Its own words quote the text, which may be a secret. */
export function placeOfIssue(error: unknown): string {
  if (error instanceof YAMLParseError) {
    const { linePos, code } = error;
    return linePos ? `: line ${linePos[0].line}, column ${linePos[0].col} (${code})` : ` (${code})`;
  }
  if (error instanceof ReferenceError) return ': text that begins with * must be put in quotes';
  const { syscall, code } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return ` (${code})`;
  const place = error instanceof Error ? /\(line \d+ column \d+\)/.exec(error.message)?.[0] : undefined;
  return place === undefined ? '' : ` ${place}`;
}

/**
 * What the vendors' fields share: the schema of a field that code judges, the checks that mean the same
 * everywhere, and the shapes of replies. The words are each vendor's own. Nothing is ever converted.
 */
import { z } from 'zod';
import { type FieldIssue, isLonger, Refused } from '../contract/dialect.ts';
import type { JudgeContext } from '../contract/endpoint.ts';

/** What a vendor says of a field; `code` becomes FieldIssue.code. */
export type Issue = string | { readonly message: string; readonly code: string };

/** Judges one value: answers what is kept of it, or `refuse(issue)`. `path`: within the field. */
export type Reader<Value> = (
  value: unknown,
  refuse: (issue: Issue, path?: readonly number[]) => never,
) => Value;

/** A field's schema. `documented`: what OpenAPI says of it. */
export function field<Value>(
  read: Reader<Value>,
  documented: Readonly<Record<string, unknown>> = { type: 'string' },
) {
  return z
    .unknown()
    .meta({ ...documented })
    .transform((value, context) =>
      read(value, (issue, path = []) => {
        const { message, ...params } = partsOf(issue);
        context.addIssue({ code: 'custom', message, path: [...path], params });
        return z.NEVER;
      }),
    );
}

const partsOf = (issue: Issue) => (typeof issue === 'string' ? { message: issue } : issue);

export interface Words {
  readonly missing: Issue;
  /** null; like `missing` where left out. */
  readonly none?: Issue;
  readonly notText: Issue;
  /** Nothing, or nothing but blanks where those do not count; like `missing` where left out. */
  readonly empty?: Issue;
  readonly malformed: Issue;
  readonly tooLong: Issue;
}

interface TextRules {
  /** Blanks at the ends are part of the text. */
  readonly exact?: boolean;
  /** Which texts are malformed. */
  readonly unfit?: (sent: string) => boolean;
  /** What is kept of the text as sent; undefined: too long. */
  readonly take: (sent: string) => string | undefined;
  /** The field's own rule, for what is kept: the issue when it fails. */
  readonly rule?: ((kept: string) => Issue | undefined) | undefined;
}

/** A text that must be there. The first check that fails, in the order of Words, gives the issue. */
export function textReader(
  words: Words,
  { exact = false, unfit = malformed, take, rule }: TextRules,
): Reader<string> {
  return (value, refuse) => {
    if (value === undefined) return refuse(words.missing);
    if (value === null) return refuse(words.none ?? words.missing);
    if (typeof value !== 'string') return refuse(words.notText);
    if ((exact ? value : value.trim()) === '') return refuse(words.empty ?? words.missing);
    if (unfit(value)) return refuse(words.malformed);
    const kept = take(value);
    if (kept === undefined) return refuse(words.tooLong);
    const broken = rule?.(kept);
    return broken === undefined ? kept : refuse(broken);
  };
}

/** A password, taken as sent. The cap keeps a client from having megabytes hashed. */
export function passwordField(words: Words, rule?: TextRules['rule']) {
  const take = (sent: string) => (overPasswordLimit(sent) ? undefined : sent);
  return field(textReader(words, { exact: true, unfit: unstorable, take, rule }));
}

/**
 * A registration's `alsoJudge`: the list of common passwords, once the field's own rule has passed. That has
 * judged the length, as sent; the list counts normalized characters.
 */
export function refuseCommon(issue: Issue) {
  return async ({
    raw,
    issues,
    use,
  }: Pick<JudgeContext, 'raw' | 'issues' | 'use'>): Promise<FieldIssue[]> => {
    if (issues.some(({ path }) => path[0] === 'password')) return [];
    try {
      await use.passwords.judge(String(raw.password), { minimum: 1 });
      return [];
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      return [{ path: ['password'], ...partsOf(issue) }];
    }
  };
}

/** More than 1024 bytes. */
export const overPasswordLimit = (text: string) => new TextEncoder().encode(text).byteLength > 1024;

/** NUL, or a lone surrogate. */
export const unstorable = (text: string) => text.includes('\0') || !text.isWellFormed();

/** Control characters (Unicode Cc), or a lone surrogate. */
export const malformed = (text: string) => /\p{Cc}/u.test(text) || !text.isWellFormed();

/** How many code points the text has. */
export const points = (text: string) => [...text].length;

/** One `@`, 1 to `longest` code points before it, a domain of at least two non-empty labels, no blanks. */
export function isAddress(text: string, longest = 64): boolean {
  const local = text.slice(0, text.indexOf('@'));
  return /^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/u.test(text) && !isLonger(local, longest);
}

/** A day that exists, from 1900 on; one that rolls over (02-30) is not the day that was written. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '1900') return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/* ------------------------------------------------------------------ replies */

/** The members of something: the schema of each, and how it is read. */
export type Table<Shown extends unknown[]> = Readonly<
  Record<string, readonly [schema: z.ZodType, read: (...shown: Shown) => unknown]>
>;

/** Members of a table, in the reply's order. `names`: words with blanks between. */
export function shape<Shown extends unknown[]>(table: Table<Shown>, ...names: string[]) {
  const members = names
    .flatMap((some) => some.split(' '))
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

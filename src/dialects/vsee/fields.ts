/**
 * What this vendor's members may be, in section 3's order of checks: absent, wrong type, control character,
 * empty, too long, the member's own rule. A Reader judges one value; `required`, `optional`, `clearable` and
 * `filled` make a zod schema of it, which says what an empty text means and has the vendor's two messages.
 * The tables list members in the contract's order, because the first failure is the reply.
 */
import { z } from 'zod';
import { isLonger, takeText } from '../contract/dialect.ts';

/** The value is of a wrong form. */
export const WRONG = Symbol('wrong');
/** The text is empty. */
export const EMPTY = Symbol('empty');

export interface Reader<T> {
  /** For OpenAPI: what clients send. */
  readonly documented: Readonly<Record<string, unknown>>;
  /** Never called with null or undefined, which are absent. */
  read(value: unknown): T | typeof WRONG | typeof EMPTY;
}

/** CR, LF, TAB and NUL have no place in any of these, and a lone surrogate cannot be stored. */
const malformed = (text: string) => /\p{Cc}/u.test(text) || !text.isWellFormed();

/** Numbers as they are written; what a JSON number cannot hold exactly would name another person. */
function decimal(value: number): string | undefined {
  const text = String(value);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return undefined;
  return /^-?\d+(\.\d+)?$/.test(text) ? text : undefined;
}

/* ------------------------------------------------------------------ readers */

interface TextRules {
  /** Code points. */
  readonly limit: number;
  /** Takes JSON numbers as their decimal text. */
  readonly numbers?: boolean;
  /** Neither trimmed nor normalized. */
  readonly exact?: boolean;
  /** The member's own rule: the text to keep, or undefined when it breaks the rule. */
  readonly rule?: (text: string) => string | undefined;
}

export function text({ limit, numbers = false, exact = false, rule }: TextRules): Reader<string> {
  return {
    documented: { type: numbers ? ['string', 'number'] : 'string', maxLength: limit },
    read(value) {
      const sent = numbers && typeof value === 'number' ? decimal(value) : value;
      if (typeof sent !== 'string' || malformed(sent)) return WRONG;
      if (sent.trim() === '') return EMPTY;
      const kept = exact ? (isLonger(sent, limit) ? undefined : sent) : takeText(sent, limit);
      if (kept === undefined) return WRONG;
      return (rule ? rule(kept) : kept) ?? WRONG;
    },
  };
}

/** Taken as it was sent: a blank at the end is part of it. */
export const password: Reader<string> = {
  documented: { type: 'string', format: 'password', maxLength: 1024 },
  read(value) {
    if (typeof value !== 'string') return WRONG;
    if (value === '') return EMPTY;
    const unfit = value.includes('\0') || !value.isWellFormed();
    return unfit || new TextEncoder().encode(value).byteLength > 1024 ? WRONG : value;
  },
};

export function integer(from: number, to: number): Reader<number> {
  return {
    documented: { type: ['integer', 'string'], minimum: from, maximum: to },
    read(value) {
      if (value === '') return EMPTY;
      const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
      if (typeof number !== 'number' || !Number.isInteger(number)) return WRONG;
      return number >= from && number <= to ? number : WRONG;
    },
  };
}

export function integerOf(known: readonly number[]): Reader<number> {
  const any = integer(Math.min(...known), Math.max(...known));
  return {
    documented: { enum: known.flatMap((one) => [one, String(one)]) },
    read(value) {
      const number = any.read(value);
      return typeof number === 'number' && !known.includes(number) ? WRONG : number;
    },
  };
}

/** 0 or 1 as integer, text or JSON boolean. */
export const flag: Reader<boolean> = {
  documented: { enum: [0, 1, '0', '1', true, false] },
  read(value) {
    if (value === '') return EMPTY;
    if (value === true || value === 1 || value === '1') return true;
    return value === false || value === 0 || value === '0' ? false : WRONG;
  },
};

/** A day that exists, from 1900 on. That it is not in the future, `bornUntilToday` judges. */
function day(sent: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(sent) || sent < '1900') return undefined;
  const date = new Date(`${sent}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(sent) ? sent : undefined;
}

export const date: Reader<string> = {
  ...text({ limit: 10, rule: day }),
  documented: { type: 'string', format: 'date' },
};

/** One @, a local part of 1 to 64, a domain of at least two labels, no white space. */
function address(sent: string): string | undefined {
  const [local = '', domain = '', ...more] = sent.split('@');
  if (more.length > 0 || /\s/.test(sent) || local === '' || isLonger(local, 64)) return undefined;
  const labels = domain.split('.');
  return labels.length >= 2 && labels.every((label) => label !== '') ? sent.toLowerCase() : undefined;
}

export const email = text({ limit: 254, rule: address });

/** In the capitals of `known`. */
function wordOf(known: readonly string[]): Reader<string> {
  return {
    ...text({ limit: 32, rule: (sent) => known.find((word) => word === sent.toLowerCase()) }),
    documented: { type: 'string', description: known.join(', ') },
  };
}

export const gender = wordOf(['male', 'female']);
export const stateCode = text({
  limit: 2,
  rule: (sent) => (/^[A-Za-z]{2}$/.test(sent) ? sent.toUpperCase() : undefined),
});

/* ------------------------------------------------------------------ schemas */

type Field<T> = z.ZodType<T, unknown>;

/** `empty`: what an empty text becomes, or undefined where it is refused as a wrong one. */
function field<T, E>(
  name: string,
  reader: Reader<T>,
  means: { absent: () => E | { issue: string }; empty: () => T | E | { issue: string } },
) {
  return z
    .unknown()
    .transform((value, context): T | E => {
      const read = value === undefined || value === null ? undefined : reader.read(value);
      const meant =
        read === WRONG
          ? { issue: `Invalid ${name}` }
          : read === EMPTY
            ? means.empty()
            : read === undefined
              ? means.absent()
              : read;
      if (!isIssue(meant)) return meant as T | E;
      context.addIssue({ code: 'custom', message: meant.issue });
      return z.NEVER;
    })
    .meta({ ...reader.documented });
}

const isIssue = (meant: unknown): meant is { issue: string } =>
  typeof meant === 'object' && meant !== null && 'issue' in meant;

export function required<T>(name: string, reader: Reader<T>): Field<T> {
  const missing = () => ({ issue: `${name} is required` });
  return field<T, never>(name, reader, { absent: missing, empty: missing });
}

/** Empty is absent. */
export function optional<T>(name: string, reader: Reader<T>) {
  return field<T, undefined>(name, reader, {
    absent: () => undefined,
    empty: () => undefined,
  }).optional();
}

/** Empty clears: null. */
export function clearable<T>(name: string, reader: Reader<T>) {
  return field<T, undefined | null>(name, reader, {
    absent: () => undefined,
    empty: () => null,
  }).optional();
}

/** May be left out, but not empty. */
export function filled<T>(name: string, reader: Reader<T>) {
  return field<T, undefined>(name, reader, {
    absent: () => undefined,
    empty: () => ({ issue: `Invalid ${name}` }),
  }).optional();
}

/** May be left out; empty text is a value, which the work judges. */
export function orEmpty(name: string, reader: Reader<string>) {
  return field<string, undefined>(name, reader, { absent: () => undefined, empty: () => '' }).optional();
}

/** Whether a member was sent at all: neither null nor empty. A wrong one was. */
export function isThere(value: unknown, reader: Reader<unknown>): boolean {
  return value !== undefined && value !== null && reader.read(value) !== EMPTY;
}

/** The member's value where it was sent and is right. */
export function readAs<T>(value: unknown, reader: Reader<T>): T | undefined {
  const read = value === undefined || value === null ? EMPTY : reader.read(value);
  return read === WRONG || read === EMPTY ? undefined : read;
}

/**
 * A body whose table depends on what was sent. `all` has every member of every table and is only what
 * OpenAPI shows: the chosen table alone judges, so that its order decides which issue is reported.
 */
export function tableBy<T extends z.ZodType>(
  all: Readonly<Record<string, z.ZodType>>,
  choose: (raw: Readonly<Record<string, unknown>>) => T,
) {
  const members = Object.entries(all);
  const required = members.filter(([, schema]) => !(schema instanceof z.ZodOptional)).map(([name]) => name);
  const announced = Object.fromEntries(members.map(([name, schema]) => [name, unjudged(schema)]));
  const shown = z.object(announced).meta(required.length > 0 ? { required } : {});
  return shown.transform((raw, context): z.output<T> => {
    const parsed = choose(raw).safeParse(raw);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) {
      context.addIssue({ code: 'custom', path: [...path], message });
    }
    return z.NEVER;
  });
}

function unjudged(schema: z.ZodType): z.ZodType {
  const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema;
  return z
    .unknown()
    .meta({ ...inner.meta() })
    .optional();
}

/**
 * What this vendor's members may be, in section 3's order of checks: absent, wrong type, control character,
 * empty, too long, the member's own rule. A Reader judges one value; `required`, `optional`, `clearable` and
 * `filled` make a zod schema of it, which says what an empty text means and has the vendor's two messages.
 * The tables list members in the contract's order, because the first failure is the reply.
 */
import { z } from 'zod';
import { foldName, isLonger, takeText } from '../contract/dialect.ts';
import { isAddress, isDay, malformed, overPasswordLimit, unstorable } from '../fields/fields.ts';

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
    return unstorable(value) || overPasswordLimit(value) ? WRONG : value;
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

/** `false` and `true`: how each is spelt. */
export function eitherOf(no: readonly unknown[], yes: readonly unknown[]): Reader<boolean> {
  return {
    documented: { enum: [...no, ...yes] },
    read(value) {
      if (value === '') return EMPTY;
      return yes.includes(value) || (no.includes(value) ? false : WRONG);
    },
  };
}

export const flag = eitherOf([0, '0', false], [1, '1', true]);

/** That it is not in the future, `bornUntilToday` judges. */
export const date: Reader<string> = {
  ...text({ limit: 10, rule: (sent) => (isDay(sent) ? sent : undefined) }),
  documented: { type: 'string', format: 'date' },
};

export const email = text({
  limit: 254,
  rule: (sent) => (isAddress(sent) ? foldName(sent) : undefined),
});

/** One of some words. `gender` alone is taken in any case. */
export function wordOf(known: readonly string[], fold = (sent: string) => sent): Reader<string> {
  return {
    ...text({ limit: 32, rule: (sent) => known.find((word) => word === fold(sent)) }),
    documented: { type: 'string', description: known.join(', ') },
  };
}

export const gender = wordOf(['male', 'female'], (sent) => sent.toLowerCase());
export const stateCode = text({ limit: 2, rule: (sent) => /^[A-Za-z]{2}$/.exec(sent)?.[0].toUpperCase() });

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object, or the JSON of one as text. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const sent: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    return isObject(sent) ? sent : undefined;
  } catch {
    return undefined;
  }
}

/* ------------------------------------------------------------------ schemas */

/** Nothing was sent. */
const MISSING = Symbol('missing');

/** `absent` and `empty`: the value that they mean, or what is wrong with them. */
function field<T, E>(
  name: string,
  reader: Reader<T>,
  { absent, empty }: { absent: E | typeof MISSING; empty: E | typeof MISSING | typeof WRONG },
) {
  return z.unknown().transform((value, context): T | E => {
    const read = value === undefined || value === null ? absent : reader.read(value);
    const meant = read === EMPTY ? empty : read;
    if (meant !== MISSING && meant !== WRONG) return meant;
    const message = meant === MISSING ? `${name} is required` : `Invalid ${name}`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

export const required = <T>(name: string, reader: Reader<T>) =>
  field<T, never>(name, reader, { absent: MISSING, empty: MISSING }).meta({ ...reader.documented });

const leftOut =
  <E>(empty: E | typeof WRONG) =>
  <T>(name: string, reader: Reader<T>) =>
    field<T, E | undefined>(name, reader, { absent: undefined, empty })
      .optional()
      .meta({ ...reader.documented });

/** Empty is absent. */
export const optional = leftOut(undefined);
/** Empty clears: null. */
export const clearable = leftOut(null);
/** May be left out, but not empty. */
export const filled = leftOut<undefined>(WRONG);
/** May be left out; empty text is a value, which the work judges. */
export const orEmpty = leftOut('');

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
  const announced = Object.fromEntries(
    members.map(([name, schema]) => [
      name,
      z
        .unknown()
        .meta({ ...schema.meta() })
        .optional(),
    ]),
  );
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

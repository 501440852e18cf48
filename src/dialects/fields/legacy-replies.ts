/**
 * How replies of a legacy system are read. What is neither the documented body nor the documented refusal is odd:
 * a page of a gateway that answers 404 says nothing about a person.
 */
import type { z } from 'zod';
import type { Answer, LegacyReply } from '../contract/legacy-api.ts';
import { unstorable } from './fields.ts';

/** Three parts of base64url with dots between. */
export const JWT = /^[\w-]{8,4096}\.[\w-]{8,8192}\.[\w-]{8,2048}$/;

/** Statuses of a good reply. Which of them an endpoint has is often this project's guess; its body is what counts. */
const GOOD = [200, 201];
/** Not now: says nothing about what was asked. */
const LATER = [429, 503];
/** Code units; tokens are the longest texts. */
const LONGEST = 16_384;

interface Rules<Body extends z.ZodType, Asked> {
  /** The endpoint's own reply; members that it does not name may be there. */
  readonly body: Body;
  /** Statuses by which the vendor says no. */
  readonly no: readonly number[];
  /** What its refusals look like. */
  readonly refusal: z.ZodType;
  answer(body: z.output<Body>, asked: Asked): Answer;
}

/** The `read` of a question. */
export function reading<Body extends z.ZodType, Asked>({ body, no, refusal, answer }: Rules<Body, Asked>) {
  return (reply: LegacyReply, asked: Asked): Answer => {
    const { status, json } = reply;
    if (LATER.includes(status)) return { later: secondsOf(reply.header('retry-after')) };
    if (no.includes(status))
      return parsed(refusal, json).success ? 'no' : { odd: `${status} of another form` };
    if (!GOOD.includes(status)) return { odd: `status ${status}` };
    const { data, error } = parsed(body, json);
    if (error !== undefined) return { odd: `another form${placeOf(error)}` };
    return isFit(data) ? answer(data, asked) : { odd: 'texts that cannot be stored' };
  };
}

/** An answer of an endpoint that does the same whether or not it knows the address: only that it was asked. */
export const ASKED = { yes: { account: {} } } satisfies Answer;

function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined;
}

/** Members that the schema does not name are taken out: a vendor's newer version may show more. */
function parsed<Schema extends z.ZodType>(schema: Schema, json: unknown) {
  const first = schema.safeParse(json);
  const issues = first.error?.issues ?? [];
  const unknown = issues.filter((issue) => issue.code === 'unrecognized_keys');
  if (unknown.length === 0 || unknown.length < issues.length) return first;
  return schema.safeParse(
    unknown.reduce<unknown>((known, { path, keys }) => without(known, path, new Set(keys)), json),
  );
}

/** A copy along the path: what is not on it may be nested too deep to be walked. */
function without(
  value: unknown,
  [name, ...below]: readonly PropertyKey[],
  keys: ReadonlySet<string>,
): unknown {
  if (!isObject(value)) return value;
  if (name === undefined)
    return Object.fromEntries(Object.entries(value).filter(([member]) => !keys.has(member)));
  const at = without(Reflect.get(value, name), below, keys);
  return Array.isArray(value) ? value.with(Number(name), at) : { ...value, [name]: at };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Names of the schema's own members. */
const placeOf = ({ issues }: z.ZodError) => ` at /${(issues[0]?.path ?? []).map(String).join('/')}`;

function isFit(value: unknown): boolean {
  if (typeof value === 'string') return value.length <= LONGEST && !unstorable(value);
  return !isObject(value) || Object.values(value).every(isFit);
}

/** Without the members that say nothing: absent ones, null and "". */
export function said<Members extends object>(members: Members) {
  const named = Object.entries(members).filter(([, value]) => value != null && value !== '');
  return Object.fromEntries(named) as { [Name in keyof Members]?: Exclude<Members[Name], null | undefined> };
}

/** `createdAt` and the like, from a text that is a time. */
export function timeOf(text: string): Date | undefined {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/**
 * Which question of a vendor's API a client has asked, as it passed by: the API read backwards once more. A question
 * that is asked with marks in the place of its values shows where a client puts them.
 */
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { Answer, LegacyApi, LegacyReply, Outgoing, Question } from '../dialects/contract/legacy-api.ts';
import type { AnySettings } from '../dialects/contract/settings.ts';
import type { PassedExchange, PassedRequest } from '../dialects/runtime/legacy-traffic.ts';
import { formFields, multipartEntries } from '../dialects/runtime/parse-form.ts';
import { headerOf } from './call.ts';
import { legacyReply, memberAt, withClaims } from './question.ts';

/** What a client puts into a question. */
export interface Values {
  readonly login?: string;
  readonly password?: string;
  readonly token?: string;
  readonly refreshToken?: string;
  readonly email?: string;
  readonly code?: string;
  readonly provider?: string;
  readonly idToken?: string;
}

export type PassedName = 'signIn' | 'code' | 'social' | 'refresh' | 'register' | 'person' | 'signOut';

export interface PassedQuestion {
  readonly name: PassedName;
  readonly values: Values;
  /** What the reply says to it. */
  readonly answer: Answer;
}

/** No client sends one of these. They are texts that every vendor takes. */
const MARKS = {
  login: 'login-7f3a9c@portico.invalid',
  password: 'password-7f3a9c',
  token: 'token-7f3a9c',
  refreshToken: 'refresh-7f3a9c',
  email: 'email-7f3a9c@portico.invalid',
  code: 'code-7f3a9c',
  provider: 'provider-7f3a9c',
  idToken: 'id-token-7f3a9c',
} as const satisfies Required<Values>;

type Place = { readonly settings: AnySettings; readonly organization: OrganizationView };

interface Way {
  readonly name: PassedName;
  /** Without each of them it is not this question. */
  readonly members: readonly (keyof Values)[];
  ask(values: Values, at: Place): Outgoing;
  read(reply: LegacyReply, values: Values): Answer;
}

function way<Asked>(
  name: PassedName,
  question: Question<Asked> | undefined,
  members: readonly (keyof Values)[],
  askedOf: (values: Values) => Asked,
): Way[] {
  if (question === undefined) return [];
  return [
    {
      ...{ name, members },
      ask: (values, at) => question.ask(askedOf(values), at),
      read: (reply, values) => question.read(reply, askedOf(values)),
    },
  ];
}

/** An endpoint can answer several questions: the one with more values comes first. */
function waysOf(api: LegacyApi): Way[] {
  return [
    ...way('signIn', api.signIn, ['login', 'password'], ({ login = '', password = '' }) => ({
      login,
      password,
    })),
    ...way('code', api.code, ['email', 'code'], ({ email = '', code = '' }) => ({ email, code })),
    ...way('social', api.social, ['provider', 'idToken'], ({ provider = '', idToken = '', email = '' }) => ({
      ...{ provider, idToken, email },
    })),
    ...way('refresh', api.refresh, ['refreshToken'], ({ refreshToken = '' }) => ({ refreshToken })),
    ...way('register', api.register, ['email', 'password'], ({ email = '', password = '' }) => ({
      email,
      password,
    })),
    ...way('signOut', api.signOut, ['token'], ({ token = '', refreshToken = '' }) => ({
      token,
      refreshToken,
    })),
    ...way('person', withClaims(api.person), ['token'], ({ token = '' }) => ({ token })),
  ];
}

/** `patternOf`: which endpoint a question goes to. Undefined: nothing that could be learned from. */
export async function passedQuestion(
  api: LegacyApi,
  { request, reply, pattern }: Pick<PassedExchange, 'request' | 'reply' | 'pattern'>,
  at: Place & { patternOf(outgoing: Outgoing): string | undefined },
): Promise<PassedQuestion | undefined> {
  let fields: Fields | undefined;
  for (const { name, members, ask, read } of waysOf(api)) {
    const marked = ask(MARKS, at);
    if (marked.method !== request.method || at.patternOf(marked) !== pattern) continue;
    fields ??= await fieldsOf(request);
    const values = valuesIn(marked, members, { headers: request.headers, fields });
    if (values !== undefined) return { name, values, answer: read(legacyReply(reply), values) };
  }
  return undefined;
}

type Fields = Record<string, unknown>;

/** Undefined: one of the values is not there. */
function valuesIn(
  { headers = {}, json, form }: Outgoing,
  members: readonly (keyof Values)[],
  sent: { readonly headers: readonly string[]; readonly fields: Fields },
): Values | undefined {
  const places = [
    ...Object.entries(headers).map(([name, text]) => ({
      text,
      value: headerOf(sent.headers, name.toLowerCase()),
    })),
    ...leavesOf(json ?? form ?? {}).map(({ path, text }) => ({ text, value: memberAt(sent.fields, path) })),
  ];
  const found = members.map((member): [string, string | undefined] => {
    const mark = MARKS[member];
    const place = places.find(({ text }) => text.includes(mark));
    return [member, place && valueAround(place.text, mark, place.value)];
  });
  if (found.some(([, value]) => value === undefined || value === '')) return undefined;
  return Object.fromEntries(found);
}

/** 'Bearer abc' by 'Bearer <mark>' is 'abc'. */
function valueAround(template: string, mark: string, value: unknown): string | undefined {
  const [before = '', after = ''] = template.split(mark);
  if (typeof value !== 'string' || value.length < before.length + after.length) return undefined;
  const same = value.slice(0, before.length).toLowerCase() === before.toLowerCase();
  return same && value.endsWith(after) ? value.slice(before.length, value.length - after.length) : undefined;
}

interface Leaf {
  readonly path: readonly string[];
  readonly text: string;
}

function leavesOf(value: unknown, path: readonly string[] = []): Leaf[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => leavesOf(member, [...path, name]));
}

/** Whatever cannot be read has no fields: nothing is learned from it. */
async function fieldsOf({ headers, body }: PassedRequest): Promise<Fields> {
  const type = headerOf(headers, 'content-type') ?? '';
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    return formFields(new URLSearchParams(body.toString()), 'nested');
  }
  if (/^multipart\/form-data\b/i.test(type)) {
    return formFields((await multipartEntries(body, type)) ?? [], 'nested');
  }
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

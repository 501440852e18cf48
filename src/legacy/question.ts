/**
 * One question on the wire: the request that a dialect's own words make of it, and what the reply is taken for.
 * Whatever is not the documented yes or the vendor's own no is away.
 */
import { hostOf } from '../core/ip-address.ts';
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { Answer, Bearer, LegacyReply, Outgoing, Question } from '../dialects/contract/legacy-api.ts';
import { jwtClaims } from '../dialects/runtime/jwt-claims.ts';
import { compileMount, findRoute } from '../dialects/runtime/match-route.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import type { RequestContext } from '../identity/context.ts';
import type { Outcome } from './breaker.ts';
import { headerOf, type WireReply, type WireRequest } from './call.ts';
import type { Away } from './line.ts';

/** What the dialect's `read` makes of a reply, but for what is no answer at all. */
export type Read = Exclude<Answer, { readonly later: unknown } | { readonly odd: unknown }>;

/** Seconds that a legacy system may ask for patience. */
const LONGEST_PATIENCE = 3600;

export interface Prepared {
  readonly request: WireRequest;
  /** Of the dialect's table, for people. */
  readonly route: string;
}

/** Undefined: the dialect has no such endpoint, so nothing is sent. */
export type Prepare = <Asked>(
  question: Question<Asked>,
  asked: Asked,
  at: { readonly organization: OrganizationView; readonly context: RequestContext },
) => Prepared | undefined;

export function createPrepare(mounted: MountedDialect): Prepare {
  const { settings } = mounted;
  const place = placeOf(mounted);
  return (question, asked, { organization, context }) => {
    const outgoing = question.ask(asked, { settings, organization });
    const pattern = place.patternOf(outgoing);
    if (pattern === undefined) return undefined;
    const request = wireRequest(`${place.base}${outgoing.path}`, outgoing, context);
    return { request, route: `${outgoing.method} ${pattern}` };
  };
}

export type Judged = Read | (Away & { readonly later?: true });

export function judged<Asked>(
  reply: WireReply,
  question: Question<Asked>,
  asked: Asked,
): { result: Judged; outcome: Outcome } {
  const odd = (away: string) => ({ result: { away }, outcome: 'odd' as const });
  if (reply.status >= 300 && reply.status < 400) return odd('a redirect');
  const answer = question.read(legacyReply(reply), asked);
  if (answer === 'no') return { result: answer, outcome: 'good' };
  if ('yes' in answer) return { result: answer, outcome: 'good' };
  if ('odd' in answer) return odd(answer.odd);
  const retryAfter = Math.min(Math.max(answer.later ?? 5, 1), LONGEST_PATIENCE);
  return { result: { away: 'it has no time', retryAfter, later: true }, outcome: 'later' };
}

/** Where the vendor's routes are there, and which of them a request means. */
export function placeOf({ dialect, settings, legacy }: MountedDialect) {
  const mounts = dialect
    .mounts(settings)
    .filter(({ base, hosts }) => !base.includes(':') && hosts === undefined);
  const compiled = mounts.map((mount) => compileMount(dialect.name, mount));
  const [first] = mounts;
  const own = first?.base ?? '';
  return {
    base: legacy?.base ?? own,
    /** Undefined: the dialect has no such endpoint. */
    patternOf({ method, path }: Outgoing): string | undefined {
      const [bare = ''] = path.split('?', 1);
      const route = findRoute(compiled, { method, path: own + bare, host: '' });
      return route?.kind === 'endpoint' ? route.endpoint.path : undefined;
    },
  };
}

function wireRequest(target: string, outgoing: Outgoing, { address }: RequestContext): WireRequest {
  const { method, headers = {}, json, form } = outgoing;
  const sent = bodyOf(json, form);
  const client = address === 'unknown' ? [] : ['X-Forwarded-For', hostOf(address)];
  return {
    ...{ method, target },
    headers: [
      ...['Accept', 'application/json'],
      ...Object.entries(headers).flat(),
      ...(sent === undefined ? [] : ['Content-Type', sent.type]),
      ...client,
    ],
    body: sent?.bytes,
  };
}

function bodyOf(json: Outgoing['json'], form: Outgoing['form']): { type: string; bytes: Buffer } | undefined {
  if (json !== undefined) return { type: 'application/json', bytes: Buffer.from(JSON.stringify(json)) };
  if (form === undefined) return undefined;
  const bytes = Buffer.from(new URLSearchParams(form).toString());
  return { type: 'application/x-www-form-urlencoded', bytes };
}

/** The vendor's yes to a token makes what the token says believable. */
export function withClaims(question: Question<Bearer>): Question<Bearer> {
  return {
    ask: question.ask,
    read: (reply, asked) => question.read(reply, { claims: jwtClaims(asked.token), ...asked }),
  };
}

/** The member of nested tables and lists at the path; undefined: there is none. */
export function memberAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, name) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? Reflect.get(at, name) : undefined,
    value,
  );
}

/** A reply that does not call itself JSON is not read as such. */
export function legacyReply({ status, headers, body }: WireReply): LegacyReply {
  const header = (name: string) => headerOf(headers, name);
  const isJson = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(header('content-type') ?? '');
  return { status, header, json: isJson ? parsed(body) : undefined };
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

/** `pointer`: RFC 6901. */
export function textAt(claims: unknown, pointer: string): string | undefined {
  const names = pointer
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const value = memberAt(claims, names);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/**
 * A question to a legacy system in its own words, and what its reply means. Whatever is not the documented yes or the
 * vendor's own no is away. Only GET is tried a second time.
 */

import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { Answer, LegacyApi, LegacyReply, Outgoing, Question } from '../dialects/contract/legacy-api.ts';
import { compileMount, findRoute } from '../dialects/runtime/match-route.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import type { RequestContext } from '../identity/context.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Outcome } from './breaker.ts';
import { headerOf, type WireReply, type WireRequest } from './call.ts';
import type { Away, Line } from './line.ts';

export type QuestionName = Exclude<keyof LegacyApi, 'tokenForm'>;

/** What the dialect's `read` makes of a reply, but for what is no answer at all. */
export type Read = Exclude<Answer, { readonly later: unknown } | { readonly odd: unknown }>;

export type Asker = <Asked>(
  name: QuestionName,
  question: Question<Asked>,
  asked: Asked,
  about: About,
) => Promise<Read | Away>;

export interface About {
  readonly organization: OrganizationView;
  readonly context: RequestContext;
  /** Of `performance.now()`: when no answer is waited for any longer. */
  readonly deadline: number;
}

/** Seconds that a legacy system may ask for patience. */
const LONGEST_PATIENCE = 3600;

export function createAsker(options: {
  readonly mounted: MountedDialect;
  readonly line: Line;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'legacyCall'>;
}): Asker {
  const { mounted, line, log, metrics } = options;
  const { settings, dialect, legacy } = mounted;
  const place = placeOf(mounted);

  return async (name, question, asked, { organization, context, deadline }) => {
    const outgoing = question.ask(asked, { settings, organization });
    const pattern = place.patternOf(outgoing);
    if (pattern === undefined) return { away: 'a path that is not in the table of the dialect' };
    const request = wireRequest(`${place.base}${outgoing.path}`, outgoing, context);
    const started = performance.now();
    const call = () =>
      line.call({ ...request, timeout: deadline - performance.now() }, (reply) =>
        judged(reply, question, asked),
      );
    let answer = await call();
    // The connection may have been closed while nothing went over it.
    const isBroken = 'away' in answer && answer.made && performance.now() < deadline;
    if (outgoing.method === 'GET' && isBroken) answer = await call();
    const result = 'result' in answer ? answer.result : answer;
    const kind = kindOf(answer);
    const labels = { dialect: dialect.name, question: name, answer: kind };
    metrics.legacyCall({
      ...labels,
      ...(kind !== 'not-made' && { seconds: (performance.now() - started) / 1000 }),
    });
    if (kind === 'odd' && result !== 'no' && 'away' in result) {
      const { host } = new URL(legacy?.url ?? '');
      const about = { host, path: `${outgoing.method} ${pattern}`, reason: result.away };
      log.warn({ dialect: dialect.name, question: name, ...about }, 'the legacy system gave no answer');
    }
    return withoutTrace(result);
  };
}

type Judged = Read | (Away & { readonly later?: true });

function judged<Asked>(
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

function kindOf(
  answer: { readonly result: Judged } | (Away & { readonly made: boolean }),
): 'yes' | 'no' | 'later' | 'odd' | 'not-made' {
  if (!('result' in answer)) return answer.made ? 'odd' : 'not-made';
  const { result } = answer;
  if (result === 'no') return 'no';
  if ('yes' in result) return 'yes';
  return result.later ? 'later' : 'odd';
}

function withoutTrace(result: Judged | (Away & { readonly made?: boolean })): Read | Away {
  if (result === 'no' || 'yes' in result) return result;
  const { away, retryAfter } = result;
  return { away, ...(retryAfter !== undefined && { retryAfter }) };
}

/* ------------------------------------------------------------------ on the wire */

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
      const route = findRoute(compiled, { method, path: own + path, host: '' });
      return route?.kind === 'endpoint' ? route.endpoint.path : undefined;
    },
  };
}

function wireRequest(target: string, outgoing: Outgoing, { address }: RequestContext): WireRequest {
  const { method, headers = {}, json, form } = outgoing;
  const sent = bodyOf(json, form);
  // An IPv6 client is known as its /64.
  const client = address === 'unknown' ? [] : ['X-Forwarded-For', address.replace(/\/64$/, '')];
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

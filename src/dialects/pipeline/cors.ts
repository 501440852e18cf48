/** Which other origins may call a dialect from a browser: its own rules, the server's, or none. */
import type Koa from 'koa';
import type { CorsRules } from '../contract/reply.ts';

export type DialectCors = ReturnType<Extract<CorsRules, (...settings: never) => unknown>>;

/** The origin that the rules admit, if this is one. */
function admitted(context: Koa.Context, { origins }: DialectCors): string | undefined {
  const origin = context.get('origin');
  return origin !== '' && (origins === 'any' || origins.includes(origin)) ? origin : undefined;
}

/** On every reply, refusals included: a browser client reads its 401 too. */
export function setCorsHeaders(context: Koa.Context, rules: DialectCors): void {
  const origin = admitted(context, rules);
  // A list of origins makes the reply depend on the header: a cache must know, also where it is not listed.
  const listed = rules.origins !== 'any' && rules.origins.length > 0 && context.get('origin') !== '';
  if (origin !== undefined || listed) context.vary('Origin');
  if (origin === undefined) return;
  context.set('Access-Control-Allow-Origin', origin);
  if (rules.credentials) context.set('Access-Control-Allow-Credentials', 'true');
  if (rules.exposed.length > 0) context.set('Access-Control-Expose-Headers', rules.exposed.join(', '));
}

/** Whether the rules answer this request. A browser always says where a preflight comes from. */
export function isPreflight(context: Koa.Context, rules: DialectCors): boolean {
  return context.method === 'OPTIONS' && (rules.onlyWithOrigin !== true || context.get('origin') !== '');
}

/** 204, with the rules where the origin is admitted. */
export function answerPreflight(context: Koa.Context, rules: DialectCors): void {
  context.status = 204;
  if (admitted(context, rules) === undefined) return;
  context.set('Access-Control-Allow-Methods', rules.methods.join(','));
  context.set('Access-Control-Allow-Headers', rules.headers.join(','));
  if (rules.maxAge !== undefined) context.set('Access-Control-Max-Age', String(rules.maxAge));
}

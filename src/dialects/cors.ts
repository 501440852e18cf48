/** Which other origins may call a dialect from a browser: its own rules, the server's, or none. */
import type Koa from 'koa';
import type { Cors } from '../http/cors.ts';
import type { CorsRules } from './dialect.ts';

type OwnRules = ReturnType<Extract<CorsRules, (...settings: never) => unknown>>;

function admits({ origins }: OwnRules, origin: string | undefined): origin is string {
  return origin !== undefined && (origins === 'any' || origins.includes(origin));
}

function ownCors(rules: OwnRules): Cors {
  const reply = (origin: string | undefined): Record<string, string> => {
    // A list of origins makes the reply depend on the header: a cache must know, also when it is refused.
    const listed: Record<string, string> =
      rules.origins === 'any' || origin === undefined ? {} : { Vary: 'Origin' };
    if (!admits(rules, origin)) return listed;
    return {
      Vary: 'Origin',
      'Access-Control-Allow-Origin': origin,
      ...(rules.credentials ? { 'Access-Control-Allow-Credentials': 'true' } : {}),
      ...(rules.exposed.length > 0 ? { 'Access-Control-Expose-Headers': rules.exposed.join(', ') } : {}),
    };
  };
  return {
    reply,
    preflight(origin) {
      if (!admits(rules, origin)) return reply(origin);
      return {
        ...reply(origin),
        'Access-Control-Allow-Methods': rules.methods.join(','),
        'Access-Control-Allow-Headers': rules.headers.join(','),
        ...(rules.maxAge === undefined ? {} : { 'Access-Control-Max-Age': String(rules.maxAge) }),
      };
    },
  };
}

/** Undefined: OPTIONS is a method like any other, and no reply names an origin. */
export function corsOf<Settings>(
  rules: CorsRules<Settings>,
  settings: Settings,
  server: Cors,
): Cors | undefined {
  if (rules === 'none') return undefined;
  return rules === 'server' ? server : ownCors(rules(settings));
}

function originOf(context: Koa.Context): string | undefined {
  const origin = context.get('origin');
  return origin === '' ? undefined : origin;
}

/** On every reply, refusals included: a browser client reads its 401 too. */
export function setCorsHeaders(context: Koa.Context, cors: Cors): void {
  context.set(cors.reply(originOf(context)));
}

export function answerPreflight(context: Koa.Context, cors: Cors): void {
  context.status = 204;
  context.set(cors.preflight(originOf(context)));
}

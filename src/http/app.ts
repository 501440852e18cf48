/**
 * What every request passes, in order. This folder owns the way from the socket to the handler:
 * reading, guarding, errors, headers, pages' plumbing. What a page does is in pages/, what a vendor's
 * route does in dialects/, what an OIDC route does in oidc/; all are handed in here.
 */
import type { RequestListener } from 'node:http';
import Koa, { type Context, type Middleware } from 'koa';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import { Refused } from '../core/refused.ts';
import { isOfConnection } from '../observe/connection-errors.ts';
import type { Log } from '../observe/log.ts';
import type { OidcServer } from '../oidc/contract.ts';
import type { Stores } from '../store/ports/stores.ts';
import { createFastLane, type FastLane } from './fast-lane.ts';
import { respondWithError } from './middleware/error-handler.ts';
import { health } from './middleware/health.ts';
import { providerBodies } from './middleware/provider-body-limit.ts';
import { createRequestLog, type Observation, requestLog } from './middleware/request-log.ts';
import { requestTarget } from './middleware/request-target.ts';
import { replyHeaders, securityHeaders } from './middleware/security-headers.ts';
import type { StaticFiles } from './middleware/static-files.ts';
import { createOriginReader, trustedProxies } from './middleware/trusted-proxies.ts';
import type { UnfinishedRequests } from './middleware/unfinished-requests.ts';
import { serveBrandSheets } from './views/brand-stylesheet.ts';
import type { Views } from './views/render.ts';

export interface AppDeps {
  readonly config: Pick<Config, 'http'>;
  /** With its real port. */
  readonly issuer: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly stores: Pick<Stores, 'health'>;
  readonly oidc: Pick<OidcServer, 'handle' | 'methods' | 'isForPrograms' | 'bounds'>;
  readonly views: Views;
  readonly files: StaticFiles;
  readonly pages: Middleware;
  readonly dialects: Middleware | undefined;
  /** The demo application, the mailbox, the API documentation; absent in production. */
  readonly development: readonly Middleware[];
  /** False from the moment a stop was asked for. */
  readonly accepting: () => boolean;
  readonly observe?: (request: Observation) => void;
  readonly unfinished: UnfinishedRequests;
}

/** `fastLane` takes requests to the routes of the fast path (oidc/fast-path), `answer` all others. */
export function createApp(deps: AppDeps): { answer: RequestListener; fastLane: FastLane } {
  const { config, log, views, clock, observe, unfinished } = deps;
  const begin = createRequestLog({ log, clock, unfinished, ...(observe && { observe }) });
  const readOrigin = createOriginReader(config.http.trustedProxies, certificateHeaders(config.http));
  const headers = replyHeaders({ https: deps.issuer.startsWith('https:'), hsts: config.http.hsts });
  const app = new Koa();
  app.on('error', (error) => {
    if (!isOfConnection(error)) log.error({ err: error }, 'reply failed');
  });

  for (const step of [
    requestLog(begin),
    securityHeaders(headers),
    respondWithError({ log, views }),
    refuseProgramsInJson(deps.oidc),
    requestTarget,
    trustedProxies(readOrigin),
    health(deps),
    // Vendors have their own words for methods that they do not serve.
    ...(deps.dialects === undefined ? [] : [deps.dialects]),
    servedMethods,
    deps.files.serve,
    serveBrandSheets,
    deps.pages,
    ...deps.development,
    onlyProviderRoutes(deps.oidc),
    providerBodies(deps.oidc),
    provider(deps.oidc),
  ]) {
    app.use(step);
  }
  const answer = app.callback();
  return { answer, fastLane: createFastLane({ begin, readOrigin, headers }, answer) };
}

function certificateHeaders({ clientCertificate }: Config['http']): string[] {
  return [clientCertificate.header, clientCertificate.verifiedHeader].filter((name) => name !== null);
}

/** A program may ask for JSON, and at introspection for a JWT instead (RFC 9701). */
const FOR_PROGRAMS = /^\s*application\/(?:json|token-introspection\+jwt)\b/i;

/**
 * Programs get JSON whatever they accept: the errors of OAuth have no other form (RFC 6749, 5.2), and what Java sends
 * unasked prefers text/html. The provider and error-handler.ts both go by Accept.
 */
function jsonForPrograms(oidc: Pick<OidcServer, 'isForPrograms'>, { path, req }: Context): void {
  if (!oidc.isForPrograms(path)) return;
  const asked = (req.headers.accept ?? '').split(',').filter((type) => FOR_PROGRAMS.test(type));
  req.headers.accept = [...asked, `application/json${asked.length > 0 ? ';q=0.001' : ''}`].join(',');
}

/** For what is refused before the provider. */
function refuseProgramsInJson(oidc: Pick<OidcServer, 'isForPrograms'>): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      jsonForPrograms(oidc, ctx);
      throw error;
    }
  };
}

const SERVED = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** TRACE echoes a request with its cookies; no route answers it. */
const servedMethods: Middleware = (ctx, next) => {
  if (!SERVED.has(ctx.method)) throw new Refused('method-not-allowed', { allow: [...SERVED] });
  return next();
};

function onlyProviderRoutes(oidc: Pick<OidcServer, 'methods'>): Middleware {
  return (ctx, next) => {
    const allow = oidc.methods(ctx.path);
    if (allow === undefined) throw new Refused('not-found');
    if (!allow.includes(ctx.method)) throw new Refused('method-not-allowed', { allow });
    return next();
  };
}

function provider(oidc: Pick<OidcServer, 'handle' | 'isForPrograms'>): Middleware {
  return async (ctx) => {
    ctx.respond = false;
    jsonForPrograms(oidc, ctx);
    // One route each: '/authorize/<uid>', '/device/<uid>', '/register/<client>'. People type codes behind /device/.
    ctx.state.route = ctx.path.replace(/^\/(authorize|device|register)\/.*/, '/$1/:uid');
    // Koa's own default, which the provider would take for an answer.
    ctx.res.statusCode = 404;
    await oidc.handle(ctx.req, ctx.res);
  };
}

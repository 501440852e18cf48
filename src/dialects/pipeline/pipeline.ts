/**
 * Takes a request to the dialect that its URL means, runs the checks in that dialect's order,
 * lets the endpoint answer, and says a refusal in the vendor's words. Everything here is the same for all
 * vendors; what differs is data (dialect.ts). The checks are in steps.ts, what an endpoint may do is in
 * capabilities/. A second way round a check does not exist: a dialect whose order lacks one stops the start.
 */
import type Koa from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import { setCookie } from '../../http/request/set-cookie.ts';
import { type Dialect, Refused } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { Reply } from '../contract/reply.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { NO_ORGANIZATION } from '../runtime/directory.ts';
import { findRoute, type RouteMatch } from '../runtime/match-route.ts';
import type { MountedDialect } from '../runtime/mounted.ts';
import { type DialectRequest, newDialectRequest, requestView } from '../runtime/request-context.ts';
import { auditRefusal } from './audit-refusal.ts';
import { answerPreflight, type DialectCors, isPreflight, setCorsHeaders } from './cors.ts';
import { runStep, useOf } from './steps.ts';
import { refusedFrom, retryAfterOf } from './to-refusal.ts';
import { checkDialects } from './validate.ts';

export interface DialectsOptions extends DialectServices {
  /** Those that are switched on. */
  readonly dialects: readonly Dialect[];
}

/** Throws DialectsRefused, with everything that is wrong, before the first request. */
export function mountDialects(options: DialectsOptions): Koa.Middleware {
  const { mounts } = checkDialects({
    dialects: options.dialects,
    settings: options.config.dialects,
    reserved: (path) => options.oidc.methods(path) !== undefined,
  });
  return async (context, next) => {
    const { host } = requestInfoOf(context);
    const result = findRoute(mounts, { method: context.method, path: context.path, host });
    if (result === undefined) return next();
    await serve({ context, result, services: options });
  };
}

interface Served {
  readonly context: Koa.Context;
  readonly result: RouteMatch<MountedDialect>;
  readonly services: DialectServices;
}

interface Outcome {
  readonly reply: Reply;
  readonly refusal?: Refused;
}

async function serve({ context, result, services }: Served): Promise<void> {
  const { dialect, settings } = result.at.owner;
  const { base } = result.at.mount;
  context.state.route = base + (result.kind === 'endpoint' ? result.endpoint.path : '/*');
  const request = requestView(context, { base: result.base, issuer: services.issuer });
  context.set('Cache-Control', 'no-store');
  const cors = corsOf(result.at.owner, services);
  if (cors !== undefined) setCorsHeaders(context, cors);
  if (cors !== undefined && result.kind !== 'unknown' && isPreflight(context, cors)) {
    return answerPreflight(context, cors);
  }

  const exchange =
    result.kind === 'endpoint' ? newDialectRequest({ context, result, request, services }) : undefined;
  const { reply, refusal } = exchange ? await answer(exchange) : unserved(result, request);

  const charged = exchange?.charged ?? [];
  const info = { request, settings, endpoint: exchange?.endpoint, charged, status: reply.status };
  for (const [name, value] of Object.entries(dialect.headers?.(info) ?? {})) context.set(name, value);
  const retryAfter = refusal && retryAfterOf(refusal);
  if (retryAfter !== undefined) context.set('Retry-After', String(retryAfter));
  // A client that sends more than is read and dropped must not find the rest taken for its next request.
  if (refusal?.reason === 'too-large' && !context.req.complete) context.set('Connection', 'close');
  await sendReply({ context, reply, services, organization: exchange?.organization?.id });
}

/** Undefined: OPTIONS is a method like any other, and no reply names an origin. */
function corsOf(
  { dialect, settings }: MountedDialect,
  { serverCors }: DialectServices,
): DialectCors | undefined {
  if (dialect.cors === 'none') return undefined;
  return dialect.cors === 'server' ? serverCors : dialect.cors(settings);
}

async function sendReply(options: {
  readonly context: Koa.Context;
  readonly reply: Reply;
  readonly services: DialectServices;
  readonly organization: string | undefined;
}): Promise<void> {
  const { context, reply, services, organization } = options;
  const { status, body } = reply;
  if ('page' in body) {
    await services.showPage(context, { status, view: body.page, data: body.data, organization });
  } else {
    context.body = 'json' in body ? JSON.stringify(body.json) : null;
    if ('json' in body) context.type = 'application/json; charset=utf-8';
    // Koa takes a body of null for 204.
    context.status = status;
  }
  for (const [name, value] of Object.entries(reply.headers ?? {})) context.set(name, value);
  for (const cookie of reply.cookies ?? []) setCookie(context, cookie);
}

/** A path that is the dialect's, but that it does not serve, or not for this method. */
function unserved(result: RouteMatch<MountedDialect>, request: RequestView): Outcome {
  const { at } = result;
  const notAllowed = result.kind === 'other-method' && at.mount.otherMethods === 'method-not-allowed';
  const allow = result.kind === 'other-method' ? [...new Set(result.allow)] : [];
  const refusal = new Refused(notAllowed ? 'method-not-allowed' : 'not-found', { allow });
  const reply = wordsFor(at.owner, refusal, { request, endpoint: undefined, credential: undefined });
  if (!notAllowed) return { reply, refusal };
  return { refusal, reply: { ...reply, headers: { ...reply.headers, allow: allow.join(', ') } } };
}

function wordsFor(
  { dialect, settings }: MountedDialect,
  refusal: Refused,
  about: Pick<DialectRequest, 'request' | 'credential'> & {
    endpoint: DialectRequest['endpoint'] | undefined;
  },
): Reply {
  return dialect.refusals[refusal.reason]({
    reason: refusal.reason,
    issues: refusal.issues,
    retryAfter: retryAfterOf(refusal),
    allow: refusal.allow,
    request: about.request,
    settings,
    endpoint: about.endpoint,
    credential: about.credential,
  });
}

/** The pipeline: the dialect's checks, the shared counter of the client address, the work. */
async function work(exchange: DialectRequest): Promise<Reply> {
  const { endpoint, mounted, params, request } = exchange;
  for (const step of endpoint.order ?? mounted.dialect.order) await runStep(exchange, step);
  await holdSharedAddress(exchange);
  const { body, query, caller } = exchange;
  const organization = exchange.organization ?? NO_ORGANIZATION;
  const info = {
    body,
    query,
    params,
    caller,
    request,
    settings: mounted.settings,
    organization,
  };
  return endpoint.answer(info, useOf(exchange));
}

/** For endpoints whose `use` does not do it itself: design.md, Attempts, the second row. */
async function holdSharedAddress({ endpoint, services, request, later }: DialectRequest): Promise<void> {
  if (endpoint.counts !== 'address') return;
  const hold = await services.identity.attempts.beginAt(request.address);
  later.push({
    hold,
    isDue: (reason) => reason !== undefined && endpoint.chargesAddress?.includes(reason) === true,
  });
}

/** Never rejects: what goes wrong is the refusal 'internal', or 'unavailable'. */
async function answer(exchange: DialectRequest): Promise<Outcome> {
  const { log } = exchange.services;
  let outcome: Outcome;
  try {
    outcome = { reply: await work(exchange) };
  } catch (thrown) {
    outcome = sayRefusal(exchange, refusedFrom(thrown, log));
  }
  try {
    await settle(exchange, outcome.refusal);
    return outcome;
  } catch (thrown) {
    // A failure that could not be counted must not pass for one that was.
    return sayRefusal(exchange, refusedFrom(thrown, log));
  }
}

function sayRefusal(exchange: DialectRequest, refusal: Refused): Outcome {
  return { reply: wordsFor(exchange.mounted, refusal, exchange), refusal };
}

/** Counters that depend on the outcome, and the audit line of a refusal. */
async function settle(exchange: DialectRequest, refusal: Refused | undefined): Promise<void> {
  if (refusal !== undefined) auditRefusal(exchange, refusal);
  if (refusal?.reason === 'too-many-requests')
    await Promise.all(exchange.giveBack.map((giveBack) => giveBack()));
  await Promise.all(
    exchange.later.map(({ hold, isDue }) => (isDue(refusal?.reason) ? hold.charge() : hold.release())),
  );
}

/**
 * Takes a request to the dialect that its URL means, runs the checks in that dialect's order,
 * lets the endpoint answer, and says a refusal in the vendor's words. Everything here is the same for all
 * vendors; what differs is data (dialect.ts). The checks are in steps.ts, what an endpoint may do is in
 * capabilities/. A second way round a check does not exist: a dialect whose order lacks one stops the start.
 */
import type Koa from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import { setCookie } from '../../http/request/set-cookie.ts';
import { refusedAlike } from '../../identity/legacy/refused-alike.ts';
import type { Stage } from '../../migration/stage-record.ts';
import { type Dialect, Refused } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { RefusalView, Reply } from '../contract/reply.ts';
import type { AnsweredRequest } from '../runtime/answered-request.ts';
import { type CurrentRequest, currentRequest, requestView } from '../runtime/current-request.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { NO_ORGANIZATION } from '../runtime/directory.ts';
import { endpointName, findRoute, type RouteMatch } from '../runtime/match-route.ts';
import type { MountedDialect } from '../runtime/mounted.ts';
import { brownOutOf } from './brown-out.ts';
import { answerPreflight, type DialectCors, isPreflight, setCorsHeaders } from './cors.ts';
import { askToo, passOn } from './proxy.ts';
import { auditRefusal, refusedFrom, retryAfterOf } from './refusals.ts';
import { runStep, useOf } from './steps.ts';
import { checkDialects } from './validate.ts';

/** `dialects`: those that are switched on. Throws DialectsRefused, with everything that is wrong, before the first request. */
export function mountDialects(services: DialectServices & { readonly dialects: readonly Dialect[] }) {
  const { mounts } = checkDialects({
    dialects: services.dialects,
    settings: services.config.dialects,
    reserved: (path) => services.oidc.methods(path) !== undefined,
  });
  const middleware: Koa.Middleware = async (koa, next) => {
    const { host } = requestInfoOf(koa);
    const route = findRoute(mounts, { method: koa.method, path: koa.path, host });
    await (route === undefined ? next() : serve(koa, route, services));
  };
  return { middleware, mounts };
}

export interface Outcome {
  readonly reply: Reply;
  readonly refusal?: Refused | undefined;
}

async function serve(
  koa: Koa.Context,
  route: RouteMatch<MountedDialect>,
  services: DialectServices,
): Promise<void> {
  const { owner, mount } = route.at;
  koa.state.route = mount.base + (route.kind === 'endpoint' ? route.endpoint.path : '/*');
  const { req, res, path, querystring: query } = koa;
  const info = requestInfoOf(koa);
  const request = requestView(req, info, { path, query, base: route.base, issuer: services.issuer });
  const { legacyTraffic, after } = services;
  const brownOut = owner.deprecation && (await brownOutOf(route, request, services));
  const passed =
    brownOut ??
    (legacyTraffic && owner.legacy && (await passOn({ koa, route, request, services }, legacyTraffic)));
  if (passed === 'answered') return;
  koa.set('Cache-Control', 'no-store');
  const cors = corsOf(owner, services);
  if (cors !== undefined) setCorsHeaders(koa, cors);
  if (cors !== undefined && route.kind !== 'unknown' && isPreflight(koa, cors)) {
    koa.set(owner.announced ?? {});
    return answerPreflight(koa, cors);
  }

  const current =
    route.kind === 'endpoint' ? currentRequest({ req, res, info }, route, request, services) : undefined;
  const outcome = passed?.refusal
    ? { reply: wordsFor(owner, passed.refusal, current ?? { request }), refusal: passed.refusal }
    : current
      ? await answer(current, passed?.body)
      : unserved(route, request);
  const { reply, refusal } = outcome;

  const headers = headersOf(owner, { request, current, reply, refusal });
  koa.set(headers);
  // A client that sends more than is read and dropped must not find the rest taken for its next request.
  if (refusal?.reason === 'too-large' && !koa.req.complete) koa.set('Connection', 'close');
  await sendReply(koa, reply, { services, organization: current?.organization?.id });
  const told = answeredHere(owner, request, { ...outcome, current, stage: passed?.stage });
  after?.(brownOut ? { ...told, isBrownOut: true, organization: brownOut.organization } : told);
  if (legacyTraffic !== undefined && passed?.stage === 'primary')
    void askToo({ koa, route, request, services, stage: passed.stage }, legacyTraffic, {
      ...outcome,
      headers: { ...headers, ...reply.headers },
    });
}

/** What is told of a request that Portico answered. */
export function answeredHere(
  { dialect }: MountedDialect,
  request: RequestView,
  said: Outcome & { readonly current: CurrentRequest | undefined; readonly stage?: Stage | undefined },
): AnsweredRequest {
  const { reply, refusal, current, stage } = said;
  return {
    dialect: dialect.name,
    endpoint: current && endpointName(current.endpoint),
    organization: current?.organization?.id,
    userAgent: request.header('user-agent'),
    stage,
    answeredBy: 'portico',
    status: reply.status,
    refusal,
    accountId: current?.caller?.account?.id ?? current?.signedIn,
  };
}

/** What the dialect says beside every reply, and when to come again. */
export function headersOf(
  { dialect, settings, announced }: MountedDialect,
  said: Outcome & { readonly request: RequestView; readonly current: CurrentRequest | undefined },
): Record<string, string> {
  const { request, current, reply, refusal } = said;
  const { endpoint, charged = [] } = current ?? {};
  const retryAfter = refusal && retryAfterOf(refusal);
  return {
    ...announced,
    ...dialect.headers?.({ request, settings, endpoint, charged, status: reply.status }),
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
  };
}

/** Undefined: OPTIONS is a method like any other, and no reply names an origin. */
function corsOf(
  { dialect, settings }: MountedDialect,
  { serverCors }: DialectServices,
): DialectCors | undefined {
  if (dialect.cors === 'none') return undefined;
  return dialect.cors === 'server' ? serverCors : dialect.cors(settings);
}

async function sendReply(
  koa: Koa.Context,
  { status, body, headers, cookies = [] }: Reply,
  by: { readonly services: DialectServices; readonly organization: string | undefined },
): Promise<void> {
  if ('page' in body) {
    const { page: view, data } = body;
    await by.services.showPage(koa, { status, view, data, organization: by.organization });
  } else {
    koa.body = 'json' in body ? JSON.stringify(body.json) : null;
    if ('json' in body) koa.type = 'application/json; charset=utf-8';
    // Koa takes a body of null for 204.
    koa.status = status;
  }
  koa.set({ ...headers });
  for (const cookie of cookies) setCookie(koa, cookie);
}

/** A path that is the dialect's, but that it does not serve, or not for this method. */
function unserved(route: RouteMatch<MountedDialect>, request: RequestView): Outcome {
  const { owner, mount } = route.at;
  const allow = route.kind === 'other-method' ? [...new Set(route.allow)] : [];
  const notAllowed = route.kind === 'other-method' && mount.otherMethods === 'method-not-allowed';
  const refusal = new Refused(notAllowed ? 'method-not-allowed' : 'not-found', { allow });
  const reply = wordsFor(owner, refusal, { request });
  if (!notAllowed) return { reply, refusal };
  return { refusal, reply: { ...reply, headers: { ...reply.headers, allow: allow.join(', ') } } };
}

function wordsFor(
  { dialect, settings }: MountedDialect,
  refusal: Refused,
  { request, endpoint, credential }: Pick<RefusalView, 'request'> & Partial<CurrentRequest>,
): Reply {
  const { reason, issues, allow } = refusal;
  const said = { reason, issues, allow, retryAfter: retryAfterOf(refusal) };
  return dialect.refusals[reason]({ ...said, request, settings, endpoint, credential });
}

/** The pipeline: the dialect's checks, the shared counter of the client address, the work. `known`: as in `answer`. */
async function work(current: CurrentRequest, known: Reply | undefined): Promise<Reply> {
  const { endpoint, mounted, settings, params, request } = current;
  if (known !== undefined) {
    await runStep(current, 'limits');
    return known;
  }
  for (const step of endpoint.order ?? mounted.dialect.order) {
    const unfinished = runStep(current, step);
    if (unfinished !== undefined) await unfinished;
  }
  if (endpoint.counts === 'address') await holdSharedAddress(current);
  const { body, query, caller, organization = NO_ORGANIZATION } = current;
  const info = { body, query, params, caller, request, settings, organization };
  return endpoint.answer(info, useOf(current));
}

/** For endpoints whose `use` does not do it itself: failures from one client address, over all logins. */
async function holdSharedAddress({ endpoint, identity, request, later }: CurrentRequest): Promise<void> {
  const hold = await identity.attempts.beginAt(request.address);
  later.push({
    hold,
    isDue: (reason) => reason !== undefined && endpoint.chargesAddress?.includes(reason) === true,
  });
}

/**
 * Never rejects: what goes wrong is the refusal 'internal', or 'unavailable'. `received`: the body, where it was read before.
 * `known`: the reply that is kept for the request, which the limits may still refuse.
 */
export async function answer(
  current: CurrentRequest,
  received: Buffer | undefined,
  known?: Reply,
): Promise<Outcome> {
  let outcome: Outcome;
  current.received = received;
  try {
    outcome = { reply: await work(current, known) };
  } catch (thrown) {
    outcome = await sayRefusal(current, thrown);
  }
  try {
    await settle(current, outcome.refusal);
    return outcome;
  } catch (thrown) {
    // A failure that could not be counted must not pass for one that was.
    return sayRefusal(current, thrown);
  }
}

async function sayRefusal(current: CurrentRequest, thrown: unknown): Promise<Outcome> {
  const refusal = await alike(current, refusedFrom(thrown, current.services.log));
  return { reply: wordsFor(current.mounted, refusal, current), refusal };
}

/** Of an endpoint that people come in by. */
async function alike(
  { identity, organization, context, endpoint }: CurrentRequest,
  refused: Refused,
): Promise<Refused> {
  if (organization === undefined || endpoint.counts === 'nothing') return refused;
  return refusedAlike(identity, { organization: organization.id, context }, refused);
}

/** Counters that depend on the outcome, and the audit line of a refusal. */
async function settle(current: CurrentRequest, refusal: Refused | undefined): Promise<void> {
  const { giveBack, later } = current;
  const reason = refusal?.reason;
  if (refusal !== undefined) auditRefusal(current, refusal);
  if (reason === 'too-many-requests') await Promise.all(giveBack.map((giveOneBack) => giveOneBack()));
  if (later.length > 0)
    await Promise.all(later.map(({ hold, isDue }) => (isDue(reason) ? hold.charge() : hold.release())));
}

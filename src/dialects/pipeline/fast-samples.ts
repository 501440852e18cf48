/**
 * The two requests that a vendor's clients send most, the sign-in with a password and GET me, on the fast lane: the
 * checks, the work and the words of the pipeline, without Koa around them. Nothing else decides about them.
 */
import { cookieLine } from '../../http/request/set-cookie.ts';
import type { FastAnswer, FastRoute } from '../../oidc/fast-path-contract.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { AnsweredRequest } from '../runtime/answered-request.ts';
import {
  type CurrentRequest,
  currentRequest,
  type Exchange,
  requestView,
} from '../runtime/current-request.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { KeptReplies } from '../runtime/kept-replies.ts';
import { type CompiledMount, findRoute, type RouteMatch } from '../runtime/match-route.ts';
import type { MountedDialect } from '../runtime/mounted.ts';
import { answer, answeredHere, headersOf, type Outcome } from './pipeline.ts';

type Mounts = readonly CompiledMount<MountedDialect>[];
type Call = Extract<RouteMatch<MountedDialect>, { kind: 'endpoint' }>;

/** By method and path. A request whose host decides, or a legacy system, or a brown-out, goes the long way. */
export function fastSamples(mounts: Mounts, services: DialectServices): ReadonlyMap<string, FastRoute> {
  if (mounts.some(({ mount }) => mount.hosts !== undefined)) return new Map();
  const owners = new Set(mounts.map(({ owner }) => owner).filter(({ legacy }) => legacy === undefined));
  const calls = [...owners].flatMap((owner) => callsOf(owner, mounts));
  return new Map(
    calls.map(([path, call]) => [`${call.endpoint.method} ${path}`, route(path, call, services)]),
  );
}

/** Where the dialect's sample asks, with each suffix and without one. */
function callsOf(owner: MountedDialect, mounts: Mounts): (readonly [path: string, call: Call])[] {
  const { sample } = owner.dialect;
  if (sample === undefined) return [];
  const blank = { organization: '', email: '', username: '', password: '' };
  const asked = [
    { method: 'POST', named: sample.signIn(blank, owner.settings).path },
    { method: 'GET', named: sample.me('', owner.settings).path },
  ];
  return asked.flatMap(({ method, named }) => {
    const at = (path: string) => findRoute(mounts, { method, path, host: '' });
    const suffixes = ['', ...(at(named)?.at.mount.suffixes ?? [])];
    const suffix = suffixes.findLast((known) => named.endsWith(known)) ?? '';
    const bare = named.slice(0, named.length - suffix.length);
    return suffixes.flatMap((known) => {
      const call = at(bare + known);
      const isFast = call?.kind === 'endpoint' && call.at.owner === owner && !mayBeRefused(call);
      return isFast ? [[bare + known, call] as const] : [];
    });
  });
}

function mayBeRefused({ endpoint, at }: Call): boolean {
  return endpoint.begins === 'sign-in' && (at.owner.deprecation?.brownouts ?? []).length > 0;
}

function route(path: string, call: Call, services: DialectServices): FastRoute {
  const { base, endpoint } = call;
  const view = { path, query: '', base, issuer: services.issuer };
  const { clock, after } = services;
  const { watch } = services.stores;
  const kept = endpoint.method === 'GET' && watch && new KeptReplies<Answered>(watch, clock);

  async function answerAnew(http: Exchange, received: Received): Promise<FastAnswer> {
    const { req, info } = http;
    const request = requestView(req, info, view);
    const work = (seen: RequestView) => answered({ http, request: seen, call, services }, received);
    const { told, answer } =
      kept && received.known === undefined
        ? await kept.keep({ request: req, info, view: request }, work, isWorthKeeping)
        : await work(request);
    after?.(told);
    return answer;
  }

  return {
    pattern: call.at.mount.base + endpoint.path,
    takes: endpoint.method === 'POST' ? 'json' : 'nothing',
    answer(req, _text, { info, res, body }) {
      const known = kept ? kept.find(req, info) : undefined;
      // Limits count each request, and may refuse it.
      if (known === undefined || endpoint.limits !== undefined)
        return answerAnew({ req, res, info }, { body, known });
      after?.(known.told);
      return known.answer;
    },
  };
}

interface Received {
  readonly body: Buffer | undefined;
  /** The kept answer to the same request. */
  readonly known: Answered | undefined;
}

interface Answered {
  readonly outcome: Outcome;
  readonly told: AnsweredRequest;
  readonly answer: FastAnswer;
  /** What the steps found: limits and headers read it when the answer is given again. */
  readonly found: Pick<CurrentRequest, 'caller' | 'organization' | 'body' | 'query'>;
}

async function answered(
  { http, request, call, services }: Asked,
  { body: bytes, known }: Received,
): Promise<Answered> {
  const { owner } = call.at;
  const current = Object.assign(currentRequest(http, call, request, services), known?.found);
  const outcome = await answer(current, bytes, known?.outcome.reply);
  const told = answeredHere(owner, request, { ...outcome, current });
  const headers = headersOf(owner, { ...outcome, request, current });
  const { caller, organization, body, query } = current;
  return { outcome, told, answer: replied(outcome, headers), found: { caller, organization, body, query } };
}

interface Asked {
  readonly http: Exchange;
  readonly request: RequestView;
  readonly call: Call;
  readonly services: DialectServices;
}

const isWorthKeeping = ({ outcome }: Answered) =>
  outcome.refusal === undefined && outcome.reply.status === 200;

/** Names and values in the order in which Koa sets them. */
function replied({ reply }: Outcome, headers: Record<string, string>): FastAnswer {
  if (!('json' in reply.body)) throw new Error('A sign-in and the me of a dialect are JSON alone.');
  const body = JSON.stringify(reply.body.json);
  const all = {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...reply.headers,
  };
  const cookies = reply.cookies?.flatMap((cookie) => ['Set-Cookie', cookieLine(cookie)]) ?? [];
  const named = [...Object.entries(all).flat(), ...cookies];
  return { status: reply.status, headers: named, caching: 'no-store', body };
}

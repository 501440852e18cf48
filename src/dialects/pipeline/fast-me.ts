/**
 * GET me of each dialect on the fast lane: the checks, the work and the words of the pipeline, without Koa around
 * them. It is the request that a vendor's clients send most, and nothing else decides about it.
 */
import type { FastAnswer, FastRoute } from '../../oidc/fast-path-contract.ts';
import { currentRequest, requestView } from '../runtime/current-request.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { type CompiledMount, findRoute, type RouteMatch } from '../runtime/match-route.ts';
import type { MountedDialect } from '../runtime/mounted.ts';
import { answer, answeredHere, headersOf, type Outcome } from './pipeline.ts';

type Mounts = readonly CompiledMount<MountedDialect>[];
type Me = Extract<RouteMatch<MountedDialect>, { kind: 'endpoint' }>;

/** By method and path. A request whose host decides, or a legacy system, goes the long way. */
export function fastMes(mounts: Mounts, services: DialectServices): ReadonlyMap<string, FastRoute> {
  if (mounts.some(({ mount }) => mount.hosts !== undefined)) return new Map();
  const owners = new Set(mounts.map(({ owner }) => owner).filter(({ legacy }) => legacy === undefined));
  const paths = [...owners].flatMap((owner) => pathsOf(owner, mounts));
  return new Map(paths.map(([path, me]) => [`GET ${path}`, route(path, me, services)]));
}

/** Where the dialect's sample asks, with each suffix and without one. */
function pathsOf(owner: MountedDialect, mounts: Mounts): (readonly [path: string, me: Me])[] {
  const named = owner.dialect.sample?.me('', owner.settings).path ?? '';
  const at = (path: string) => findRoute(mounts, { method: 'GET', path, host: '' });
  const suffixes = ['', ...(at(named)?.at.mount.suffixes ?? [])];
  const suffix = suffixes.findLast((known) => named.endsWith(known)) ?? '';
  const bare = named.slice(0, named.length - suffix.length);
  return suffixes.flatMap((known) => {
    const me = at(bare + known);
    return me?.kind === 'endpoint' && me.at.owner === owner ? [[bare + known, me] as const] : [];
  });
}

function route(path: string, me: Me, services: DialectServices): FastRoute {
  const { base, endpoint } = me;
  const { owner, mount } = me.at;
  const view = { path, query: '', base, issuer: services.issuer };
  return {
    pattern: mount.base + endpoint.path,
    takesForm: false,
    async answer(req, _form, { info, res }) {
      const request = requestView(req, info, view);
      const current = currentRequest({ req, res, info }, me, request, services);
      const outcome = await answer(current, undefined);
      services.after?.(answeredHere(owner, request, { ...outcome, current }));
      return replied(outcome, headersOf(owner, { ...outcome, request, current }));
    },
  };
}

/** Names and values in the order in which Koa sets them. */
function replied({ reply }: Outcome, headers: Record<string, string>): FastAnswer {
  if (!('json' in reply.body) || reply.cookies !== undefined)
    throw new Error('The me of a dialect is JSON alone.');
  const body = JSON.stringify(reply.body.json);
  const all = {
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    ...reply.headers,
  };
  return { status: reply.status, headers: Object.entries(all).flat(), caching: 'no-store', body };
}

/**
 * Which endpoint a request means. Among the mounts below whose base a path lies the one with the longest
 * base answers, its 404s included; a mount that does not own its base leaves what it does not serve to the
 * next. Paths are compared as they were sent (case-sensitive, never decoded); only `:name` segments are.
 */

import type { Mount } from '../contract/dialect.ts';
import type { Endpoint, Params } from '../contract/endpoint.ts';

export interface Segment {
  readonly text: string;
  /** Both are set for a `:name` segment. */
  readonly name?: string;
  readonly form?: RegExp;
}

export interface Route {
  readonly endpoint: Endpoint;
  readonly segments: readonly Segment[];
}

export interface CompiledMount<Owner> {
  readonly owner: Owner;
  readonly mount: Mount;
  readonly base: readonly Segment[];
  readonly routes: readonly Route[];
}

export type RouteMatch<Owner> = { readonly at: CompiledMount<Owner>; readonly base: string } & (
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint; readonly params: Params }
  | { readonly kind: 'other-method'; readonly allow: readonly string[] }
  | { readonly kind: 'unknown' }
);

/** A form judges the whole segment, anchored or not. */
function segmentsOf(path: string, forms: Readonly<Record<string, RegExp>> = {}): Segment[] {
  if (path === '' || path === '/') return [];
  const texts = path.slice(1).split('/');
  return texts.map((text) => {
    if (!text.startsWith(':')) return { text };
    const name = text.slice(1);
    const { source, flags } = forms[name] ?? /.+/s;
    return { text, name, form: new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, '')) };
  });
}

export function compileMount<Owner>(owner: Owner, mount: Mount): CompiledMount<Owner> {
  const routes = mount.endpoints.map((endpoint) => ({
    endpoint,
    segments: segmentsOf(endpoint.path, endpoint.segments),
  }));
  return { owner, mount, base: segmentsOf(mount.base, mount.segments), routes };
}

/** A malformed escape is no reason for a 500: the segment is then taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function fits({ text, form }: Segment, given: string): boolean {
  return form === undefined ? given === text : given !== '' && form.test(given);
}

function matchSegments(pattern: readonly Segment[], texts: readonly string[]): Params | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of pattern.entries()) {
    const text = texts[index];
    if (text === undefined) return undefined;
    const value = segment.name === undefined ? text : decoded(text);
    if (!fits(segment, value)) return undefined;
    if (segment.name !== undefined) params[segment.name] = value;
  }
  return params;
}

/** One trailing slash and then one suffix change nothing. */
function restOf(texts: readonly string[], suffixes: readonly string[]): readonly string[] {
  const rest = texts.length > 0 && texts.at(-1) === '' ? texts.slice(0, -1) : [...texts];
  const last = rest.at(-1);
  const suffix = suffixes.find((candidate) => last?.endsWith(candidate) && last.length > candidate.length);
  if (last === undefined || suffix === undefined) return rest;
  return [...rest.slice(0, -1), last.slice(0, -suffix.length)];
}

function tryMount<Owner>(
  at: CompiledMount<Owner>,
  method: string,
  texts: readonly string[],
): RouteMatch<Owner> | undefined {
  const baseParams = matchSegments(at.base, texts);
  if (baseParams === undefined) return undefined;
  const base = at.base.length === 0 ? '' : `/${texts.slice(0, at.base.length).join('/')}`;
  const rest = restOf(texts.slice(at.base.length), at.mount.suffixes ?? []);
  const input = at.mount.head && method === 'HEAD' ? 'GET' : method;
  const allow: string[] = [];
  for (const { endpoint, segments } of at.routes) {
    const params = segments.length === rest.length ? matchSegments(segments, rest) : undefined;
    if (params === undefined) continue;
    if (endpoint.method === input) {
      return { kind: 'endpoint', at, base, endpoint, params: { ...baseParams, ...params } };
    }
    allow.push(endpoint.method);
    if (endpoint.method === 'GET' && at.mount.head) allow.push('HEAD');
  }
  if (allow.length > 0 && at.mount.otherMethods !== 'pass') return { kind: 'other-method', at, base, allow };
  return at.mount.owns ? { kind: 'unknown', at, base } : undefined;
}

/** Longest base first; of equal ones those that are bound to a host, then those with fewer `:name` segments. */
export function byPrecedence<Owner>(a: CompiledMount<Owner>, b: CompiledMount<Owner>): number {
  const named = (mount: CompiledMount<Owner>) =>
    mount.base.filter((segment) => segment.name !== undefined).length;
  return (
    b.base.length - a.base.length ||
    Number(b.mount.hosts !== undefined) - Number(a.mount.hosts !== undefined) ||
    named(a) - named(b)
  );
}

/** `mounts` in order of precedence. Undefined: no dialect answers. */
export function findRoute<Owner>(
  mounts: readonly CompiledMount<Owner>[],
  request: { readonly method: string; readonly path: string; readonly host: string },
): RouteMatch<Owner> | undefined {
  if (!request.path.startsWith('/')) return undefined;
  const texts = request.path.slice(1).split('/');
  let refusal: RouteMatch<Owner> | undefined;
  for (const at of mounts) {
    // A refusal stands unless a mount with a base of the same length serves the request after all.
    if (refusal !== undefined && at.base.length < refusal.at.base.length) break;
    if (at.mount.hosts !== undefined && !at.mount.hosts.includes(request.host)) continue;
    const result = tryMount(at, request.method, texts);
    if (result?.kind === 'endpoint') return result;
    // A path that is served for another method says more than a path that is not served.
    const saysMore = refusal?.kind === 'unknown' && result?.kind === 'other-method';
    if (refusal === undefined || saysMore) refusal = result;
  }
  return refusal;
}

/** As the endpoint table names it. */
export function endpointName({ method, path }: Pick<Endpoint, 'method' | 'path'>): string {
  return `${method} ${path}`;
}

/**
 * The fast lane: requests of the commonest forms pass by the middleware. A route of oidc/fast-path answers with the
 * same bytes as the middleware and the provider would (the long way); where it does not answer, the request goes the
 * long way with its body unread.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { handBack } from '../core/hand-back.ts';
import type { Arrived, FastAnswer, FastRoute } from '../oidc/fast-path-contract.ts';
import type { BeginRequest, OpenRequest } from './middleware/request-log.ts';
import { isHostPlain } from './middleware/request-target.ts';
import type { ReadOrigin } from './middleware/trusted-proxies.ts';
import { readSmallBody } from './request/read-body.ts';
import { noteRequestInfo } from './request/request-context.ts';

/** Bytes. */
const LONGEST_BODY = 4096;

export interface FastLaneDeps {
  readonly begin: BeginRequest;
  readonly readOrigin: ReadOrigin;
  /** What every reply says. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A request on the lane. */
interface Current {
  readonly route: FastRoute;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: Arrived['info'];
  readonly open: OpenRequest;
}

export type FastLane = (route: FastRoute, request: IncomingMessage, response: ServerResponse) => void;

export function createFastLane(deps: FastLaneDeps, longWay: RequestListener): FastLane {
  const withCaching = (name: string, value: string) =>
    deps.headers.flatMap((header) => (header[0] === 'Cache-Control' ? [name, value] : header));
  // As the provider spells it.
  const uncached = withCaching('cache-control', 'no-store');
  const cached = new Map<string, readonly string[]>();
  const headersFor = (caching: string | undefined) => {
    if (caching === undefined) return uncached;
    const known = cached.get(caching) ?? withCaching('Cache-Control', caching);
    cached.set(caching, known);
    return known;
  };

  const places = new Map(deps.headers.map(([name], at) => [name.toLowerCase(), 2 * at]));
  const laidOut = new WeakMap<FastAnswer, readonly string[]>();

  function serve(route: FastRoute, request: IncomingMessage, response: ServerResponse) {
    const open = deps.begin(request, response);
    const { id, arrivedAt } = open;
    const { address, host } = deps.readOrigin(request);
    const info = { id, arrivedAt, address, host };
    noteRequestInfo(request, info);
    open.route = route.pattern;
    open.address = address;
    const current = { route, request, response, info, open };
    if (route.takes === 'nothing') return answer(current, undefined);
    const gone = () => longWay(request, response);
    readSmallBody(request, (body) => answer(current, body), gone);
  }

  /** An answer that is at hand is sent at once. */
  function answer(current: Current, body: Buffer | undefined) {
    const { route, request, info, response: res } = current;
    try {
      const answering = route.answer(request, body?.toString() ?? '', { info, res, body });
      if (!(answering instanceof Promise)) return finish(current, body, answering);
      answering
        .then((answer) => finish(current, body, answer))
        .catch((error: unknown) => fail(current, body, error));
    } catch (error) {
      fail(current, body, error);
    }
  }

  function finish(current: Current, body: Buffer | undefined, answer: FastAnswer | undefined) {
    const { request, response, info } = current;
    if (answer !== undefined) return send(info.id, answer, response);
    if (body !== undefined) handBack(request, body);
    longWay(request, response);
  }

  function fail(current: Current, body: Buffer | undefined, error: unknown) {
    current.open.failure = { error };
    finish(current, body, undefined);
  }

  function send(id: string, answer: FastAnswer, response: ServerResponse) {
    const known = laidOut.get(answer) ?? headersOf(answer);
    laidOut.set(answer, known);
    response.writeHead(answer.status ?? 200, ['X-Request-Id', id, ...known]);
    response.end(answer.body);
  }

  /** All but the id of the request: they are the same when the answer is given again. */
  function headersOf(answer: FastAnswer): string[] {
    const headers = [...headersFor(answer.caching)];
    let hasLength = false;
    for (let i = 0; i < answer.headers.length; i += 2) {
      const [name = '', value = ''] = [answer.headers[i], answer.headers[i + 1]];
      const place = places.get(name.toLowerCase());
      if (place === undefined) headers.push(name, value);
      else headers.splice(place, 2, name, value);
      hasLength ||= name === 'Content-Length';
    }
    if (!hasLength) headers.push('Content-Length', String(Buffer.byteLength(answer.body)));
    return headers;
  }

  return (route, request, response) => {
    try {
      if (isPlain(request, route)) return serve(route, request, response);
    } catch {
      // The long way answers, and says what is wrong.
    }
    longWay(request, response);
  };
}

/** Headers that change what an answer is. */
const UNUSUAL = [
  'origin',
  'dpop',
  'expect',
  'content-encoding',
  'transfer-encoding',
  'if-none-match',
  'oauth-client-attestation',
  'oauth-client-attestation-pop',
] as const;

const TYPES = {
  form: /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i,
  json: /^application\/json(?:; ?charset=utf-8)?$/i,
};

function isPlain(request: IncomingMessage, { takes }: FastRoute): boolean {
  const { headers } = request;
  if (UNUSUAL.some((name) => headers[name] !== undefined)) return false;
  const length = headers['content-length'];
  if (takes === 'nothing') return length === undefined && isHostPlain(request);
  const isMeant = TYPES[takes].test(headers['content-type'] ?? '') && Number(length) <= LONGEST_BODY;
  return isMeant && isHostPlain(request);
}

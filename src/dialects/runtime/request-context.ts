/** One request on its way through a dialect: what is known of it so far. Each step adds what it finds. */

import type Koa from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import type { Hold } from '../../identity/rate-limits/budgets.ts';
import type { BodyKind, BodyRules, Credential, OrganizationView, Reason } from '../contract/dialect.ts';
import type { AnyAccepts, Caller, Endpoint, Params, RequestView } from '../contract/endpoint.ts';
import type { ChargedLimit } from '../contract/limits.ts';
import type { AnySettings } from '../contract/settings.ts';
import type { Use } from '../contract/use.ts';
import type { DialectServices } from './deps.ts';
import type { RouteMatch } from './match-route.ts';
import type { MountedDialect } from './mounted.ts';
import { type FormFields, noFields } from './parse-form.ts';

export interface DialectRequest {
  readonly mounted: MountedDialect;
  readonly endpoint: Endpoint<AnyAccepts, AnySettings>;
  readonly params: Params;
  readonly request: RequestView;
  readonly requestId: string;
  readonly context: Koa.Context;
  readonly services: DialectServices;
  readonly rules: BodyRules;
  /** 'read' where the endpoint has fields, 'measured' where a body is only held against the cap, 'left' else. */
  readonly reading: 'read' | 'measured' | 'left';

  bytes: Uint8Array;
  kind: BodyKind | undefined;
  /** What was sent could not be read, and the dialect takes that for `{}`. */
  unreadable: boolean;
  raw: FormFields;
  body: unknown;
  query: unknown;
  /** Undefined before the organization step, and after it where the request names none. */
  organization: OrganizationView | undefined;
  credential: Credential | undefined;
  caller: Caller | undefined;
  charged: ChargedLimit[];
  /** Gives sliding counts back when something else refuses the request as one too many. */
  giveBack: (() => Promise<void>)[];
  /** Budgets that the outcome decides about. */
  later: DueLater[];
  /** Made when first needed: bound to the organization, so only after that step. */
  use: Use | undefined;
}

/** What a dialect may see of a request. */
export function requestView(context: Koa.Context, at: { base: string; issuer: string }): RequestView {
  const info = requestInfoOf(context);
  const { headers } = context.req;
  return {
    method: context.method,
    path: context.path,
    base: at.base,
    query: new URLSearchParams(context.querystring),
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    host: info.host,
    address: info.address,
    issuer: at.issuer,
    arrivedAt: info.arrivedAt,
  };
}

const WITH_BODY: readonly string[] = ['POST', 'PUT', 'PATCH'];

/** What happens to the body: 'ignored' ones are still held against the cap. */
function readingOf({ body, method }: DialectRequest['endpoint']): DialectRequest['reading'] {
  if (body === 'ignored') return 'measured';
  return WITH_BODY.includes(method) || body !== undefined ? 'read' : 'left';
}

export function newDialectRequest(options: {
  readonly context: Koa.Context;
  readonly result: Extract<RouteMatch<MountedDialect>, { kind: 'endpoint' }>;
  readonly request: RequestView;
  readonly services: DialectServices;
}): DialectRequest {
  const { context, result, request, services } = options;
  const { endpoint, params } = result;
  const mounted = result.at.owner;
  const differing = typeof endpoint.body === 'object' ? endpoint.body : {};
  return {
    mounted,
    endpoint,
    params,
    request,
    requestId: requestInfoOf(context).id,
    context,
    services,
    rules: { ...mounted.dialect.bodies, ...differing },
    reading: readingOf(endpoint),
    bytes: new Uint8Array(),
    kind: undefined,
    unreadable: false,
    raw: noFields(),
    body: undefined,
    query: undefined,
    organization: undefined,
    credential: undefined,
    caller: undefined,
    charged: [],
    giveBack: [],
    later: [],
    use: undefined,
  };
}

/** A budget that is charged when the request ends in one of the ways that count. */
export interface DueLater {
  readonly hold: Hold;
  /** `reason`: why the request was refused; undefined: it was not. */
  isDue(reason: Reason | undefined): boolean;
}

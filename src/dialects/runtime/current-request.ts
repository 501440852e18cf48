/** One request on its way through a dialect: what is known of it so far. Each step adds what it finds. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { answered, type RequestInfo } from '../../http/request/request-context.ts';
import type { Identity, RequestContext } from '../../identity/context.ts';
import type { Hold } from '../../identity/rate-limits/budgets.ts';
import type {
  BodyKind,
  BodyRules,
  Credential,
  Dialect,
  Directory,
  OrganizationView,
  Reason,
} from '../contract/dialect.ts';
import type { AcceptsShape, Caller, Endpoint, Params, RequestView } from '../contract/endpoint.ts';
import type { ChargedLimit } from '../contract/limits.ts';
import type { AnySettings } from '../contract/settings.ts';
import type { Use } from '../contract/use.ts';
import type { DialectServices } from './deps.ts';
import { directoryOfRequest } from './directory.ts';
import type { RouteMatch } from './match-route.ts';
import type { MountedDialect } from './mounted.ts';
import { type FormFields, noFields } from './parse-form.ts';

/** A request and its reply, as Node has them. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly info: RequestInfo;
}

export interface CurrentRequest {
  readonly mounted: MountedDialect;
  readonly settings: AnySettings;
  readonly endpoint: Endpoint;
  readonly params: Params;
  readonly request: RequestView;
  readonly http: Exchange;
  /** For counters and audit lines. */
  readonly context: RequestContext;
  readonly services: DialectServices;
  readonly identity: Identity;
  readonly directory: Directory;
  readonly rules: BodyRules;
  /** 'read' where the endpoint has fields, 'measured' where a body is only held against the cap, 'left' else. */
  readonly reading: 'read' | 'measured' | 'left';

  /** The whole body, where it was read before the checks. */
  received?: Buffer | undefined;
  bytes: Uint8Array;
  kind?: BodyKind | undefined;
  /** What was sent could not be read, and the dialect takes that for `{}`. */
  unreadable: boolean;
  raw: FormFields;
  body?: unknown;
  query?: unknown;
  /** Undefined before the organization step, and after it where the request names none. */
  organization?: OrganizationView | undefined;
  credential?: Credential | undefined;
  caller?: Caller | undefined;
  /** The account that the request signed in, or whose token it renewed. */
  signedIn?: string;
  readonly charged: ChargedLimit[];
  /** Gives sliding counts back when something else refuses the request as one too many. */
  readonly giveBack: (() => Promise<void>)[];
  /** Budgets that the outcome decides about. */
  readonly later: DueLater[];
  /** Made when first needed: it belongs to the organization, so only after that step. */
  use?: Use;
}

/** A budget that is charged when the request ends in one of the ways that count. */
export interface DueLater {
  readonly hold: Hold;
  /** `reason`: why the request was refused; undefined: it was not. */
  isDue(reason: Reason | undefined): boolean;
}

/** What a dialect may see of a request. */
export function requestView(
  { headers, method = '' }: IncomingMessage,
  { host, address, arrivedAt }: RequestInfo,
  { query, ...at }: { path: string; query: string; base: string; issuer: string },
): RequestView {
  return {
    ...{ ...at, method },
    query: new URLSearchParams(query),
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    host,
    address,
    arrivedAt,
  };
}

/** The dialect's rules for bodies, and where the endpoint differs. */
export function bodyRules(dialect: Dialect, { body }: Endpoint): BodyRules {
  return { ...dialect.bodies, ...(typeof body === 'object' && body) };
}

/** The schemas of an endpoint under these settings. */
export function schemasOf({ accepts }: Endpoint, settings: AnySettings): AcceptsShape {
  return (typeof accepts === 'function' ? accepts(settings) : accepts) ?? {};
}

const WITH_BODY: readonly string[] = ['POST', 'PUT', 'PATCH'];

/** What happens to the body: 'ignored' ones are still held against the cap. */
function readingOf({ body, method }: Endpoint): CurrentRequest['reading'] {
  if (body === 'ignored') return 'measured';
  return WITH_BODY.includes(method) || body !== undefined ? 'read' : 'left';
}

export function currentRequest(
  http: Exchange,
  { at: { owner: mounted }, endpoint, params }: Extract<RouteMatch<MountedDialect>, { kind: 'endpoint' }>,
  request: RequestView,
  services: DialectServices,
): CurrentRequest {
  const { address, arrivedAt } = http.info;
  const { clientId, dialect } = mounted;
  const caller = { address, requestId: http.info.id, clientId, channel: dialect.name };
  return {
    mounted,
    settings: mounted.settings,
    endpoint,
    params,
    request,
    http,
    context: { ...caller, arrivedAt, answered: () => answered(http.res) },
    services,
    identity: services.identity,
    directory: directoryOfRequest(services.identity, dialect.name),
    rules: bodyRules(dialect, endpoint),
    reading: readingOf(endpoint),
    bytes: new Uint8Array(),
    unreadable: false,
    raw: noFields(),
    charged: [],
    giveBack: [],
    later: [],
  };
}

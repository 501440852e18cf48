import type { FieldIssue, Reason } from '../../core/refused.ts';
import type { Json } from '../../model/json.ts';
import type { Credential } from './dialect.ts';
import type { AnyAccepts, Endpoint, RequestView } from './endpoint.ts';
import type { ChargedLimit } from './limits.ts';
import type { AnySettings } from './settings.ts';

export interface ReplyContext<Settings = AnySettings> {
  readonly request: RequestView;
  readonly settings: Settings;
  /** Undefined where no endpoint was matched. */
  readonly endpoint: Endpoint<AnyAccepts, Settings> | undefined;
  readonly charged: readonly ChargedLimit[];
  readonly status: number;
}

export interface Reply {
  readonly status: number;
  /** JSON value, a page, or nothing. */
  readonly body:
    | { readonly json: Json }
    | { readonly page: string; readonly data: Readonly<Record<string, Json>> }
    | { readonly nothing: true };
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly ReplyCookie[];
}

export interface ReplyCookie {
  readonly name: string;
  readonly value: string;
  /** Seconds; 0 drops the cookie. */
  readonly maxAge: number;
  readonly path: string;
  readonly domain?: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
}

export type ReplyExtras = Pick<Reply, 'headers' | 'cookies'>;

/** `undefined` members are left out, as JSON does. */
export function json(status: number, body: unknown, extras: ReplyExtras = {}): Reply {
  return { status, body: { json: body as Json }, ...extras };
}

export function ok(body: unknown, extras: ReplyExtras = {}): Reply {
  return json(200, body, extras);
}

/** 401, with the scheme that HTTP asks for. */
export function unauthenticated(body: unknown): Reply {
  return json(401, body, { headers: { 'www-authenticate': 'Bearer' } });
}

/** A page of views/pages, by name; `data` is escaped by the template. */
export function page(
  status: number,
  view: string,
  data: Record<string, Json> = {},
  extras: ReplyExtras = {},
): Reply {
  return { status, body: { page: view, data }, ...extras };
}

export function redirect(status: 302 | 303, url: string, extras: ReplyExtras = {}): Reply {
  return { status, body: { nothing: true }, ...extras, headers: { ...extras.headers, location: url } };
}

export function empty(status: number, extras: ReplyExtras = {}): Reply {
  return { status, body: { nothing: true }, ...extras };
}

export interface RefusalView<Settings = AnySettings>
  extends Pick<ReplyContext<Settings>, 'request' | 'settings' | 'endpoint'> {
  readonly reason: Reason;
  readonly issues: readonly FieldIssue[];
  /** Whole seconds, at least 1; set for 'too-many-requests' and 'unavailable'. The pipeline sends it as Retry-After. */
  readonly retryAfter: number | undefined;
  readonly allow: readonly string[];
  /** Which credential was refused, when one was. */
  readonly credential: Credential | undefined;
}

export type CorsRules<Settings = AnySettings> =
  /** The server's general cross-origin setting. */
  | 'server'
  /** None: OPTIONS is another method like any other. */
  | 'none'
  | ((settings: Settings) => {
      readonly origins: 'any' | readonly string[];
      readonly credentials: boolean;
      readonly methods: readonly string[];
      readonly headers: readonly string[];
      readonly exposed: readonly string[];
      /** Seconds. */
      readonly maxAge?: number;
      /** OPTIONS without Origin is no preflight, but another method like any other. */
      readonly onlyWithOrigin?: boolean;
    });

/**
 * What a dialect is: one vendor's sign-in API as data plus small pure functions. The only module that a
 * vendor's folder may import, besides zod. Everything that is the same for all vendors (route, size,
 * syntax, organization, credential, rights, fields, limits, refusals, headers, audit) is done by mount.ts
 * in the order that the dialect lists. What an endpoint may *do* is `Use`, bound to the dialect's client
 * and to the request's organization.
 *
 * A dialect must not: keep state, read the clock other than through `use.now()`, hash or draw random
 * values itself, look at raw headers outside its declared functions, or answer outside `refusals` and
 * `answer`.
 */
import { z } from 'zod';
import type { FieldFault, Reason } from '../identity/refusal.ts';
import type { RandomForm } from '../secrets.ts';
import type { AccountStatus, Json, ProfileClaims } from '../store/ports.ts';

export { Refused } from '../identity/refusal.ts';
export type { AccountStatus, AddressClaim, Json, ProfileClaims } from '../store/ports.ts';
export { foldName, isLonger, takeText } from '../text.ts';
export type { FieldFault, RandomForm, Reason };

/**
 * Settings of a dialect that is one of many. Each dialect reads its own settings only, so a list of them
 * needs a type that fits every one, in and out; no other type does both.
 */
// biome-ignore lint/suspicious/noExplicitAny: the only type that is at once every dialect's settings.
export type AnySettings = any;

/** Schemas of an endpoint that is one of many, for the same reason. */
// biome-ignore lint/suspicious/noExplicitAny: the only type that is at once every endpoint's schemas.
export type AnyAccepts = any;

/* ------------------------------------------------------------------ the dialect */

export interface Dialect<Settings = AnySettings> {
  readonly name: string;
  /** One line for people: what this API is. */
  readonly title: string;
  /** zod shape of `dialects.<name>` in the configuration; parsed settings reach every function below. */
  readonly settings: z.ZodType<Settings>;
  /** OAuth client that this dialect's grants belong to. */
  clientId(settings: Settings): string;
  /** Where the endpoints answer. Among mounts that match a path the longest base wins, its 404s included. */
  mounts(settings: Settings): readonly Mount<Settings>[];
  /** The order of checks; a list that lacks a step, or names one twice, stops the start. */
  readonly order: readonly Step[];
  readonly guards?: Readonly<Record<string, Guard<Settings>>>;
  readonly bodies: BodyRules;
  /** Where this vendor's credential travels. Undefined: none was sent. Malformed ones are passed on as they are. */
  credential(
    request: RequestView,
    endpoint: Endpoint<AnyAccepts, Settings>,
    settings: Settings,
  ): Credential | undefined;
  /**
   * Which directory the request means. Throw Refused('unknown-organization') or ('wrong-organization'), or
   * name it; a name that is no organization is refused as 'unknown-organization'. Undefined: the request
   * names none, and what it carries decides (a refresh token, a ticket, an sso_token): `use` then belongs to
   * no organization until refresh, readTicket, resetPassword, confirmAddress or readBrowserTicket succeeds, and
   * to that one's afterwards; `facts.organization` is an empty view. Where it names one that is not the caller's, the
   * credential is refused as though it were not good ('invalid-token', 'invalid-api-key').
   */
  organization(question: OrganizationQuestion<Settings>): Promise<string | undefined>;
  /** What a token of this dialect is. */
  readonly tokens: TokenRules<Settings>;
  /** The vendor's id for an account, made when first needed and kept for life. */
  readonly alias: AliasForm;
  /** What the standard introspection endpoint says of this dialect's API keys; without it they are unknown there. */
  readonly apiKeys?: {
    /** How every key begins. */
    readonly prefix: string;
    /** What the key is worth now, and vendor claims. */
    describe(caller: Caller, settings: Settings): { scopes: readonly string[]; claims: Record<string, Json> };
    /** How people make keys of this dialect on their account page; without it they cannot. */
    readonly offer?: {
      readonly id: RandomForm;
      readonly key: RandomForm;
      /** Keys that an account may have. */
      readonly limit: number;
      /** Whose accounts may have some. */
      organization(settings: Settings): string;
      /** What the account may give to a key: never more than it may do itself. */
      scopes(account: AccountView, settings: Settings): readonly string[];
    };
  };
  /** Members of `vendor.<name>` that are drawn at random once, when first needed. */
  readonly mints?: Readonly<Record<string, RandomForm>>;
  /**
   * Whether this role, which an operator gave, lets in an account that was opened at another place. Default:
   * every one does. Places from which all are let in are `admitsFrom` of the settings: the frame's key.
   */
  admitsRole?(role: string, settings: Settings): boolean;
  /** Accounts that this dialect does not let in, as though they did not exist. Default: only active ones come in. */
  admits?(account: AccountView, settings: Settings): boolean;
  /**
   * Accounts whose tokens and API keys go on working. Default: only those that `admits` lets in. Blocked
   * accounts' never do, whatever this says (VSee: inactive accounts' tokens do).
   */
  admitsToken?(account: AccountView, settings: Settings): boolean;
  /** The vendor's words for each reason. */
  readonly refusals: Readonly<Record<Reason, (refusal: RefusalView<Settings>) => Reply>>;
  /** Added to every reply of the dialect, refusals included. `charged` are the limits this request was charged to. */
  headers?(facts: ReplyFacts<Settings>): Readonly<Record<string, string>>;
  readonly cors: CorsRules<Settings>;
  /**
   * Limits charged when the credential step fails, or the rights step (then `caller` is set); over them the
   * refusal is 'too-many-requests'. Charged as `each`; the organization is part of their keys only when
   * `caller` is set.
   */
  limitsOnRefusedCredential?(facts: LimitFacts<Settings>): readonly LimitRule[];
}

/** Keeps the settings' type without naming it twice. */
export function dialect<Settings>(definition: Dialect<Settings>): Dialect<Settings> {
  return definition;
}

export interface Mount<Settings = AnySettings> {
  /** A path pattern: '/api_v3', '/vc/:env/api_v3', or '' for the root. Never ends in a slash. */
  readonly base: string;
  /** What a `:name` segment of the base may be (whole segment); anything but a slash by default. */
  readonly segments?: Readonly<Record<string, RegExp>>;
  /** Only on these hosts (lower case, no port); on every host when absent. */
  readonly hosts?: readonly string[];
  readonly endpoints: readonly Endpoint<AnyAccepts, Settings>[];
  /** Suffixes that may follow a path and change nothing ('.json'). */
  readonly suffixes?: readonly string[];
  /** Whether every other path below the base is this dialect's 404. */
  readonly owns: boolean;
  /**
   * What another method on a served path gets: the vendor's 405, its 404, or (where the mount does not own
   * its base) nothing of ours: the server goes on looking.
   */
  readonly otherMethods: 'method-not-allowed' | 'not-found' | 'pass';
  /** HEAD answers as GET without a body; otherwise it is another method. */
  readonly head: boolean;
}

export type Step =
  | 'size'
  | 'encoding'
  | 'media'
  | 'syntax'
  | 'organization'
  | 'credential'
  | 'rights'
  | 'fields'
  | 'limits'
  | `guard:${string}`;

/** The steps that every dialect must list. The route comes first always. */
export const STEPS = [
  'size',
  'encoding',
  'media',
  'syntax',
  'organization',
  'credential',
  'rights',
  'fields',
  'limits',
] as const satisfies readonly Step[];

/** A check of the dialect's own between two steps; throws Refused. */
export type Guard<Settings = AnySettings> = (facts: {
  readonly request: RequestView;
  readonly endpoint: Endpoint<AnyAccepts, Settings>;
  readonly caller: Caller | undefined;
  readonly settings: Settings;
  /** When the organization step came before and named one. */
  readonly organization: OrganizationView | undefined;
  readonly directory: Directory;
}) => void | Promise<void>;

export interface BodyRules {
  /** Media types that are read. */
  readonly accepts: readonly BodyKind[];
  /** Bytes. What is longer is read and dropped, up to 2 MiB, so that the reply reaches the client. */
  readonly limit: number;
  /** Forms: 'flat' (a name given twice is an array, brackets are part of the name) or 'nested' (VSee, section 3). */
  readonly forms: 'flat' | 'nested';
  /**
   * No body at all (zero bytes): the empty object, whatever its type; or the refusal 'empty-body'. Where an
   * untyped body is read as JSON, 'empty-body' comes before the type is judged; where it is refused, after.
   */
  readonly absent: 'empty-object' | 'refuse';
  /** A body without Content-Type: refused as an unsupported type, or read as JSON. */
  readonly untyped: 'refuse' | 'json';
  /**
   * What cannot be read (encoding, type, syntax, not an object): refused, or taken for `{}` (VisitNote). The
   * refusal 'not-an-object' has one fault whose `code` says what it was: 'null', 'array', 'string', 'number', 'boolean'.
   */
  readonly unreadable: 'refuse' | 'empty-object';
  /** Content types besides application/json that are JSON ('application/problem+json', ...). */
  readonly jsonTypes?: RegExp;
  /** Last chance to repair a documented slip of form clients, e.g. VSee's `refresh_token: <hex>` and `+` in e-mails. */
  repairForm?(fields: Record<string, unknown>, kind: BodyKind): Record<string, unknown>;
}

export type BodyKind = 'json' | 'form' | 'multipart';

export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'api-key'; readonly key: string; readonly secret?: string }
  /** Present but not of a form that could be looked up: refused as a bad one. */
  | { readonly kind: 'unusable'; readonly as: 'token' | 'api-key' };

export interface OrganizationQuestion<Settings = AnySettings> {
  readonly request: RequestView;
  readonly endpoint: Endpoint<AnyAccepts, Settings>;
  readonly settings: Settings;
  /** The verified caller, when the credential step came before. */
  readonly caller: Caller | undefined;
  readonly directory: Directory;
}

/** The organizations that the server knows. */
export interface Directory {
  byId(id: string): Promise<OrganizationView | undefined>;
  /** By one of its `hosts`; port and case do not matter. */
  byHost(host: string): Promise<OrganizationView | undefined>;
}

export interface OrganizationView {
  readonly id: string;
  readonly name: string;
  /** `vendor.<this dialect>` of the organization, or undefined. */
  readonly vendor: Readonly<Record<string, Json>> | undefined;
}

/* ------------------------------------------------------------------ endpoints */

/** Who may call: nobody in particular, the bearer of a token, of an API key of the organization or of an account, or of either. */
export type CallerKind = 'anyone' | 'token' | 'api-key' | 'token-or-api-key';

export interface Endpoint<Accepts extends AcceptsShape = AnyAccepts, Settings = AnySettings> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base; ':id' names a segment. Starts with '/'. */
  readonly path: string;
  readonly segments?: Readonly<Record<string, RegExp>>;
  /** Openness is spelled out. */
  readonly caller: CallerKind;
  /**
   * Whether this request has to show a credential at all (MediSync's resend: only where the body names no
   * address). False: none is read, `caller` is undefined, rights are not asked. Default: always, unless `caller` is
   * 'anyone'. `raw` is the body before the fields are judged, `{}` when it was not read yet.
   */
  needsCaller?(facts: {
    readonly raw: Readonly<Record<string, unknown>>;
    readonly request: RequestView;
  }): boolean;
  /** Where this endpoint's order of checks is not the dialect's; complete as well. */
  readonly order?: readonly Step[];
  /**
   * Which of the shared attempt counters (design.md, Attempts) stand before this door: all of them, held
   * by the use case ('sign-in'); the client address's alone, held by the frame when every other
   * check has passed ('address'); none ('nothing').
   */
  readonly counts: 'sign-in' | 'address' | 'nothing';
  /** Refusals of this endpoint that count towards the shared counter of the client address (AVYCENNA's 409). Default: none. */
  readonly chargesAddress?: readonly Reason[];
  /** What the caller must be allowed; throws Refused('forbidden' | 'insufficient-scope' | ...). */
  rights?(facts: {
    readonly caller: Caller;
    readonly request: RequestView;
    readonly settings: Settings;
    readonly params: Params;
    /** When the organization step came before and named one. */
    readonly organization: OrganizationView | undefined;
  }): void;
  /** Schemas. Issues become the refusal 'invalid-fields' with zod's messages in zod's order; `params.code` of a custom issue becomes FieldFault.code. */
  readonly accepts?: Accepts | ((settings: Settings) => Accepts);
  /**
   * Differs from the dialect's BodyRules here. `ignored`: a body may be sent and is not looked at, but for its
   * size. Default: the dialect's rules for POST, PUT and PATCH; for GET and DELETE nothing, not even the size.
   */
  readonly body?: Partial<BodyRules> | 'ignored';
  /**
   * A judgement that needs `use`, reported together with the fields' (VisitNote's taken address). Gets the
   * raw body and the faults found so far; resolves with the faults to add (those found so far may be among them).
   */
  alsoJudge?(facts: {
    raw: Record<string, unknown>;
    faults: readonly FieldFault[];
    use: Use;
    settings: Settings;
    request: RequestView;
    caller: Caller | undefined;
  }): Promise<readonly FieldFault[]>;
  limits?(facts: LimitFacts<Settings>): readonly LimitRule[];
  /** zod schemas of the replies, by status: for OpenAPI and for the conformance suite. */
  readonly replies: Readonly<Record<number, z.ZodType>>;
  /** One line for OpenAPI. */
  readonly summary: string;
  answer(facts: AnswerFacts<Accepts, Settings>, use: Use): Promise<Reply>;
}

export interface AcceptsShape {
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
}

type Parsed<Accepts, Part extends 'body' | 'query'> = Accepts extends {
  readonly [K in Part]: infer S extends z.ZodType;
}
  ? z.output<S>
  : undefined;

export interface AnswerFacts<Accepts extends AcceptsShape, Settings> {
  readonly body: Parsed<Accepts, 'body'>;
  readonly query: Parsed<Accepts, 'query'>;
  readonly params: Params;
  /** Verified; undefined only where `caller` is 'anyone'. */
  readonly caller: Caller | undefined;
  readonly request: RequestView;
  readonly settings: Settings;
  readonly organization: OrganizationView;
}

export type Params = Readonly<Record<string, string>>;

/** Keeps the inferred types of an endpoint: `answer` sees the body as the schema gives it. */
export function endpoint<Accepts extends AcceptsShape, Settings = AnySettings>(
  definition: Endpoint<Accepts, Settings>,
): Endpoint<Accepts, Settings> {
  return definition;
}

/** As `endpoint`, with the dialect's settings typed: `const endpoint = endpointFor<z.output<typeof settings>>()`. */
export function endpointFor<Settings>() {
  return <Accepts extends AcceptsShape>(
    definition: Endpoint<Accepts, Settings>,
  ): Endpoint<Accepts, Settings> => definition;
}

/** What a dialect may see of a request. */
export interface RequestView {
  readonly method: string;
  /** As requested, without the query string. */
  readonly path: string;
  /** The base as it was matched, e.g. '/vc/stable/api_v3'. */
  readonly base: string;
  readonly query: URLSearchParams;
  /** One header; repeated ones joined by ', '. Names in lower case. */
  header(name: string): string | undefined;
  /** Host of the request without port, lower case; X-Forwarded-Host only from a trusted proxy. */
  readonly host: string;
  /** Canonical client address (an IPv6 one is its /64). */
  readonly address: string;
  readonly issuer: string;
  readonly arrivedAt: Date;
}

/** The bearer of a verified credential. */
export interface Caller {
  readonly kind: 'token' | 'api-key';
  readonly organization: string;
  /** Absent for a key that belongs to the organization itself. */
  readonly account?: AccountView;
  /** The sign-in behind a token. */
  readonly grantId?: string;
  /** That sign-in is minutes old and was the person's own, not single sign-on. */
  readonly recent?: boolean;
  /** Scopes of the key, or of the token. */
  readonly scopes: readonly string[];
  /** When an API key ends; absent: when it is deleted. */
  readonly endsAt?: Date;
  /** Vendor claims of the token. */
  readonly claims: Readonly<Record<string, Json>>;
}

/** An account as dialects see it: everything but its secrets. The alias and the minted members are there. */
export interface AccountView {
  readonly id: string;
  readonly organization: string;
  readonly status: AccountStatus;
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly username?: string;
  readonly hasPassword: boolean;
  readonly claims: Readonly<ProfileClaims>;
  /** What operators gave. */
  readonly roles: readonly string[];
  /** This dialect's id of the account. */
  readonly alias: string;
  /** `vendor.<this dialect>`, `{}` when there is none. */
  readonly vendor: Readonly<Record<string, Json>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastSignInAt?: Date;
}

/** The roles that count here: those that operators gave; without any, the one of this vendor's own registration. */
export function rolesHere({ roles, vendor }: Pick<AccountView, 'roles' | 'vendor'>): readonly string[] {
  if (roles.length > 0 || typeof vendor.role !== 'string') return roles;
  return [vendor.role];
}

/* ------------------------------------------------------------------ limits */

export interface LimitFacts<Settings = AnySettings> {
  readonly request: RequestView;
  readonly settings: Settings;
  readonly caller: Caller | undefined;
  readonly body: unknown;
  readonly endpoint: Endpoint<AnyAccepts, Settings>;
}

export interface LimitRule {
  /** Name of the counter; it belongs to this dialect alone. */
  readonly counter: string;
  /** Whose count: an address, an account, a normalized e-mail. The organization is added by the frame. */
  readonly key: string;
  /** One count for all organizations: where a request need not name one, leaving it out must not give a fresh count. */
  readonly acrossOrganizations?: true;
  readonly limit: number;
  /** Seconds. */
  readonly window: number;
  readonly kind: 'sliding' | 'fixed';
  /**
   * 'each': every request that reaches the step, before the work; a sliding count is given back when another
   * limit or a shared counter refuses the request (a fixed one stays charged). 'success' or reasons: held
   * before the work, and charged when it ended so.
   */
  readonly charge: 'each' | 'success' | readonly Reason[];
}

export interface ChargedLimit extends LimitRule {
  readonly remaining: number;
  /** Seconds until the window ends (fixed), or until there is room (sliding). */
  readonly resetAfter: number;
}

export interface ReplyFacts<Settings = AnySettings> {
  readonly request: RequestView;
  readonly settings: Settings;
  /** Undefined where no endpoint was matched. */
  readonly endpoint: Endpoint<AnyAccepts, Settings> | undefined;
  readonly charged: readonly ChargedLimit[];
  readonly status: number;
}

/* ------------------------------------------------------------------ replies and refusals */

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

export interface RefusalView<Settings = AnySettings> {
  readonly reason: Reason;
  readonly faults: readonly FieldFault[];
  /** Whole seconds, at least 1; set for 'too-many-requests' and 'unavailable'. The frame sends it as Retry-After. */
  readonly retryAfter: number | undefined;
  readonly allow: readonly string[];
  readonly request: RequestView;
  readonly settings: Settings;
  readonly endpoint: Endpoint<AnyAccepts, Settings> | undefined;
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

/* ------------------------------------------------------------------ settings that several dialects share */

const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 } as const;

/** A duration in the configuration: whole seconds, or '10s', '5m', '24h', '30d'. Read as seconds. */
export const duration = z.union([
  z.int().positive(),
  z
    .string()
    .regex(/^[1-9]\d{0,8}[smhd]$/, "must be whole seconds, or a number with s, m, h or d, such as '24h'")
    .transform((text) => Number(text.slice(0, -1)) * SECONDS[text.at(-1) as keyof typeof SECONDS]),
]);

/**
 * `accessToken` of a dialect whose tokens are JWTs. The configuration loader puts the content of the file
 * that `secret_file` names into `secret`.
 */
export function jwtSettings<Extra extends z.ZodRawShape = Record<never, never>>(
  lifetime: number,
  /** Keys that this dialect has besides. */
  extra = {} as Extra,
) {
  return z
    .strictObject({
      lifetime: duration.default(lifetime),
      signing: z.enum(['ES256', 'HS256']).default('ES256'),
      secret: z
        .string()
        .refine((text) => new TextEncoder().encode(text).byteLength >= 32, 'must be 32 bytes or more')
        .optional(),
      audience: z.string().min(1).optional(),
      ...extra,
    })
    .refine(
      (settings: { signing?: unknown; secret?: unknown }) =>
        (settings.signing === 'HS256') === (settings.secret !== undefined),
      {
        message: 'HS256 needs accessToken.secret_file, and only HS256 may have it',
        path: ['secret_file'],
      },
    )
    .prefault({} as never);
}

/* ------------------------------------------------------------------ tokens, ids */

export interface TokenRules<Settings = AnySettings> {
  /** Scope of the grant, space-separated. */
  readonly scope: string;
  readonly access: 'jwt' | RandomForm;
  /** Vendor claims, in the JWT and in introspection. */
  claims(facts: {
    account: AccountView;
    organization: OrganizationView;
    settings: Settings;
  }): Record<string, Json>;
  accessLifetime(settings: Settings): number;
  audience(settings: Settings, issuer: string): string;
  /** HS256 with this shared secret instead of the published key. */
  sharedSecret?(settings: Settings): string | undefined;
  readonly refresh?: {
    readonly form: RandomForm;
    lifetime(settings: Settings): number;
    /** Seconds after the sign-in at which its refresh tokens end, however often rotated. */
    absoluteLifetime?(settings: Settings): number;
    leeway(settings: Settings): number;
    /**
     * A used token within the leeway: 'replay' answers the successor again; 'in-flight' does so only for
     * requests that arrived before the successor was stored, and refuses later ones without ending the family.
     */
    readonly reuse: 'replay' | 'in-flight';
  };
}

export type AliasForm = RandomForm | 'uuid';

export const HEX = '0123456789abcdef';
export const DIGITS = '0123456789';
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/* ------------------------------------------------------------------ what an endpoint may do */

export interface SignedIn {
  readonly account: AccountView;
  readonly tokens: IssuedTokens;
}

export interface IssuedTokens {
  readonly access: IssuedToken;
  /** Where the dialect has refresh tokens. */
  readonly refresh?: IssuedToken;
}

export interface IssuedToken {
  readonly value: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type Amr = 'pwd' | 'otp' | 'fed' | 'sso';

/** Changes to an account. `undefined` leaves, `null` clears. */
export interface AccountChanges {
  /** 'account-exists' when another account of the organization has it. A new address is not verified. */
  readonly email?: string;
  readonly claims?: { readonly [K in keyof ProfileClaims]?: ProfileClaims[K] | null | undefined };
  readonly vendor?: Readonly<Record<string, Json | undefined>>;
}

export interface NewAccount {
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly status?: AccountStatus;
  readonly claims?: ProfileClaims;
  /** `role`: what this vendor's registration implies. Only operators give an account its `roles`. */
  readonly vendor?: Readonly<Record<string, Json>>;
}

export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly createdAt: Date;
  readonly lastUsedAt?: Date;
}

/** A verified upstream ID token (Google, Apple). */
export interface UpstreamIdentity {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  /** The provider is authoritative for the address (gmail.com, matching `hd`, Apple). */
  readonly authoritative: boolean;
  readonly name?: string;
  /** Marks the token used: false when somebody used it before. To be called when nothing else can refuse any more. */
  use(): Promise<boolean>;
  /** Undoes `use`, where something did refuse after all. */
  takeBack(): Promise<void>;
}

/**
 * The dialect's only way to do anything. Bound to its client, its name and the request's organization:
 * it cannot mint a token for another client or see an account of another organization. Accounts that are
 * not of that organization do not exist here. Methods throw Refused with the reasons that they name.
 */
export interface Use {
  /** The server's clock. */
  now(): Date;

  /* -- signing in; each makes one Grant and its tokens, and writes the audit line */

  /**
   * `login` is tried as each of `by` in turn. Same work and same refusal for unknown, wrong, no password,
   * not active, not admitted: 'sign-in-refused'. 'too-many-requests' by the shared counters, 'unavailable'
   * when too many passwords wait. `lifetime`: seconds, instead of the dialect's access lifetime.
   */
  signInWithPassword(wanted: {
    login: string;
    password: string;
    by: readonly ('email' | 'username')[];
    lifetime?: number;
    /** Refused like a wrong password when false (CarePortals' organization users). */
    only?: (account: AccountView) => boolean;
  }): Promise<SignedIn>;
  /**
   * Spends a one-time code made by `sendCode` for this purpose: 'code-refused', 'too-many-requests'.
   * `only`: refused like a wrong code when false. The address is proven: the first proof ends the password,
   * grants, API keys and whatever else was made before it.
   */
  signInWithCode(wanted: {
    email: string;
    code: string;
    purpose: string;
    /** As given to `sendCode`. */
    binding?: string;
    only?: (account: AccountView) => boolean;
  }): Promise<SignedIn>;
  /** One Grant with its tokens for an account that proved itself by other means. */
  signIn(account: AccountView, how: Amr, options?: { lifetime?: number }): Promise<SignedIn>;
  /** 'refresh-refused'. */
  refresh(refreshToken: string): Promise<SignedIn>;

  /* -- ending */

  /** Ends the sign-in behind an access or refresh token of this dialect's client. False: unknown, dead, or not `owner`'s. */
  endSignIn(token: string, options?: { owner?: string }): Promise<boolean>;
  /** Ends the sign-in of the caller. */
  endGrant(grantId: string): Promise<void>;
  /** The account for good, with all its grants, sessions, keys and links, in every dialect. */
  deleteAccount(accountId: string): Promise<void>;

  /* -- accounts */

  /** Fresh from the store. Undefined: unknown, or of another organization. */
  account(id: string): Promise<AccountView | undefined>;
  accountByAlias(alias: string): Promise<AccountView | undefined>;
  /** Undefined also for one that was opened at a place from which this dialect lets nobody in. */
  accountByEmail(email: string): Promise<AccountView | undefined>;
  /** As accountByEmail. */
  accountByUsername(username: string): Promise<AccountView | undefined>;
  /** The id of the account that has this name, wherever it was opened: for registrations. */
  holderOfName(name: string, by: 'email' | 'username'): Promise<string | undefined>;
  /** Every account of the organization, in no order, for the directory. */
  accounts(): AsyncIterable<AccountView>;
  /** 'account-exists', 'password-too-common', 'password-too-short' (passwords as `rules` say). */
  register(account: NewAccount, rules?: { passwordMinimum?: number }): Promise<AccountView>;
  /** Reads, lets `change` decide, writes by compare-and-set, and retries: `change` may run more than once. Null changes nothing. updatedAt moves only when something changed. */
  update(accountId: string, change: (account: AccountView) => AccountChanges | null): Promise<AccountView>;
  /** Refuses while a sign-in with this address would be one too many, and counts nothing. 'too-many-requests'. */
  checkAttempts(email: string): Promise<void>;
  /** Throws 'password-too-short' or 'password-too-common'. */
  judgePassword(password: string, rules: { minimum: number }): void;
  /** True if right. A wrong one counts as a failed sign-in of this account; 'too-many-requests', 'unavailable'. */
  checkPassword(accountId: string, password: string): Promise<boolean>;
  /**
   * Sets it, makes an inactive account active, ends every grant but the caller's and all browser sessions, and
   * tells the owner by letter. The old one was checked before; a first one takes a recent sign-in.
   * 'forbidden', 'password-too-short', 'password-too-common', 'unavailable'.
   */
  setPassword(
    accountId: string,
    password: string,
    options: { minimum: number; changes?: AccountChanges },
  ): Promise<AccountView>;
  /**
   * Sets a new password by a link of the purpose 'reset', which proves the address, and tells the owner. A
   * refused password leaves the link as it is: 'ticket-refused', 'password-too-short', 'password-too-common',
   * 'unavailable'.
   */
  resetPassword(token: string, password: string, rules: { minimum: number }): Promise<AccountView>;

  /* -- letters; sent off the request's path, never failing the request */

  /**
   * Makes a code and sends it; an older one of the purpose that the same client address asked for dies.
   * `quota`: emails per mailbox; past it nothing is sent and the code that was sent stays good. `tries`:
   * wrong ones that each client address has. `account` undefined, here and at sendTicket: the same work for
   * nobody, so that the time tells nothing.
   */
  sendCode(wanted: {
    account: AccountView | undefined;
    purpose: string;
    form: RandomForm;
    /** Seconds. */
    lifetime: number;
    tries: number;
    letter: string;
    quota?: { limit: number; window: number };
    /** Something without which the code is wrong: the address that it goes to. */
    binding?: string;
  }): Promise<void>;
  /** Makes a ticket (with `supersedes`, older ones of the purpose die) and sends the link made from `link`, whose `{token}` and `{organization}` are filled in. */
  sendTicket(wanted: {
    account: AccountView | undefined;
    purpose: string;
    prefix: string;
    lifetime: number;
    link: string;
    letter: string;
    supersedes: boolean;
    quota?: { limit: number; window: number };
    /** The holder of the account's password asks for it: the link's proof leaves that password in force. */
    confirms?: boolean;
  }): Promise<void>;
  /** Undefined: unknown, expired, spent, of another organization, or its account is not active. */
  readTicket(token: string, purpose: string): Promise<AccountView | undefined>;
  /**
   * Spends a link that proves the address, for exactly one caller: the first proof ends whatever was made
   * before it, but for what the link `confirms`. 'ticket-refused'.
   */
  confirmAddress(token: string, purpose: string): Promise<AccountView>;
  /** A letter without code or link. */
  notify(account: AccountView, letter: string): void;

  /* -- upstream identities */

  /** 'invalid-fields' never; 'id-token-refused' for every defect; 'unavailable' when the keys cannot be fetched. */
  verifyIdToken(wanted: {
    provider: 'google' | 'apple';
    idToken: string;
    /** Default: `federation.<provider>.audiences`. */
    audiences?: readonly string[] | undefined;
    /** Seconds since `iat`. */
    maxAge: number;
  }): Promise<UpstreamIdentity>;
  /** As accountByEmail. */
  accountByIdentity(identity: Pick<UpstreamIdentity, 'issuer' | 'subject'>): Promise<AccountView | undefined>;
  /** 'account-exists' when the identity is linked already. */
  linkIdentity(accountId: string, identity: Pick<UpstreamIdentity, 'issuer' | 'subject'>): Promise<void>;
  /** design.md's linking rules: the linked account, the one linked now, a new one, or 'account-exists'. */
  accountForIdentity(identity: UpstreamIdentity, fresh: NewAccount): Promise<AccountView>;
  /** Whether `federation.<provider>` is switched on and the audiences (default: its own) are not empty. */
  hasUpstream(provider: string, audiences?: readonly string[]): boolean;
  /** Starts a redirect sign-in: where to send the browser, and the secret that binds it to this browser. 'not-found' when the provider is not configured. */
  startUpstream(wanted: { provider: string; callback: string; carry: Record<string, Json> }): Promise<{
    url: string;
    binding: string;
  }>;
  /**
   * Finishes it. 'state-refused': absent, unknown, expired, used, or not this browser's. `outcome` is an
   * identity, or why there is none.
   */
  finishUpstream(wanted: { provider: string; query: URLSearchParams; binding: string | undefined }): Promise<{
    carry: Record<string, Json>;
    outcome: UpstreamIdentity | 'denied' | 'failed';
  }>;

  /* -- API keys of an account */

  /** A key that an API key makes ends with its maker. 'too-many-api-keys'. */
  createApiKey(wanted: {
    accountId: string;
    name: string;
    scopes: readonly string[];
    id: RandomForm;
    key: RandomForm;
    limit: number;
  }): Promise<ApiKeyView & { readonly key: string }>;
  listApiKeys(accountId: string): Promise<ApiKeyView[]>;
  /** 'api-key-not-found'. */
  deleteApiKey(accountId: string, keyId: string): Promise<void>;

  /* -- VSee's single sign-on and presence */

  /**
   * The account that was made under `key` in this organization (a second alias, unique by index), or a new
   * one by `fresh`. First calls in parallel make one account.
   */
  findOrCreateByKey(
    key: string,
    fresh: () => Promise<NewAccount>,
  ): Promise<{ account: AccountView; created: boolean }>;
  heartbeat(accountId: string, seconds: number): Promise<{ lastSeenAt: Date }>;
  /** Random text, for names that the vendor's API generates. */
  random(form: RandomForm): string;

  /* -- browsers */

  /**
   * An access token of this dialect as a browser's ticket. Undefined when it is not good. `strict`: good
   * for one use within so many seconds of its creation.
   */
  readBrowserTicket(token: string, options: { strict?: number }): Promise<BrowserTicket | undefined>;
  /** Opens a hosted session for the ticket's account with a new id and ends the one that the browser had. False: somebody spent it first. `burn`: the access token dies. */
  openBrowserSession(
    ticket: BrowserTicket,
    options: { burn: boolean; note?: Record<string, Json> },
  ): Promise<boolean>;
  /** Of the organization of an account, for `portal` and the like. */
  organizationOf(id: string): Promise<OrganizationView | undefined>;

  /** Counts `key` under a counter of this dialect; false over the limit. For limits that no reply shows. */
  within(counter: string, key: string, limit: { limit: number; window: number }): Promise<boolean>;
}

export interface BrowserTicket {
  readonly account: AccountView;
  readonly token: string;
  readonly strict: boolean;
}

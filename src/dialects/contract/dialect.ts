/**
 * What a dialect is: one vendor's sign-in API as data plus small pure functions. A vendor's folder imports
 * this room, fields/ and zod. Everything that is the same for all vendors (route, size, syntax, organization,
 * credential, rights, fields, limits, refusals, headers, audit) is done by pipeline/ in the order that the
 * dialect lists. What an endpoint may *do* is `Use`, bound to the dialect's client and to the request's
 * organization.
 *
 * A dialect must not: keep state, read the clock other than through `use.now()`, hash or draw random
 * values itself, look at raw headers outside its declared functions, or answer outside `refusals` and
 * `answer`.
 */

import type { z } from 'zod';
import type { RandomForm } from '../../core/crypto.ts';
import type { FieldIssue, Reason } from '../../core/refused.ts';
import type { ClinicDecisions } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import type { AccountCaller, AccountView, AnyAccepts, Caller, Endpoint, RequestView } from './endpoint.ts';
import type { LegacyApi } from './legacy-api.ts';
import type { LimitContext, LimitRule } from './limits.ts';
import type { CorsRules, RefusalView, Reply, ReplyContext } from './reply.ts';
import type { Sample } from './sample.ts';
import type { AnySettings } from './settings.ts';
import type { AliasForm, TokenRules } from './tokens.ts';

export { Refused } from '../../core/refused.ts';
export { foldName, isLonger, takeText } from '../../core/text.ts';
export type { AddressClaim, ProfileClaims } from '../../model/account.ts';
export type { Json } from '../../model/json.ts';
export type { FieldIssue, RandomForm, Reason };

/* ------------------------------------------------------------------ the dialect */

export interface Dialect<Settings = AnySettings> {
  readonly name: string;
  /** One line for people: what this API is. */
  readonly title: string;
  /** What people call it, on pages that they read. */
  readonly product: string;
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
   * names none, and what it carries decides (a refresh token, a link token, an sso_token): `use` then belongs to
   * no organization until `signIn.refresh`, a method of `linkTokens` or `browsers.readSsoToken` succeeds, and
   * to that one's afterwards; `organization` is an empty view. Where it names one that is not the caller's, the
   * credential is refused as though it were not good ('invalid-token', 'invalid-api-key').
   */
  organization(question: OrganizationQuestion<Settings>): Promise<string | undefined>;
  /** What a token of this dialect is. */
  readonly tokens: TokenRules<Settings>;
  /** The vendor's id for an account, made when first needed and kept for life. */
  readonly alias: AliasForm;
  /** What API keys of this dialect look like, and whose they are. Without it there are none. */
  readonly apiKeyForm?: {
    readonly id: RandomForm;
    readonly key: RandomForm;
    readonly secret?: RandomForm;
    readonly owner: 'organization' | 'account';
  };
  /** What the standard introspection endpoint says of this dialect's API keys; without it they are unknown there. */
  readonly apiKeys?: {
    /** How every key begins. */
    readonly prefix: string;
    /** What the key is worth now, and vendor claims. */
    describe(
      caller: AccountCaller,
      settings: Settings,
    ): { scopes: readonly string[]; claims: Record<string, Json> };
    /** How people make keys of this dialect on their account page; without it they cannot. */
    readonly offer?: {
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
   * every one does. Places from which all are let in are `admitsFrom` of the settings: the pipeline's key.
   */
  admitsRole?(role: string, settings: Settings): boolean;
  /** Accounts that this dialect does not let in, as though they did not exist. Default: only active ones come in. */
  admits?(account: AccountView, settings: Settings): boolean;
  /**
   * Accounts whose tokens and API keys go on working. Default: only those that `admits` lets in. Blocked
   * accounts' never do, whatever this says (VSee: inactive accounts' tokens do).
   */
  admitsToken?(account: AccountView, settings: Settings): boolean;
  /**
   * Whether the organization's people have a place here, where no request says which organization is meant: a client
   * exchanges its own token for one of this dialect. Default: they have none.
   */
  admitsOrganization?(organization: OrganizationView, settings: Settings): boolean;
  /** The vendor's words for each reason. */
  readonly refusals: Readonly<Record<Reason, (refusal: RefusalView<Settings>) => Reply>>;
  /** Added to every reply of the dialect, refusals included. `charged` are the limits this request was charged to. */
  headers?(context: ReplyContext<Settings>): Readonly<Record<string, string>>;
  readonly cors: CorsRules<Settings>;
  /** Where an upstream answers this dialect, and which one: the address is registered there. */
  upstreamCallback?(settings: Settings): { readonly provider: string; readonly path: string };
  /** Where clinics sign their people in. They hold whether or not the dialect is switched on. */
  readonly clinicDecisions?: ClinicDecisions;
  /** How the vendor's own server is asked. Without it people of a legacy system cannot be taken over. */
  readonly legacy?: LegacyApi<Settings>;
  /** Without it the dialect is served all the same. */
  readonly sample?: Sample<Settings>;
  /**
   * Limits charged when the credential step fails, or the rights step (then `caller` is set); over them the
   * refusal is 'too-many-requests'. Charged as `each`; the organization is part of their keys only when
   * `caller` is set.
   */
  limitsOnRefusedCredential?(context: LimitContext<Settings>): readonly LimitRule[];
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
] as const;

export type Step = (typeof STEPS)[number] | `guard:${string}`;

/** A check of the dialect's own between two steps; throws Refused. */
export type Guard<Settings = AnySettings> = (
  context: OrganizationQuestion<Settings> & {
    /** When the organization step came before and named one. */
    readonly organization: OrganizationView | undefined;
  },
) => void | Promise<void>;

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
   * refusal 'not-an-object' has one issue whose `code` says what it was: 'null', 'array', 'string', 'number', 'boolean'.
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

/** The roles that count here: those that operators gave; without any, the one of this vendor's own registration. */
export function rolesHere({ roles, vendor }: Pick<AccountView, 'roles' | 'vendor'>): readonly string[] {
  if (roles.length > 0 || typeof vendor.role !== 'string') return roles;
  return [vendor.role];
}

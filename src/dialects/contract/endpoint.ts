import type { z } from 'zod';
import type { FieldIssue, Reason } from '../../core/refused.ts';
import type { AccountRecord, ProfileClaims } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import type { BodyRules, OrganizationView, Step } from './dialect.ts';
import type { LimitContext, LimitRule } from './limits.ts';
import type { Reply } from './reply.ts';
import type { AnySettings } from './settings.ts';
import type { Use } from './use.ts';

/** Schemas of an endpoint that is one of many, for the same reason. */
// biome-ignore lint/suspicious/noExplicitAny: the only type that is at once every endpoint's schemas.
export type AnyAccepts = any;

/**
 * Who may call, and what the endpoint then knows of the caller. An 'api-key' may be the organization's or an
 * account's; where a token does as well, the key has to be an account's.
 */
export interface Callers {
  readonly anyone: Caller | undefined;
  readonly token: AccountCaller & { readonly grantId: string };
  readonly 'api-key': Caller;
  readonly 'token-or-api-key': AccountCaller;
}

export type CallerKind = keyof Callers;

export interface Endpoint<
  Accepts extends AcceptsShape = AnyAccepts,
  Settings = AnySettings,
  Kind extends CallerKind = CallerKind,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the base; ':id' names a segment. Starts with '/'. */
  readonly path: string;
  readonly segments?: Readonly<Record<string, RegExp>>;
  /** Openness is spelled out. */
  readonly caller: Kind;
  /**
   * Whether this request to an endpoint for 'anyone' has to show a credential after all (MediSync's resend:
   * where the body names no address). Where none is needed, none is read, `caller` is undefined, and rights are
   * not asked. `raw` is the body before the fields are judged, `{}` when it was not read yet.
   */
  needsCaller?(context: {
    readonly raw: Readonly<Record<string, unknown>>;
    readonly request: RequestView;
  }): boolean;
  /** Where this endpoint's order of checks is not the dialect's; complete as well. */
  readonly order?: readonly Step[];
  /** A new sign-in begins here: what a brown-out refuses. */
  readonly begins?: 'sign-in';
  /**
   * Which of the attempt counters that all channels share stand before this one: all of them, held
   * by `use.signIn` ('sign-in'); the client address's alone, held by the pipeline when every other
   * check has passed ('address'); none ('nothing').
   */
  readonly counts: 'sign-in' | 'address' | 'nothing';
  /** Refusals of this endpoint that count towards the shared counter of the client address (AVYCENNA's 409). Default: none. */
  readonly chargesAddress?: readonly Reason[];
  /** What the caller must be allowed; throws Refused('forbidden' | 'insufficient-scope' | ...). */
  rights?(context: {
    readonly caller: NonNullable<Callers[Kind]>;
    readonly request: RequestView;
    readonly settings: Settings;
    readonly params: Params;
    /** When the organization step came before and named one. */
    readonly organization: OrganizationView | undefined;
  }): void;
  /** Schemas. Issues become the refusal 'invalid-fields' with zod's messages in zod's order; `params.code` of a custom issue becomes FieldIssue.code. */
  readonly accepts?: Accepts | ((settings: Settings) => Accepts);
  /**
   * Differs from the dialect's BodyRules here. `ignored`: a body may be sent and is not looked at, but for its
   * size. Default: the dialect's rules for POST, PUT and PATCH; for GET and DELETE nothing, not even the size.
   */
  readonly body?: Partial<BodyRules> | 'ignored';
  /**
   * A judgement that needs `use`, reported together with the fields' (VisitNote's taken address). Gets the
   * raw body and the issues found so far; resolves with the issues to add (those found so far may be among them).
   */
  alsoJudge?(context: JudgeContext<Settings, Callers[Kind]>): Promise<readonly FieldIssue[]>;
  /** `body` is there where the order of checks has 'fields' before 'limits'. */
  limits?(context: LimitContext<Settings, Parsed<Accepts, 'body'>, Callers[Kind]>): readonly LimitRule[];
  /** zod schemas of the replies, by status: for OpenAPI and for the conformance suite. */
  readonly replies: Readonly<Record<number, z.ZodType>>;
  /** One line for OpenAPI. */
  readonly summary: string;
  answer(context: AnswerContext<Accepts, Settings, Kind>, use: Use): Promise<Reply>;
}

export interface JudgeContext<Settings = AnySettings, Who = Caller | undefined> {
  readonly raw: Record<string, unknown>;
  readonly issues: readonly FieldIssue[];
  readonly use: Use;
  readonly settings: Settings;
  readonly request: RequestView;
  readonly caller: Who;
}

export interface AcceptsShape {
  readonly body?: z.ZodType;
  readonly query?: z.ZodType;
}

export type Parsed<Accepts, Part extends 'body' | 'query'> = Accepts extends {
  readonly [K in Part]: infer S extends z.ZodType;
}
  ? z.output<S>
  : undefined;

export interface AnswerContext<Accepts extends AcceptsShape, Settings, Kind extends CallerKind> {
  readonly body: Parsed<Accepts, 'body'>;
  readonly query: Parsed<Accepts, 'query'>;
  readonly params: Params;
  /** Verified. */
  readonly caller: Callers[Kind];
  readonly request: RequestView;
  readonly settings: Settings;
  readonly organization: OrganizationView;
}

export type Params = Readonly<Record<string, string>>;

/**
 * Keeps the inferred types of an endpoint: `answer` sees the body as the schema gives it, and the caller as
 * `caller` says. For a dialect's settings: `export const endpoint = endpointFor<z.output<typeof settings>>()`.
 */
export function endpointFor<Settings>() {
  return <Kind extends CallerKind, Accepts extends AcceptsShape = Record<never, never>>(
    definition: Endpoint<Accepts, Settings, Kind>,
  ): Endpoint<Accepts, Settings, Kind> => definition;
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

export interface AccountCaller extends Caller {
  readonly account: AccountView;
}

/**
 * An account as dialects see it: everything but its secrets. The alias and the minted members are there, but in
 * accounts that were looked up by a name, a link or an upstream identity.
 */
export interface AccountView extends Readonly<Pick<AccountRecord, Shown>> {
  readonly hasPassword: boolean;
  /** A passkey or an authenticator app. */
  readonly hasFactor: boolean;
  readonly claims: Readonly<ProfileClaims>;
  /** What operators gave. */
  readonly roles: readonly string[];
  /** This dialect's id of the account. */
  readonly alias: string;
  /** `vendor.<this dialect>`, `{}` when there is none. */
  readonly vendor: Readonly<Record<string, Json>>;
}

type Shown =
  | ('id' | 'organization' | 'status' | 'username' | 'email' | 'emailVerified')
  | ('createdAt' | 'updatedAt' | 'lastSignInAt');

/**
 * The OIDC server as the rest of Portico sees it. This folder is the only one that imports oidc-provider.
 * Other rooms use what is listed here and in the contracts beside it, and nothing else of it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Issue } from '../config/issues.ts';
import type { Clock } from '../core/clock.ts';
import type { AccessEnder } from '../identity/context.ts';
import type { AccountRecord } from '../model/account.ts';
import type { LocalText } from '../model/api.ts';
import type { ClientRecord } from '../model/client.ts';
import type { FactorPolicy } from '../model/factors.ts';
import type { Json } from '../model/json.ts';
import type { Audit } from '../observe/audit.ts';
import type { Stores } from '../store/ports/stores.ts';
import type { FastRoute } from './fast-path-contract.ts';
import type { AccessInput, DialectSignIn, GrantIssuer } from './grant-contract.ts';
import type { Registrations } from './registration-contract.ts';

export interface OidcServer {
  /** Answers every OIDC route, and 404 at any other path. Stable over key rotations. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** The methods that are answered at a path; undefined: the path is none of the provider's routes. */
  methods(path: string): readonly string[] | undefined;
  /** Whether a program reads the replies at a path, not a person. */
  isForPrograms(path: string): boolean;
  /** How long an authorization request to a path may be; undefined: the path takes none. */
  bounds(path: string): RequestBounds | undefined;
  /** The fast path's answer to the commonest requests of a route; undefined: the provider alone answers there. */
  fastRoute(method: string, path: string): FastRoute | undefined;
  readonly grants: GrantIssuer;
  readonly access: AccessEnder;
  readonly accountAccess: AccountAccess;
  readonly interactions: Interactions;
  readonly sessions: BrowserSessions;
  /** The signing keys, without their private halves. Retired keys are listed for a while. */
  signingKeys(): readonly SigningKeyView[];
  /** What a client would be refused for, by the rules that every request of it meets; none: it can be used. */
  judgeClient(client: ClientRecord): Promise<readonly Issue[]>;
  readonly registrations: Registrations;
  /** Called once, before the first request: until then introspection says inactive for every token of a dialect. */
  askDialects(dialects: DialectsAsked): void;
  /** Rotates the signing keys when due; `force` now. Other nodes notice within a minute. */
  rotateKeys(options?: { force?: boolean }): Promise<void>;
  /** From now on this process delivers back-channel logouts: its own, and those of other nodes that are due. */
  deliverLogouts(): void;
  /** What dialects work with, on other stores: the signing keys are the same, and no browser gets a session. */
  forDialectsOn(ground: { readonly stores: Stores; readonly clock: Clock; readonly audit: Audit }): Pick<
    OidcServer,
    'grants' | 'access' | 'methods'
  > & {
    readonly sessions: Pick<BrowserSessions, 'open' | 'endOpenedBy'>;
  };
  close(): Promise<void>;
}

/** Bytes. */
export interface RequestBounds {
  /** The whole query or form. */
  readonly whole: number;
  /** Of single parameters. */
  readonly parameters: Readonly<Record<string, number>>;
}

export interface SigningKeyView {
  readonly kid: string;
  readonly alg: string;
  readonly state: 'next' | 'current' | 'previous' | 'retired';
  /** Since when the key is in its state. */
  readonly since: Date;
  /** When the key comes into its next state: next, current, previous, retired, gone. */
  readonly until: Date;
}

/* ------------------------------------------------------------------ API keys of dialects */

export interface DialectsAsked {
  /** Undefined: no API key, or one that is expired or unknown. */
  describeApiKey(key: string): Promise<DescribedApiKey | undefined>;
  /** Judged by its form, so that the answer does not tell whether such a key exists. */
  isApiKey(text: string): boolean;
  /** Whether the dialect of this name lets a token of the account go on that stems from this sign-in. */
  admitsToken(dialect: string, account: AccountRecord, signIn: DialectSignIn): Promise<boolean>;
  /** The access token that the dialect gives the account at a sign-in; undefined: it does not let the account in. */
  offerToken(dialect: string, account: AccountRecord): Promise<OfferedToken | undefined>;
}

export interface OfferedToken {
  readonly clientId: string;
  readonly scope: string;
  readonly access: AccessInput;
}

export interface DescribedApiKey {
  /** The dialect's client: the same clients may introspect the key as introspect its tokens. */
  readonly clientId: string;
  readonly organization: string;
  /** Account id. */
  readonly subject: string;
  /** Space-separated scopes that the key has now. */
  readonly scope: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly claims: Readonly<Record<string, Json>>;
}

/* ------------------------------------------------------------------ what an account has given access to */

export interface AccountAccess {
  listGrants(accountId: string): Promise<GrantView[]>;
  /** When a token of the grant was last issued or used up. */
  lastUseOf(grantId: string): Promise<Date | undefined>;
  /** The consents that are remembered for the next request, whether their client has a grant now or not. */
  listConsents(accountId: string): Promise<ConsentView[]>;
  listSessions(accountId: string): Promise<SessionView[]>;
  /** Ends a grant and forgets its client's consent. Resolves with what ended; empty: the grant is not the account's. */
  endGrant(accountId: string, grantId: string): Promise<readonly ('grant' | 'consent')[]>;
  /** The same for a client without a grant. */
  endConsent(accountId: string, clientId: string): Promise<readonly 'consent'[]>;
  /** False: not the account's. */
  endSession(accountId: string, sessionUid: string): Promise<boolean>;
}

export interface GrantView extends Omit<ConsentView, 'claims'> {
  readonly grantId: string;
}

export interface ConsentView {
  readonly clientId: string;
  readonly clientName: string;
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  /** Of a consent: the last time. */
  readonly createdAt: Date;
  readonly expiresAt?: Date;
}

export interface SessionView {
  readonly uid: string;
  readonly signedInAt: Date;
  /** When a client last came by it. */
  readonly lastUsedAt: Date;
  /** Ids of the clients that came by it. */
  readonly clients: readonly string[];
  readonly amr: readonly string[];
  /** "Firefox" on "Linux": what was known of the browser when it signed in. */
  readonly browser?: { readonly browser?: string; readonly system?: string };
  readonly expiresAt?: Date;
}

/* ------------------------------------------------------------------ interactions and browser sessions */

export interface Interactions {
  /** The interaction of this browser. InteractionGone when there is none, it expired, or it is another browser's. */
  read(request: IncomingMessage): Promise<InteractionView>;
  /** Finishes the login prompt. Resolves, as the next three do, with the address that the browser goes on to. */
  finishLogin(
    request: IncomingMessage,
    login: Omit<LoginResult, 'accountId'> & { readonly account: AccountRecord },
  ): Promise<string>;
  /** Goes on with the account that is signed in. InteractionGone unless the prompt is the choice of an account. */
  finishChoice(request: IncomingMessage): Promise<string>;
  /**
   * Grants what the client asked for (all of it). `remembered`: with the account, not with the browser
   * session alone.
   */
  finishConsent(request: IncomingMessage): Promise<{ address: string; remembered: boolean }>;
  /** Back to the client with an error, e.g. access_denied. */
  abort(request: IncomingMessage, error: { error: string; description: string }): Promise<string>;
  /** The organization that the person chose, where the request named none; undefined: the page asks again. */
  chooseOrganization(
    request: IncomingMessage,
    choice: { readonly organization: string | undefined; readonly kept: Record<string, Json> },
  ): Promise<void>;
  /** Keeps the state of a sign-in of several steps with the interaction. */
  keep(request: IncomingMessage, kept: Record<string, Json>): Promise<void>;
}

export class InteractionGone extends Error {
  override readonly name = 'InteractionGone';
}

export interface LoginResult {
  readonly accountId: string;
  readonly amr: readonly string[];
  readonly acr: string;
  /** False: the cookie ends with the browser. */
  readonly remember?: boolean;
}

export interface ScopesOfApi {
  readonly name: LocalText;
  /** Scope -> what it allows. */
  readonly scopes: Readonly<Record<string, LocalText>>;
}

export interface InteractionView {
  readonly uid: string;
  readonly prompt: 'login' | 'consent' | 'select_account' | 'create' | (string & {});
  readonly reasons: readonly string[];
  readonly client: {
    readonly clientId: string;
    readonly name: string;
    readonly logoUri?: string;
    readonly policyUri?: string;
    readonly tosUri?: string;
    readonly firstParty: boolean;
    /** No operator registered it: what is certain of it is the host, and its name is a claim. */
    readonly unregistered?: {
      readonly host: string;
      /** The code goes to a program on the person's own device. */
      readonly onDevice: boolean;
    };
    /** It registered itself: no operator knows it. */
    readonly registered: boolean;
    /** Whether people may open accounts on the way to it; absent: as the organization says. */
    readonly registration?: boolean;
    /** How the sign-in page begins; absent: as the organization says. */
    readonly signIn?: 'password' | 'name-first';
    /** Its own. */
    readonly organization: string;
    /** Whose people sign in to it. */
    readonly organizations: readonly string[] | 'all';
    /** How a page asks for one of them. */
    readonly chooseOrganization: 'email' | 'list';
  };
  /** The client's own while none is known: the page wears its brand. */
  readonly organization: string;
  /** The request names it, the person chose it, or there is one only. */
  readonly organizationKnown: boolean;
  readonly loginHint?: string;
  /** Where the answer goes. Absent for a device. */
  readonly redirectUri?: string;
  readonly uiLocales: readonly string[];
  readonly acrValues: readonly string[];
  /** The account that is signed in, when one of the client's organization is. */
  readonly accountId?: string;
  /** How that account signed in. */
  readonly amr?: readonly string[];
  readonly browser?: SessionView['browser'];
  /** The request asks for two proofs, or for a passkey (`phr`): acr_values, or an essential acr claim. */
  readonly stepUp: 'stepup' | 'phr' | undefined;
  /** What the organization and the client ask of their people. */
  readonly factorPolicies: readonly FactorPolicy[];
  /** The sign-in is done; the browser only has to be sent on, to this address. */
  readonly finished?: string;
  /** For consent: scopes and claims that are new. */
  readonly missingScopes: readonly string[];
  readonly missingClaims: readonly string[];
  /** Those of the new scopes that APIs have, in words. */
  readonly missingApis: readonly ScopesOfApi[];
  /** The interaction signs in a device that showed a code (RFC 8628): no redirect leads back to it. */
  readonly forDevice: boolean;
  readonly kept: Readonly<Record<string, Json>>;
}

export interface BrowserSessions {
  /** Signs the browser in as the account, with a new session id. The session that it had ends, whichever account's. */
  open(
    request: IncomingMessage,
    response: ServerResponse,
    session: Omit<LoginResult, 'remember'> & {
      note?: Record<string, Json>;
      /** The grant whose token opens it. */
      openedBy?: string;
    },
  ): Promise<void>;
  /** The account that is signed in with this browser. */
  read(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<(SessionView & { accountId: string }) | undefined>;
  /** Ends the sessions that a grant's tokens have opened. */
  endOpenedBy(grant: { readonly grantId: string; readonly accountId: string }): Promise<void>;
  /** Ends the browser's session and drops its cookie. */
  end(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/** The client of an organization's account pages (account-client.ts). No stored client has a colon in its id. */
export function accountClientId(organization: string): string {
  return `portico-account:${organization}`;
}

/** Where the browser comes back to after signing in for the account pages. */
export const ACCOUNT_RETURN = '/account/signed-in';

export const ACR = {
  legacy: 'urn:portico:acr:legacy',
  single: 'urn:portico:acr:single',
  stepup: 'urn:portico:acr:stepup',
  phr: 'urn:portico:acr:phr',
} as const;

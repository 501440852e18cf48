import type { RandomForm } from '../../core/crypto.ts';
import type { AccountStatus, ProfileClaims } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import type { OrganizationView } from './dialect.ts';
import type { AccountView } from './endpoint.ts';
import type { Amr, SignedIn } from './tokens.ts';

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
  signInWithPassword(input: {
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
  signInWithCode(input: {
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
   * tells the owner by email. The old one was checked before; a first one takes a recent sign-in.
   * 'forbidden', 'password-too-short', 'password-too-common', 'unavailable'.
   */
  setPassword(
    accountId: string,
    password: string,
    options: { minimum: number; changes?: AccountChanges },
  ): Promise<AccountView>;
  /**
   * Sets a new password by a link of the purpose 'reset', which proves the address, and tells the owner. A
   * refused password leaves the link as it is: 'link token-refused', 'password-too-short', 'password-too-common',
   * 'unavailable'.
   */
  resetPassword(token: string, password: string, rules: { minimum: number }): Promise<AccountView>;

  /* -- emails; sent off the request's path, never failing the request */

  /**
   * Makes a code and sends it; an older one of the purpose that the same client address asked for dies.
   * `quota`: emails per mailbox; past it nothing is sent and the code that was sent stays good. `tries`:
   * wrong ones that each client address has. `account` undefined, here and at sendTicket: the same work for
   * nobody, so that the time tells nothing.
   */
  sendCode(input: {
    account: AccountView | undefined;
    purpose: string;
    form: RandomForm;
    /** Seconds. */
    lifetime: number;
    tries: number;
    email: string;
    quota?: { limit: number; window: number };
    /** Something without which the code is wrong: the address that it goes to. */
    binding?: string;
  }): Promise<void>;
  /** Makes a link token (with `supersedes`, older ones of the purpose die) and sends the link made from `link`, whose `{token}` and `{organization}` are filled in. */
  sendLinkToken(input: {
    account: AccountView | undefined;
    purpose: string;
    prefix: string;
    lifetime: number;
    link: string;
    email: string;
    supersedes: boolean;
    quota?: { limit: number; window: number };
    /** The holder of the account's password asks for it: the link's proof leaves that password in force. */
    confirms?: boolean;
  }): Promise<void>;
  /** Undefined: unknown, expired, spent, of another organization, or its account is not active. */
  readLinkToken(token: string, purpose: string): Promise<AccountView | undefined>;
  /**
   * Spends a link that proves the address, for exactly one caller: the first proof ends whatever was made
   * before it, but for what the link `confirms`. 'link token-refused'.
   */
  confirmAddress(token: string, purpose: string): Promise<AccountView>;
  /** An email without code or link. */
  notify(account: AccountView, email: string): void;

  /* -- upstream identities */

  /** 'invalid-fields' never; 'id-token-refused' for every defect; 'unavailable' when the keys cannot be fetched. */
  verifyIdToken(input: {
    provider: string;
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
  startUpstream(input: { provider: string; callback: string; carry: Record<string, Json> }): Promise<{
    url: string;
    binding: string;
  }>;
  /**
   * Finishes it. 'state-refused': absent, unknown, expired, used, or not this browser's. `outcome` is an
   * identity, or why there is none.
   */
  finishUpstream(input: { provider: string; query: URLSearchParams; binding: string | undefined }): Promise<{
    carry: Record<string, Json>;
    outcome: UpstreamIdentity | 'denied' | 'failed';
  }>;

  /* -- API keys of an account */

  /** A key that an API key makes ends with its maker. 'too-many-api-keys'. */
  createApiKey(input: {
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
   * An access token of this dialect as a browser's link token. Undefined when it is not good. `strict`: good
   * for one use within so many seconds of its creation.
   */
  readSsoToken(token: string, options: { strict?: number }): Promise<SsoToken | undefined>;
  /** Opens a hosted session for the link token's account with a new id and ends the one that the browser had. False: somebody spent it first. `burn`: the access token dies. */
  openBrowserSession(
    linkToken: SsoToken,
    options: { burn: boolean; note?: Record<string, Json> },
  ): Promise<boolean>;
  /** Of the organization of an account, for `portal` and the like. */
  organizationOf(id: string): Promise<OrganizationView | undefined>;

  /** Counts `key` under a counter of this dialect; false over the limit. For limits that no reply shows. */
  within(counter: string, key: string, limit: { limit: number; window: number }): Promise<boolean>;
}

export interface SsoToken {
  readonly account: AccountView;
  readonly token: string;
  readonly strict: boolean;
}

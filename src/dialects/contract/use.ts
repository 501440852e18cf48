import type { RandomForm } from '../../core/crypto.ts';
import type { AccountRecord, ProfileClaims } from '../../model/account.ts';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { EmailName } from '../../model/email-name.ts';
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

export interface NewAccount
  extends Partial<
    Readonly<Pick<AccountRecord, 'email' | 'emailVerified' | 'username' | 'status' | 'claims'>>
  > {
  readonly password?: string;
  /** `role`: what this vendor's registration implies. Only operators give an account its `roles`. */
  readonly vendor?: Readonly<Record<string, Json>>;
}

export type ApiKeyView = Readonly<Pick<ApiKeyRecord, 'id' | 'name' | 'scopes' | 'createdAt' | 'lastUsedAt'>>;

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
  /** Marks the token used; false when it was used before. Call it when nothing else can refuse any more. */
  use(): Promise<boolean>;
  /** Undoes `use`, where something did refuse after all. */
  takeBack(): Promise<void>;
}

/**
 * The only way in which a dialect acts. Bound to its client, its name and the request's organization: it cannot
 * issue a token for another client or see an account of another organization. Accounts that are not of that
 * organization do not exist here. Methods throw Refused with the reasons that they name. Each group is made
 * when an endpoint first uses it.
 */
export interface Use {
  readonly signIn: SignInUse;
  readonly signOut: SignOutUse;
  readonly accounts: AccountsUse;
  readonly passwords: PasswordsUse;
  readonly emails: EmailsUse;
  readonly linkTokens: LinkTokensUse;
  readonly upstreams: UpstreamsUse;
  readonly apiKeys: ApiKeysUse;
  readonly browsers: BrowsersUse;
  /** The server's clock. */
  now(): Date;
  /** Random text, for names that the vendor's API generates. */
  random(form: RandomForm): string;
  /** Counts `key` under a counter of this dialect; false over the limit. For limits that no reply shows. */
  within(counter: string, key: string, limit: { limit: number; window: number }): Promise<boolean>;
}

/** Each method makes one grant with its tokens, and writes an audit event. */
export interface SignInUse {
  /**
   * `login` is tried as each of `by` in turn. Same work and same refusal for unknown, wrong, no password,
   * not active, not admitted: 'sign-in-refused'. 'too-many-requests' by the shared counters, 'unavailable'
   * when too many passwords wait. `lifetime`: seconds, instead of the dialect's access lifetime.
   */
  withPassword(input: {
    login: string;
    password: string;
    by: readonly ('email' | 'username')[];
    lifetime?: number;
    /** Refused like a wrong password when false (CarePortals' organization users). */
    only?: (account: AccountView) => boolean;
  }): Promise<SignedIn>;
  /**
   * Consumes a one-time code that `emails.sendCode` made for this purpose: 'code-refused', 'too-many-requests'.
   * `only`: refused like a wrong code when false. The code proves the address: the first proof ends the
   * password, grants, API keys and whatever else was made before it.
   */
  withCode(input: {
    email: string;
    code: string;
    purpose: string;
    /** As given to `sendCode`. */
    binding?: string;
    only?: (account: AccountView) => boolean;
  }): Promise<SignedIn>;
  /** For an account that was authenticated by other means. */
  as(account: AccountView, how: Amr, options?: { lifetime?: number }): Promise<SignedIn>;
  /** 'refresh-refused'. */
  refresh(refreshToken: string): Promise<SignedIn>;
}

export interface SignOutUse {
  /** Ends the sign-in behind an access or refresh token of this dialect's client. False: unknown, dead, or not `owner`'s. */
  byToken(token: string, options?: { owner?: string }): Promise<boolean>;
  /** Ends the sign-in of the caller. */
  byGrant(grantId: string): Promise<void>;
}

export interface AccountsUse {
  /** Read from the store now. Undefined: unknown, or of another organization. */
  byId(id: string): Promise<AccountView | undefined>;
  byAlias(alias: string): Promise<AccountView | undefined>;
  /** Undefined also for one that was opened at a place that this dialect does not admit. */
  byEmail(email: string): Promise<AccountView | undefined>;
  /** As byEmail. */
  byUsername(username: string): Promise<AccountView | undefined>;
  /** The id of the account that has this name, wherever it was opened: for registrations. */
  holderOf(name: string, by: 'email' | 'username'): Promise<string | undefined>;
  /** Every account of the organization, in no order, batch by batch, for the directory. */
  all(): AsyncIterable<readonly AccountView[]>;
  /** 'account-exists', 'password-too-common', 'password-too-short' (passwords as `rules` say). */
  register(account: NewAccount, rules?: { passwordMinimum?: number }): Promise<AccountView>;
  /** Reads, lets `change` decide, writes by compare-and-set, and retries: `change` may run more than once. Null changes nothing. updatedAt moves only when something changed. */
  update(accountId: string, change: (account: AccountView) => AccountChanges | null): Promise<AccountView>;
  /** For good, with all its grants, sessions, keys and links, in every dialect. */
  delete(accountId: string): Promise<void>;
  /**
   * The account that was made under `key` in this organization (a second alias, unique by index), or a new
   * one by `fresh`. First calls in parallel make one account.
   */
  findOrCreateByKey(
    key: string,
    fresh: () => Promise<NewAccount>,
  ): Promise<{ account: AccountView; created: boolean }>;
  heartbeat(accountId: string, seconds: number): Promise<{ lastSeenAt: Date }>;
}

export interface PasswordsUse {
  /** Refuses while a sign-in with this address would be one too many, and counts nothing. 'too-many-requests'. */
  checkAttempts(email: string): Promise<void>;
  /** Throws 'password-too-short' or 'password-too-common'. */
  judge(password: string, rules: { minimum: number }): Promise<void>;
  /** True if right. A wrong one counts as a failed sign-in of this account; 'too-many-requests', 'unavailable'. */
  check(accountId: string, password: string): Promise<boolean>;
  /**
   * Sets it, makes an inactive account active, ends every grant but the caller's and all browser sessions, and
   * tells the owner by email. The old one was checked before; a first one takes a recent sign-in.
   * 'forbidden', 'password-too-short', 'password-too-common', 'unavailable'.
   */
  set(
    accountId: string,
    password: string,
    options: { minimum: number; changes?: AccountChanges },
  ): Promise<AccountView>;
}

/** As the client sent it. */
export interface Named {
  readonly email: string;
  readonly names?: Pick<ProfileClaims, 'given_name' | 'family_name'>;
}

/** Emails are sent after the reply, and never fail a request. */
export interface EmailsUse {
  /**
   * Makes a code and sends it; an older one of the purpose that the same client address asked for dies.
   * `quota`: emails per mailbox; past it nothing is sent and the code that was sent stays good. `tries`:
   * wrong ones that each client address has. Where `account` is undefined, here and at sendLinkToken, the same
   * work is done without an email, so that the time tells nothing.
   */
  sendCode(input: {
    account: AccountView | undefined;
    purpose: string;
    form: RandomForm;
    /** Seconds. */
    lifetime: number;
    tries: number;
    email: EmailName;
    quota?: { limit: number; window: number };
    /** Something without which the code is wrong: the address that it goes to. */
    binding?: string;
    /** Whom the client names: who is unknown here may be a legacy system's, which then writes itself. */
    named: Named;
  }): Promise<void>;
  /** Makes a link token (with `supersedes`, older ones of the purpose die) and sends the link made from `link`, whose `{token}` and `{organization}` are filled in. */
  sendLinkToken(input: {
    account: AccountView | undefined;
    purpose: string;
    prefix: string;
    lifetime: number;
    link: string;
    email: EmailName;
    supersedes: boolean;
    quota?: { limit: number; window: number };
    /** The holder of the account's password asks for it: the link's proof leaves that password in force. */
    confirms?: boolean;
    /** Of a link for a new password: as for `sendCode`. */
    named?: Named;
  }): Promise<void>;
}

export interface LinkTokensUse {
  /** Undefined: unknown, expired, consumed, of another organization, or its account is not active. */
  read(token: string, purpose: string): Promise<AccountView | undefined>;
  /**
   * Consumes a link that proves the address, for exactly one caller: the first proof ends whatever was made
   * before it, but for what the link `confirms`. One that is not ours is used at the legacy system.
   * 'link-token-refused', 'unavailable'.
   */
  confirmAddress(token: string, purpose: string): Promise<void>;
  /**
   * Sets a new password by a link of the purpose 'reset', which proves the address, and tells the owner. A
   * refused password leaves the link as it is: 'link-token-refused', 'password-too-short', 'password-too-common',
   * 'unavailable'. One that is not ours is used at the legacy system.
   */
  resetPassword(token: string, password: string, rules: { minimum: number }): Promise<void>;
  /** A link for a new password that is not ours: whether the legacy system takes it. 'unavailable'. */
  isLegacy(token: string): Promise<boolean>;
}

export interface UpstreamsUse {
  /** 'id-token-refused' for every defect; 'unavailable' when the keys cannot be fetched. */
  verifyIdToken(input: {
    provider: string;
    idToken: string;
    /** Default: `federation.<provider>.audiences`. */
    audiences?: readonly string[] | undefined;
    /** Seconds since `iat`. */
    maxAge: number;
  }): Promise<UpstreamIdentity>;
  /**
   * The account to which the identity is linked, as `accounts.byEmail` finds one. `presented`: a legacy system may
   * know the person by this ID token, and they are linked then.
   */
  findAccount(
    identity: Pick<UpstreamIdentity, 'issuer' | 'subject' | 'email'>,
    presented?: Named & { readonly provider: string; readonly idToken: string },
  ): Promise<AccountView | undefined>;
  /** 'account-exists' when the identity is linked already. */
  link(accountId: string, identity: Pick<UpstreamIdentity, 'issuer' | 'subject'>): Promise<void>;
  /** The linked account, the one that a proven address links now, a new one, or 'account-exists'. */
  findOrCreateAccount(identity: UpstreamIdentity, fresh: NewAccount): Promise<AccountView>;
  /** Whether `federation.<provider>` is switched on and the audiences (default: its own) are not empty. */
  has(provider: string, audiences?: readonly string[]): boolean;
  /** Starts a redirect sign-in: where to send the browser, and the secret that binds it to this browser. 'not-found' when the provider is not configured. */
  start(input: { provider: string; callback: string; carry: Record<string, Json> }): Promise<{
    url: string;
    binding: string;
  }>;
  /**
   * Finishes it. 'state-refused': absent, unknown, expired, used, or not this browser's. `outcome` is an
   * identity, or why there is none.
   */
  finish(input: { provider: string; query: URLSearchParams; binding: string | undefined }): Promise<{
    carry: Record<string, Json>;
    outcome: UpstreamIdentity | 'denied' | 'failed';
  }>;
}

/** API keys of an account. */
export interface ApiKeysUse {
  /** A key that an API key makes ends with its maker. 'too-many-api-keys'. */
  create(input: {
    accountId: string;
    name: string;
    scopes: readonly string[];
    id: RandomForm;
    key: RandomForm;
    limit: number;
  }): Promise<ApiKeyView & { readonly key: string }>;
  list(accountId: string): Promise<ApiKeyView[]>;
  /** 'api-key-not-found'. */
  delete(accountId: string, keyId: string): Promise<void>;
}

export interface BrowsersUse {
  /**
   * An access token of this dialect as a browser's link token. Undefined when it is not good. `strict`: good
   * for one use within so many seconds of its creation.
   */
  readSsoToken(token: string, options: { strict?: number }): Promise<SsoToken | undefined>;
  /** Opens a hosted session for the link token's account with a new id and ends the one that the browser had. False: another request consumed it first. `burn`: the access token dies. */
  openSession(linkToken: SsoToken, options: { burn: boolean; note?: Record<string, Json> }): Promise<boolean>;
}

export interface SsoToken {
  readonly account: AccountView;
  readonly organization: OrganizationView;
  readonly token: string;
  /** Its sign-in. */
  readonly grantId: string;
  readonly strict: boolean;
}

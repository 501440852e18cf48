/**
 * The second factors of an account, what rests on them, and the policies that ask for one. What is stored signs no one
 * in: public keys, HMACs, and a salt that is worth nothing without the server key.
 */

/** WebAuthn: one credential of one authenticator. Times are ISO 8601, bytes are base64url. */
export interface Passkey {
  /** The credential's id. */
  readonly id: string;
  name: string;
  /** COSE. */
  readonly publicKey: string;
  /** The authenticator's sign counter; 0 where it has none. */
  counter: number;
  readonly transports: readonly string[];
  /** It may be copied to other devices (BE), and it has been (BS). */
  readonly backupEligible: boolean;
  backedUp: boolean;
  readonly createdAt: string;
  lastUsedAt?: string;
}

/** An authenticator app (RFC 6238). Its secret is an HMAC over the salt, made anew for each use and never stored. */
export interface AuthenticatorApp {
  readonly salt: string;
  /** The time step of the last code that was accepted: no code of it, or before it, is accepted again. */
  step: number;
  readonly createdAt: string;
  lastUsedAt?: string;
}

/** A browser that is not asked for a second factor. */
export interface RememberedDevice {
  /** HMAC of the cookie's value. */
  readonly hash: string;
  readonly name: string;
  readonly createdAt: string;
  readonly until: string;
  lastUsedAt?: string;
}

/** A password for one dialect's clients, which cannot ask for a second factor. */
export interface AppPassword {
  readonly id: string;
  readonly dialect: string;
  readonly name: string;
  /** HMAC: the password is long and random. */
  readonly hash: string;
  readonly createdAt: string;
  lastUsedAt?: string;
}

/** A member is absent where there is nothing in it. */
export interface Factors {
  passkeys?: Passkey[];
  app?: AuthenticatorApp;
  /** HMACs of the recovery codes that are left. */
  recoveryCodes?: string[];
  devices?: RememberedDevice[];
  appPasswords?: AppPassword[];
}

export function passkeysOf({ factors }: { readonly factors?: Factors }): readonly Passkey[] {
  return factors?.passkeys ?? [];
}

/** The name under which an account holds the ids of its passkeys (identity/factors/credential-owners.ts). */
export function passkeyHolder(accountId: string): string {
  return `passkeys:${accountId}`;
}

/** What an operator may see: how many there are, and nothing else of them. */
export function factorCounts({ app, ...lists }: Factors): Record<string, number> {
  const { passkeys = [], recoveryCodes = [], devices = [], appPasswords = [] } = lists;
  return {
    ...{ passkeys: passkeys.length, apps: app === undefined ? 0 : 1, recoveryCodes: recoveryCodes.length },
    ...{ devices: devices.length, appPasswords: appPasswords.length },
  };
}

/** Whether the account has a second factor: what else it holds rests on one. */
export function hasFactor(account: { readonly factors?: Factors }): boolean {
  return account.factors?.app !== undefined || passkeysOf(account).length > 0;
}

/** What an organization, or a client, asks of its people. The stricter of the two counts. */
export interface FactorPolicy {
  /** Default: optional. */
  readonly require?: 'optional' | 'required' | 'required-for-roles';
  /** Of `required-for-roles`. */
  readonly roles?: readonly string[];
  /** Default: both. */
  readonly offered?: readonly ('passkey' | 'app')[];
  /** ISO 8601: when people began to be asked; noted by the server where it is absent. */
  readonly since?: string;
  /** Days from `since`, or from the opening of the account, in which a person may put off setting one up. Default: 14. */
  readonly graceDays?: number;
  /** Days for which a browser is not asked again; 0: never. Default: 30. */
  readonly rememberDays?: number;
}

/** The policy in the metadata of a stored client. */
export function policyIn({ factors }: Readonly<Record<string, unknown>> = {}): FactorPolicy | undefined {
  return factors === undefined ? undefined : Object(factors);
}

/** As an operator writes it down. */
export function policyForm({ graceDays, rememberDays, ...rest }: FactorPolicy) {
  return {
    ...rest,
    ...(graceDays !== undefined && { grace_days: graceDays }),
    ...(rememberDays !== undefined && { remember_days: rememberDays }),
  };
}

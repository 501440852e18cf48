/**
 * What Portico needs of a database, by subject. Three back ends implement it: `embedded/` (one SQLite
 * file), and `mongo/` with `redis/` together (`distributed`). test/conformance/ holds one suite per port,
 * without a word about which back end it runs on.
 *
 * Promises that hold for every method of every port:
 * - It rejects with StoreUnavailable, within seconds, when the database cannot be reached; never hangs.
 * - Expiry is judged on read by the caller's `now`. Sweepers only clean up; no answer depends on them.
 * - Values are stored as given: identifiers that could be guessed or stolen arrive here hashed already
 *   (HMAC under a key outside the store), secret payloads arrive encrypted. A store never sees a usable secret.
 * - Strings may contain any character (":", "*", NUL, newline) and never change another record's key.
 * - Records come back as copies: changing one changes nothing in the store.
 */

import type { Watch } from '../../core/kept-answers.ts';
import { foldCase } from '../../core/text.ts';
import { type AccountRecord, legacyStandings } from '../../model/account.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import type { AccountStore, LoginName } from './accounts.ts';
import type { ApiKeyStore } from './api-keys.ts';
import type { AuditStore } from './audit.ts';
import type { CodeStore } from './codes.ts';
import type { DeliveryStore } from './deliveries.ts';
import type { IdentityStore } from './identities.ts';
import type {
  ApiStore,
  ClientStore,
  KeyringStore,
  MetadataStore,
  OrganizationStore,
  TakenOfOrganization,
} from './installation.ts';
import type { LeaseStore } from './leases.ts';
import type { LinkTokenStore } from './link-tokens.ts';
import type { OidcRecordStore } from './oidc-records.ts';
import type { PresenceStore } from './presence.ts';
import type { RateLimitStore } from './rate-limits.ts';
import type { UsageStore } from './usage.ts';

/** How names are compared that must be unique without case. The same in every back end. */
export { foldCase as foldName } from '../../core/text.ts';

export interface Stores {
  readonly accounts: AccountStore;
  readonly identities: IdentityStore;
  readonly organizations: OrganizationStore;
  readonly clients: ClientStore;
  readonly apis: ApiStore;
  readonly apiKeys: ApiKeyStore;
  readonly oidcRecords: OidcRecordStore;
  readonly keyring: KeyringStore;
  readonly rateLimits: RateLimitStore;
  readonly codes: CodeStore;
  readonly linkTokens: LinkTokenStore;
  readonly leases: LeaseStore;
  readonly presence: PresenceStore;
  readonly deliveries: DeliveryStore;
  readonly audit: AuditStore;
  readonly usage: UsageStore;
  readonly metadata: MetadataStore;
  /** Absent where the store is another process. */
  readonly watch?: Watch;
  /** Creates or upgrades what the back end needs (tables, indexes). Safe to repeat and to run from many processes at once. */
  migrate(): Promise<void>;
  /**
   * One entry per server behind this back end, each written to and read back: a full or read-only one is not ok.
   * Never rejects.
   */
  health(): Promise<StoreHealth[]>;
  /** How full the memory of short-lived records is, from 0 to 1; 0 where it has no bound or does not tell. A moment old. */
  fullness(): Promise<number>;
  /** Deletes records that expired before `now`, in bounded batches; resolves with how many. */
  sweep(now: Date): Promise<number>;
  close(): Promise<void>;
}

export interface StoreHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** Codes of one key that are good at the same time, each asked for by another client. */
export const KEPT_CODES = 3;

/** Of the accounts that a look-up by several names found, the one that comes first in `by`. */
export function firstByLogin(
  accounts: readonly AccountRecord[],
  login: string,
  by: readonly LoginName[],
): AccountRecord | undefined {
  const named =
    (name: LoginName) =>
    ({ [name]: stored }: AccountRecord) =>
      stored !== undefined && foldCase(stored) === foldCase(login);
  return by.map((name) => accounts.find(named(name))).find((account) => account !== undefined);
}

/** What accounts are tallied by; undefined: no legacy system knows the person. */
export function standingsText(account: AccountRecord): string | undefined {
  return account.legacy && JSON.stringify(legacyStandings(account));
}

/** A domain among the host names, where it is as unique as they are: no host name begins so. */
export const ofEmails = (domain: string) => `@${domain.toLowerCase()}`;

/** The names that belong to one organization at most. */
export function namesOf({ hosts, emailDomains = [] }: OrganizationRecord): string[] {
  return [...new Set([...hosts.map((host) => host.toLowerCase()), ...emailDomains.map(ofEmails)])];
}

export function takenName(name: string): TakenOfOrganization {
  return name.startsWith('@') ? `email-domain:${name.slice(1)}` : `host:${name}`;
}

/** The account with its address in the spelling of a look-up; an older Portico may have stored another. */
export function withAsciiDomain(account: AccountRecord): AccountRecord {
  const { email } = account;
  return email === undefined ? account : { ...account, email: foldCase(email) };
}

/** What an operator reads when that spelling is another account's already. */
export const SAME_MAILBOX =
  'Two accounts have one email address, in two spellings of its internationalized domain. This one is not found by ' +
  'it any more: give it another address, or delete it.';

type Defined<Members> = {
  [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
} & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<
    Members[Name],
    undefined
  >;
};

/** The members that have a value: to a database, and in a comparison, an undefined member is there. */
export function defined<Members extends object>(members: Members): Defined<Members> {
  const present: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) if (value !== undefined) present[name] = value;
  return present as Defined<Members>;
}

/**
 * The record that was stored as JSON text. `moments` become Dates again; `present` is what the back end keeps
 * beside the text, and stands instead of what the text says of it.
 */
export function recordFrom<Stored extends object>(
  text: string,
  moments: readonly (keyof Stored & string)[] = [],
  present: { readonly [Name in keyof Stored]?: Stored[Name] | undefined } = {},
): Stored {
  const record = JSON.parse(text);
  for (const [name, value] of Object.entries(present)) {
    if (value !== undefined) record[name] = value;
    else if (name in record) delete record[name];
  }
  for (const name of moments) if (record[name] !== undefined) record[name] = new Date(record[name]);
  return record;
}

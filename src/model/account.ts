import { type Factors, factorCounts, passkeysOf } from './factors.ts';
import type { Json } from './json.ts';

export type AccountStatus = 'active' | 'inactive' | 'blocked';

/** OIDC Core 5.1.1. */
export interface AddressClaim {
  formatted?: string;
  street_address?: string;
  locality?: string;
  region?: string;
  postal_code?: string;
  country?: string;
}

/** Standard claims of OIDC Core 5.1 that an account may carry besides e-mail and username. */
export interface ProfileClaims {
  name?: string;
  given_name?: string;
  family_name?: string;
  middle_name?: string;
  nickname?: string;
  profile?: string;
  website?: string;
  picture?: string;
  gender?: string;
  birthdate?: string;
  zoneinfo?: string;
  locale?: string;
  phone_number?: string;
  phone_number_verified?: boolean;
  address?: AddressClaim;
}

/** What a legacy system still decides about an account. */
export interface LegacyEntry {
  /** Who decides about the password: the legacy system, until a password is set here. */
  password: 'legacy' | 'portico';
  /** ISO 8601: the legacy system's last yes to the password. */
  confirmedAt?: string;
  /** Where the legacy system confirmed another password than the account's own. */
  passwordHash?: string;
}

/**
 * How far a person whom a legacy system knows has come. 'roster': without a password here; 'takenOver': the legacy
 * system decides about the password, which is known here; 'here': it was set here.
 */
export type LegacyStanding = 'roster' | 'takenOver' | 'here';

/** A person in one organization. */
export interface AccountRecord {
  /** Opaque and constant: the OIDC `sub`. */
  readonly id: string;
  readonly organization: string;
  status: AccountStatus;
  /** As the person may read it: trimmed, NFC, lower case. Unique per organization, compared folded. */
  email?: string;
  emailVerified: boolean;
  /** Sign-in name. Unique per organization, compared folded. */
  username?: string;
  /** A PHC string of our own, or a text of identity/hashes of an imported account. */
  passwordHash?: string;
  factors?: Factors;
  claims: ProfileClaims;
  /** What operators gave; what a vendor's own registration implies stands in `vendor.<name>.role`. */
  roles: string[];
  /** Where the person opened the account: 'hosted', or a dialect's name. Absent: an operator made it. */
  readonly openedAt?: string;
  /** Per-vendor ids, e.g. `{ vsee: '20000000001' }`. Each (name, value) is unique over all organizations. */
  aliases: Record<string, string>;
  /** Members that only one vendor knows, by dialect name. */
  vendor: Record<string, Record<string, Json>>;
  /** By dialect: whose legacy system knows the person. Absent: the person never was at one. */
  legacy?: Record<string, LegacyEntry>;
  /** ISO 8601: a legacy system's token that it issued before, or at an unknown time, is never adopted. */
  tokensFrom?: string;
  createdAt: Date;
  updatedAt: Date;
  /** Raised by every update; the value compared by compare-and-set. Starts at 1. */
  version: number;
  /** Set by `touch` only. */
  lastSignInAt?: Date;
}

/** Whether its person could sign in without any link to an upstream: a password, a passkey, an address that a code reaches. */
export function hasWayInBesideLinks(
  account: Pick<AccountRecord, 'passwordHash' | 'factors' | 'email' | 'emailVerified'>,
): boolean {
  const codeWorks = account.email !== undefined && account.emailVerified;
  return account.passwordHash !== undefined || codeWorks || passkeysOf(account).length > 0;
}

/** What an operator may see of an account. */
export function withoutHashes({ passwordHash, legacy, factors, ...account }: AccountRecord) {
  const entries = Object.entries(legacy ?? {}).map(([dialect, { passwordHash: _, ...entry }]) => [
    dialect,
    entry,
  ]);
  return {
    ...account,
    ...(legacy && { legacy: Object.fromEntries(entries) }),
    hasPassword: passwordHash !== undefined,
    ...(factors && { factors: factorCounts(factors) }),
  };
}

/** What a vendor's clinics decide about their people, in members of `vendor.<dialect>`. */
export interface ClinicDecisions {
  /** They end with the clinic's own key to the account. */
  readonly members: readonly string[];
  /** Whether the clinic writes to the person itself, so that this server does not. */
  emailsOff(members: Readonly<Record<string, Json>>): boolean;
}

/** By dialect, in the order of their names. */
export function legacyStandings({
  legacy = {},
  passwordHash,
}: AccountRecord): Record<string, LegacyStanding> {
  const standing = ({ password, passwordHash: apart }: LegacyEntry): LegacyStanding => {
    if (password === 'portico') return 'here';
    return (apart ?? passwordHash) === undefined ? 'roster' : 'takenOver';
  };
  const names = Object.keys(legacy).sort();
  return Object.fromEntries(
    names.flatMap((name) => (legacy[name] === undefined ? [] : [[name, standing(legacy[name])]])),
  );
}

/**
 * Where a person of the roster stands here: made, brought up to date, left alone, or refused. The same row leads to
 * the same account, by the vendor's id, else by an upstream identity, else by the address. An account that the legacy
 * system does not know is joined only where both sides proved the address.
 */
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import { isGone } from '../identity/accounts/gone-people.ts';
import { authorityOf, withEntry } from '../identity/accounts/password-authority.ts';
import type { AccountRecord } from '../model/account.ts';
import type { IdentityRecord } from '../model/upstream-identity.ts';
import { isSame } from '../seed/plan-seed.ts';
import { newAccount, withSeed } from '../seed/records.ts';
import type { SeedAccount } from '../seed/schema.ts';
import type { Stores } from '../store/ports/stores.ts';
import type { RosterRow } from './row.ts';

export interface Place {
  readonly stores: Stores;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly organization: string;
  readonly dialect: string;
  /** The legacy system proved addresses of which the row says nothing. */
  readonly addressesVerified: boolean;
  readonly dryRun: boolean;
  /** Ends whatever a blocked account has. */
  endAccess(accountId: string): Promise<void>;
}

export type Placed = 'created' | 'updated' | 'kept' | Reject;

export interface Reject {
  readonly kind: 'row' | 'conflict' | 'gone';
  /** Names members, never what is in them. */
  readonly reason: string;
}

const conflict = (reason: string): Reject => ({ kind: 'conflict', reason });

export async function placePerson(place: Place, row: RosterRow): Promise<Placed> {
  const { vendor_id: vendorId, email, identities = [] } = row;
  const ids = vendorId === undefined ? {} : { [place.dialect]: vendorId };
  if (await isGone(place, { organization: place.organization, email, ids }))
    return { kind: 'gone', reason: 'was deleted here' };
  // A new person is the rule: the store says by itself when there is one already.
  if (!place.dryRun && identities.length === 0) {
    const outcome = await insert(place, row);
    if (outcome !== 'taken') return outcome;
  }
  for (let tries = 0; tries < 5; tries += 1) {
    const known = await find(place, row);
    const placed = 'reason' in known ? known : await write(place, row, known);
    if (placed !== 'taken') return placed;
  }
  return conflict('is changed by others all the time');
}

interface Known {
  readonly present?: AccountRecord;
  readonly by?: 'id' | 'identity' | 'address' | undefined;
}

async function find({ stores, organization, dialect }: Place, row: RosterRow): Promise<Known | Reject> {
  const { vendor_id: vendorId, email, identities = [] } = row;
  const byId = vendorId === undefined ? undefined : await stores.accounts.byAlias(dialect, vendorId);
  const links = await Promise.all(
    identities.map(({ issuer, subject }) => stores.identities.find(organization, issuer, subject)),
  );
  const owners = [...new Set(links.flatMap((link) => link?.accountId ?? []))];
  if (owners.length > 1 || (byId !== undefined && owners.some((owner) => owner !== byId.id)))
    return conflict('identities: one is linked to another account');
  if (byId !== undefined) return { present: byId, by: 'id' };
  const linked = owners[0] === undefined ? undefined : await stores.accounts.byId(owners[0]);
  if (linked !== undefined) return { present: linked, by: 'identity' };
  const byAddress = email === undefined ? undefined : await stores.accounts.byEmail(organization, email);
  return byAddress === undefined ? {} : { present: byAddress, by: 'address' };
}

async function write(place: Place, row: RosterRow, { present, by }: Known): Promise<Placed | 'taken'> {
  if (present === undefined) return place.dryRun ? 'created' : insert(place, row);
  const refusal = refusalOf(place, row, { present, by });
  if (refusal !== undefined) return conflict(refusal);
  return update(place, row, present);
}

/** Why the row is not this account's. */
function refusalOf(place: Place, row: RosterRow, { present, by }: Known & { present: AccountRecord }) {
  const { organization, dialect } = place;
  if (present.organization !== organization)
    return 'vendor_id: belongs to an account of another organization';
  const alias = present.aliases[dialect];
  if (alias !== undefined && row.vendor_id !== undefined && alias !== row.vendor_id)
    return by === 'address'
      ? 'email: belongs to another vendor_id'
      : 'identities: belong to another vendor_id';
  if (by !== 'address' || present.legacy?.[dialect] !== undefined) return undefined;
  const isProven = present.emailVerified && isVerifiedThere(place, row);
  return isProven ? undefined : 'email: belongs to an account here, and not both sides have proved it';
}

const isVerifiedThere = ({ addressesVerified }: Place, { email_verified }: RosterRow) =>
  email_verified ?? addressesVerified;

async function insert(place: Place, row: RosterRow): Promise<Placed | 'taken'> {
  const { stores, dialect, clock } = place;
  const fresh = { ...newAccount(seedOf(place, row), clock.now()), openedAt: dialect };
  const account = withEntry(fresh, dialect, { password: 'legacy' });
  const outcome = await stores.accounts.insert(account);
  if (outcome === 'inserted') {
    await link(place, row, account.id);
    return 'created';
  }
  return outcome.taken === 'username' ? conflict('username: is taken') : 'taken';
}

async function update(place: Place, row: RosterRow, present: AccountRecord): Promise<Placed | 'taken'> {
  const { stores, dialect, clock, dryRun } = place;
  const changed = changedBy(place, row, present);
  const links = dryRun ? await missingLinks(place, row) : await link(place, row, present.id);
  if (isSame(present, changed)) return links > 0 ? 'updated' : 'kept';
  if (dryRun) return 'updated';
  const outcome = await stores.accounts.update({ ...changed, updatedAt: clock.now() });
  if (outcome === 'conflict' || outcome === 'gone') return 'taken';
  if (outcome !== 'updated') {
    const member = { email: 'email', username: 'username', [`alias:${dialect}`]: 'vendor_id' }[outcome.taken];
    return conflict(`${member ?? 'a name'}: belongs to another account`);
  }
  if (changed.status === 'blocked' && present.status !== 'blocked') await place.endAccess(present.id);
  return 'updated';
}

/** What people changed here stays; of an account that no person has used yet the file is right. */
function changedBy(place: Place, row: RosterRow, present: AccountRecord): AccountRecord {
  const { dialect } = place;
  const entry = present.legacy?.[dialect];
  const isUsed =
    present.lastSignInAt !== undefined ||
    entry?.confirmedAt !== undefined ||
    present.passwordHash !== undefined;
  const { aliases = {}, ...named } = seedOf(place, row);
  const base = isUsed || entry === undefined ? present : withSeed(present, named);
  const known = { ...base, aliases: { ...aliases, ...base.aliases } };
  const password = authorityOf(present, dialect) === 'portico' ? 'portico' : 'legacy';
  return entry === undefined ? withEntry(known, dialect, { password }) : known;
}

function seedOf(place: Place, row: RosterRow): SeedAccount {
  const { vendor_id: vendorId, username, identities: _, ...named } = row;
  return {
    ...named,
    organization: place.organization,
    ...(row.email !== undefined && { email_verified: isVerifiedThere(place, row) }),
    // A name with an @ would be an address, which the account has or may not have.
    ...(username !== undefined && !username.includes('@') && { username }),
    ...(vendorId !== undefined && { aliases: { [place.dialect]: vendorId } }),
  };
}

/** How many upstream identities are new. */
async function link(
  { stores, organization, clock }: Place,
  { identities = [] }: RosterRow,
  accountId: string,
) {
  let count = 0;
  for (const identity of identities) {
    const record: IdentityRecord = { organization, ...identity, accountId, createdAt: clock.now() };
    if ((await stores.identities.link(record)) === 'linked') count += 1;
  }
  return count;
}

async function missingLinks(
  { stores, organization }: Place,
  { identities = [] }: RosterRow,
): Promise<number> {
  const found = await Promise.all(
    identities.map(({ issuer, subject }) => stores.identities.find(organization, issuer, subject)),
  );
  return found.filter((one) => one === undefined).length;
}

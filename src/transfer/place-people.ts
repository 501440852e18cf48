/**
 * Where people of a file stand here: made, brought up to date, left alone, or refused. The same row leads to the same
 * account, by the vendor's id, else by an upstream identity, else by the address, else by the username. An account
 * that the file's system does not know is joined only where both sides proved the address.
 */
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import { inTurn } from '../core/in-turn.ts';
import { isGone } from '../identity/accounts/gone-people.ts';
import { authorityOf, withEntry } from '../identity/accounts/password-authority.ts';
import { noteHashes } from '../identity/sign-in/verify-password.ts';
import type { AccountRecord } from '../model/account.ts';
import { isSame } from '../seed/plan-seed.ts';
import { newAccount, withSeed } from '../seed/records.ts';
import type { SeedAccount } from '../seed/schema.ts';
import type { Stores } from '../store/ports/stores.ts';
import { addBelongings, missingBelongings, ownersOf } from './belongings.ts';
import type { PersonRow } from './row.ts';
import type { RowPassword } from './row-password.ts';

/** The embedded store writes what comes in one turn as one. */
const AT_ONCE = 256;

/** What all rows of one import are placed with. */
export interface ImportContext {
  readonly stores: Stores;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly organization: string;
  /** Whose ids the rows have. */
  readonly dialect?: string | undefined;
  /** The dialect has a legacy system, which still decides about the people. */
  readonly isAsked: boolean;
  /** People without passwords: what they changed here stays. */
  readonly roster: boolean;
  readonly overwritePasswords: boolean;
  /** An address counts as proved where the row does not say. */
  readonly addressesVerified: boolean;
  readonly dryRun: boolean;
  /** Ends whatever an account has that was blocked, or whose password was replaced. */
  endAccess(accountId: string, because: 'blocked' | 'password'): Promise<void>;
}

export type Placed = 'created' | 'updated' | 'kept' | RefusedRow;

export interface RefusedRow {
  /** 'duplicate': an earlier row of the file is the same person. */
  readonly kind: 'row' | 'duplicate' | 'conflict' | 'gone';
  /** Names members, never what is in them. */
  readonly reason: string;
  /** The line of the earlier row. */
  readonly first?: number;
}

export interface Person {
  readonly row: PersonRow;
  readonly password?: RowPassword | undefined;
}

const conflict = (reason: string): RefusedRow => ({ kind: 'conflict', reason });

/** People of whom no two have a name in common. */
export async function placePeople(context: ImportContext, people: readonly Person[]): Promise<Placed[]> {
  const decoys = new Set(people.flatMap(({ password }) => password?.decoy ?? []));
  if (!context.dryRun && decoys.size > 0) await noteHashes(context.stores, context.organization, [...decoys]);
  const begun = await inTurn(people, AT_ONCE, (person) => begin(context, person));
  const fresh = begun.filter((one) => one instanceof Fresh);
  const outcomes = await context.stores.accounts.insertMany(fresh.map(({ account }) => account));
  const made = new Set(fresh.filter((_, at) => outcomes[at] === 'inserted'));
  return inTurn(people, AT_ONCE, async (person, at) => {
    const one = begun[at];
    if (!(one instanceof Fresh) || !made.has(one)) return settled(context, person, one);
    await addBelongings(context, person.row, one.account.id);
    return 'created';
  });
}

/** To be made, unless it turns out to be there. */
class Fresh {
  readonly account: AccountRecord;
  constructor(account: AccountRecord) {
    this.account = account;
  }
}

/** Most people are new. For those the store is not asked first: the insertion says when one is there already. */
async function begin(context: ImportContext, person: Person): Promise<Fresh | Known | RefusedRow> {
  const { row, password } = person;
  const { organization, dialect, isAsked, dryRun } = context;
  const ids = { ...row.aliases, ...(dialect !== undefined && row.vendor_id && { [dialect]: row.vendor_id }) };
  if (isAsked && (await isGone(context, { organization, email: row.email, ids })))
    return { kind: 'gone', reason: 'was deleted here' };
  const hasMore = (row.identities ?? row.api_keys) !== undefined;
  const isPlain = !dryRun && !hasMore && password?.isCostly !== true;
  const known = isPlain ? {} : await find(context, row);
  if ('reason' in known || known.present !== undefined || dryRun) return known;
  return new Fresh(await accountFrom(context, person));
}

async function settled(
  context: ImportContext,
  person: Person,
  begun: Fresh | Known | RefusedRow | undefined,
): Promise<Placed> {
  if (begun !== undefined && 'reason' in begun) return begun;
  let known = begun === undefined || begun instanceof Fresh ? await find(context, person.row) : begun;
  for (let tries = 0; tries < 5; tries += 1) {
    const placed = 'reason' in known ? known : await write(context, person, known);
    if (placed !== 'taken') return placed;
    known = await find(context, person.row);
  }
  return conflict('is changed by others all the time');
}

interface Known {
  readonly present?: AccountRecord;
  readonly by?: 'id' | 'identity' | 'address' | 'username' | undefined;
}

async function find(context: ImportContext, row: PersonRow): Promise<Known | RefusedRow> {
  const { stores } = context;
  const aliases = Object.entries(seedOf(context, row).aliases ?? {});
  const byIds = await Promise.all(aliases.map(([name, value]) => stores.accounts.byAlias(name, value)));
  const ids = [...new Map(byIds.flatMap((one) => (one ? [[one.id, one]] : []))).values()];
  if (ids.length > 1) return conflict('aliases: one belongs to another account');
  const { linked, keyed } = await ownersOf(context, row);
  const owner = ids[0]?.id ?? linked[0];
  if (linked.some((id) => id !== owner)) return conflict('identities: one is linked to another account');
  const known = await byName(context, row, { byId: ids[0], owner });
  if (keyed.some((id) => id !== known.present?.id))
    return conflict('api_keys: one belongs to another account');
  return known;
}

async function byName(
  { organization, stores: { accounts } }: ImportContext,
  { email, username }: PersonRow,
  { byId, owner }: { byId: AccountRecord | undefined; owner: string | undefined },
): Promise<Known> {
  if (byId !== undefined) return { present: byId, by: 'id' };
  const linked = owner === undefined ? undefined : await accounts.byId(owner);
  if (linked !== undefined) return { present: linked, by: 'identity' };
  const byAddress = email === undefined ? undefined : await accounts.byEmail(organization, email);
  if (byAddress !== undefined) return { present: byAddress, by: 'address' };
  const named = username === undefined ? undefined : await accounts.byUsername(organization, username);
  return named === undefined ? {} : { present: named, by: 'username' };
}

async function write(
  context: ImportContext,
  person: Person,
  { present, by }: Known,
): Promise<Placed | 'taken'> {
  if (present === undefined) return context.dryRun ? 'created' : insert(context, person);
  const refusal = refusalOf(context, person.row, { present, by });
  return refusal === undefined ? update(context, person, present) : conflict(refusal);
}

/** Why the row is not this account's. */
function refusalOf(
  context: ImportContext,
  row: PersonRow,
  { present, by }: Known & { present: AccountRecord },
) {
  const { organization, dialect = '', isAsked } = context;
  if (present.organization !== organization)
    return 'vendor_id: belongs to an account of another organization';
  for (const [name, value] of Object.entries(seedOf(context, row).aliases ?? {})) {
    if ((present.aliases[name] ?? value) === value) continue;
    const member = name === dialect ? 'vendor_id' : 'alias';
    return {
      address: `email: belongs to another ${member}`,
      username: 'username: is taken',
      id: `aliases: belong to another ${member}`,
      identity: `identities: belong to another ${member}`,
    }[by ?? 'id'];
  }
  if (by === 'id' || by === 'identity') return undefined;
  const ids = Object.keys(present.aliases);
  const isOfOthers = dialect !== '' && ids.length > 0 && !ids.includes(dialect);
  const isTheirs = isAsked
    ? present.legacy?.[dialect] !== undefined
    : present.openedAt === undefined && !isOfOthers;
  if (isTheirs) return undefined;
  if (by === 'username') return 'username: is taken';
  const isProven = present.emailVerified && isVerifiedThere(context, row);
  return isProven ? undefined : 'email: belongs to an account here, and not both sides have proved it';
}

const isVerifiedThere = ({ addressesVerified }: ImportContext, { email_verified }: PersonRow) =>
  email_verified ?? addressesVerified;

async function accountFrom(context: ImportContext, { row, password }: Person): Promise<AccountRecord> {
  const { dialect, isAsked, clock } = context;
  const passwordHash = await password?.make();
  const account = { ...newAccount(seedOf(context, row), clock.now()), ...(passwordHash && { passwordHash }) };
  if (!isAsked || dialect === undefined) return account;
  return withEntry({ ...account, openedAt: dialect }, dialect, { password: 'legacy' });
}

/** One alone, where the store had none a moment ago. */
async function insert(context: ImportContext, person: Person): Promise<Placed | 'taken'> {
  const account = await accountFrom(context, person);
  const [outcome] = await context.stores.accounts.insertMany([account]);
  if (outcome !== 'inserted') return outcome?.taken === 'username' ? conflict('username: is taken') : 'taken';
  await addBelongings(context, person.row, account.id);
  return 'created';
}

async function update(
  context: ImportContext,
  person: Person,
  present: AccountRecord,
): Promise<Placed | 'taken'> {
  const { stores, dialect, clock, dryRun } = context;
  const { row } = person;
  const changed = changedBy(context, row, present);
  const passwordHash = await newHash(context, person, present);
  const isNewPassword = passwordHash !== undefined && present.passwordHash !== undefined;
  if (passwordHash === undefined && isSame(present, changed)) {
    const added = dryRun
      ? await missingBelongings(context, row)
      : await addBelongings(context, row, present.id);
    return added > 0 ? 'updated' : 'kept';
  }
  if (dryRun) return (await takenName(context, present, changed)) ?? 'updated';
  const outcome = await stores.accounts.update({
    ...changed,
    ...(passwordHash !== undefined && { passwordHash }),
    updatedAt: clock.now(),
  });
  if (outcome === 'conflict' || outcome === 'gone') return 'taken';
  if (outcome !== 'updated') {
    const member = { email: 'email', username: 'username', [`alias:${dialect}`]: 'vendor_id' }[outcome.taken];
    return isAnothers(member ?? 'a name');
  }
  // A row that is refused leaves nothing behind.
  await addBelongings(context, row, present.id);
  if (changed.status === 'blocked' && present.status !== 'blocked')
    await context.endAccess(present.id, 'blocked');
  else if (isNewPassword) await context.endAccess(present.id, 'password');
  return 'updated';
}

const isAnothers = (member: string) => conflict(`${member}: belongs to another account`);

/** Before a write the store is asked; at a write it says so. */
async function takenName(
  { stores: { accounts } }: ImportContext,
  present: AccountRecord,
  changed: AccountRecord,
) {
  const { id, organization, email, username } = changed;
  const isNew = email !== undefined && email !== present.email;
  const byAddress = isNew ? await accounts.byEmail(organization, email) : undefined;
  if (byAddress !== undefined && byAddress.id !== id) return isAnothers('email');
  const named = username === undefined ? undefined : await accounts.byUsername(organization, username);
  return named === undefined || named.id === id ? undefined : isAnothers('username');
}

/** A password that an account has is its owner's. */
async function newHash(
  context: ImportContext,
  { password }: Person,
  { passwordHash: present }: AccountRecord,
) {
  if (password === undefined || (present !== undefined && !context.overwritePasswords)) return undefined;
  if (present !== undefined && (await password.isThat(present))) return undefined;
  // What it would be costs a hash; that there is one is enough to know.
  return context.dryRun ? '' : password.make();
}

/** In a roster, what people changed here stays; of an account that no person has used yet the file is right. */
function changedBy(context: ImportContext, row: PersonRow, present: AccountRecord): AccountRecord {
  const { dialect, isAsked, roster } = context;
  const entry = dialect === undefined ? undefined : present.legacy?.[dialect];
  const isUsed =
    present.lastSignInAt !== undefined ||
    entry?.confirmedAt !== undefined ||
    present.passwordHash !== undefined;
  const { aliases = {}, ...named } = seedOf(context, row);
  const stays = roster && (isUsed || entry === undefined);
  const base = stays ? present : withSeed(present, named);
  const known = { ...base, aliases: { ...aliases, ...base.aliases } };
  if (!isAsked || dialect === undefined || entry !== undefined) return known;
  const password = authorityOf(present, dialect) === 'portico' ? 'portico' : 'legacy';
  return withEntry(known, dialect, { password });
}

function seedOf(context: ImportContext, row: PersonRow): SeedAccount {
  const { vendor_id: vendorId, username, aliases, ...members } = row;
  const {
    identities: _,
    api_keys: __,
    password: ___,
    password_hash: ____,
    password_salt: _____,
    ...named
  } = members;
  const { dialect, roster } = context;
  const own = vendorId !== undefined && dialect !== undefined ? { [dialect]: vendorId } : undefined;
  return {
    ...named,
    organization: context.organization,
    ...(row.email !== undefined && { email_verified: isVerifiedThere(context, row) }),
    // Of a roster, a name with an @ would be an address, which the account has or may not have.
    ...(username !== undefined && !(roster && username.includes('@')) && { username }),
    ...((aliases ?? own) !== undefined && { aliases: { ...aliases, ...own } }),
  };
}

/**
 * Makes a person whom a legacy system confirms an account here, or finds the one that they have: by the vendor's
 * id, else by the address. Nothing is written before the yes. An address of an account that the legacy system does
 * not know joins the two only when both sides proved it; an account that proved nothing is reclaimed; any other
 * case is a conflict, which an operator settles (`portico migration conflicts`).
 */
import { Refused } from '../../core/refused.ts';
import { foldName } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import { insertAccount, type NewAccountFields, recordOf } from '../accounts/create-account.ts';
import { isGone } from '../accounts/gone-people.ts';
import { authorityOf, withConfirmed, withEntry } from '../accounts/password-authority.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import type { ConfirmedPerson } from '../legacy-systems.ts';

export interface TakeOver {
  /** Whose legacy system confirms the person. */
  readonly dialect: string;
  readonly person: ConfirmedPerson;
  /** By the configuration, where the reply does not say it. */
  readonly addressesVerified: boolean;
  /** What the legacy system confirmed: this password, or the one that was found right here. Absent: something else. */
  readonly password?: string | 'present';
  /** The person has just proven the address here or there (a code). */
  readonly addressProven?: boolean;
  /** The account that the name leads to here, if it leads to one: no other is signed in by it. */
  readonly known?: AccountRecord | undefined;
  readonly context?: RequestContext | undefined;
  /** Asked before anything is stored. Default: it lets in who is active. */
  readonly admits?: ((account: AccountRecord) => boolean) | undefined;
}

export type TakenOver =
  | { readonly account: AccountRecord; readonly how: 'taken-over' | 'joined' | 'reclaimed' | 'confirmed' }
  /** Deleted here, of another organization, in conflict with another account, or not let in. */
  | 'gone'
  | 'foreign'
  | 'conflict'
  | 'not-admitted';

type Step = TakenOver | 'again' | undefined;

/** Of parallel first sign-ins of one person exactly one makes the account; the others find it. */
export async function takeOver(identity: Identity, input: TakeOver): Promise<TakenOver> {
  const full = { ...input, passwordHash: await hashed(identity, input) };
  for (let tries = 0; tries < 10; tries += 1) {
    const step: Step =
      (await byVendorId(identity, full)) ??
      (await byAddress(identity, full)) ??
      (await asNew(identity, full));
    if (step !== 'again' && step !== undefined) return step;
  }
  return conflict(identity, input, undefined);
}

/** Whatever today's rules for passwords say: the person has it already. */
async function hashed(identity: Identity, { password }: TakeOver): Promise<string | undefined> {
  return password === undefined || password === 'present' ? undefined : identity.hasher.hash(password);
}

type Full = TakeOver & { readonly passwordHash: string | undefined };

async function byVendorId(identity: Identity, input: Full): Promise<Step> {
  const { dialect, person } = input;
  if (person.vendorId === undefined) return undefined;
  const account = await identity.stores.accounts.byAlias(dialect, person.vendorId);
  if (account === undefined) return undefined;
  if (account.organization === person.organization) return confirm(identity, input, account);
  noteConflict(identity, input, account, 'vendor-id-elsewhere');
  return 'foreign';
}

async function byAddress(identity: Identity, input: Full): Promise<Step> {
  const { dialect, person } = input;
  const { email } = person.account;
  const account =
    email === undefined ? undefined : await identity.stores.accounts.byEmail(person.organization, email);
  if (account === undefined) return undefined;
  const alias = account.aliases[dialect];
  const isAnother = alias !== undefined && person.vendorId !== undefined && alias !== person.vendorId;
  if (isAnother) return conflict(identity, input, account);
  if (account.legacy?.[dialect] !== undefined) return confirm(identity, input, account);
  if (!isVerifiedThere(input)) return conflict(identity, input, account);
  if (await wasDeleted(identity, input)) return 'gone';
  if (refusesKnown(input, account)) return conflict(identity, input, account);
  if (!lets(input, account)) return 'not-admitted';
  const how = account.emailVerified ? 'joined' : 'reclaimed';
  const proven = await reclaimAccount(identity, { account });
  return link(identity, input, { account: proven, how });
}

/** The person who has the address now is a new one. */
async function wasDeleted(identity: Identity, { dialect, person }: Full): Promise<boolean> {
  const { organization, vendorId } = person;
  return vendorId !== undefined && isGone(identity, { organization, ids: { [dialect]: vendorId } });
}

/** The account that is not this legacy system's yet becomes one of its own. */
async function link(
  identity: Identity,
  input: Full,
  { account, how }: { account: AccountRecord; how: 'joined' | 'reclaimed' },
): Promise<Step> {
  const { dialect } = input;
  // A password of its own stays the only one.
  const password = authorityOf(account, dialect) === 'portico' ? 'portico' : 'legacy';
  const joined = await changed(identity, account, (present) =>
    confirmed(identity, input, withEntry(present, dialect, { password })),
  );
  return note(identity, input, joined, how);
}

async function confirm(identity: Identity, input: Full, account: AccountRecord): Promise<Step> {
  if (refusesKnown(input, account)) return conflict(identity, input, account);
  if (!lets(input, account)) return 'not-admitted';
  const proven = await reclaimed(identity, input, account);
  const result = await changed(identity, proven, (present) => confirmed(identity, input, present));
  return note(identity, input, result, 'confirmed');
}

/**
 * The proof is of the address that the account has. One that the legacy system was given in the meantime keeps what a
 * link of the dialect's own keeps: the password is that system's, and so are the sign-ins of its client.
 */
async function reclaimed(
  identity: Identity,
  { person, dialect, addressProven }: Full,
  account: AccountRecord,
): Promise<AccountRecord> {
  if (account.email === undefined || account.email !== person.account.email) return account;
  if (addressProven === true) return reclaimAccount(identity, { account });
  const clientId = identity.legacy.clientOf(dialect);
  if (person.addressVerified !== true || clientId === undefined) return account;
  return reclaimAccount(identity, { account, confirms: { clientId } });
}

/** Undefined: the vendor's id was taken meanwhile, or the account is gone. */
async function changed(
  identity: Identity,
  account: AccountRecord,
  change: (present: AccountRecord) => AccountRecord,
): Promise<AccountRecord | undefined> {
  try {
    return await updateAccount(identity, account.id, change, { quiet: true });
  } catch (error) {
    if (error instanceof Refused && /^account-/.test(error.reason)) return undefined;
    throw error;
  }
}

/** The record with what the legacy system has just said: at first everything that is missing, later the password alone. */
function confirmed(identity: Identity, input: Full, account: AccountRecord): AccountRecord {
  const { dialect, person, password, passwordHash } = input;
  const entry = account.legacy?.[dialect] ?? { password: 'legacy' };
  const { vendorId } = person;
  const aliases =
    vendorId === undefined || account.aliases[dialect] !== undefined
      ? account.aliases
      : { ...account.aliases, [dialect]: vendorId };
  const isFirst = entry.confirmedAt === undefined;
  const known = { ...(isFirst ? completed(account, input) : account), aliases };
  if (entry.password === 'portico') return known;
  const at = identity.clock.now();
  if (password !== undefined) return withConfirmed(known, { dialect, at, passwordHash });
  // What ends the account, or all that it has, must know that the legacy system knows it too.
  return authorityOf(account, dialect) === 'undecided' ? withEntry(known, dialect, entry) : known;
}

/** What a roster row lacks. What is there stays. */
function completed(account: AccountRecord, { dialect, person }: Full): AccountRecord {
  const { claims, vendor, username } = person.account;
  const members = { ...vendor, ...account.vendor[dialect] };
  const named = account.username ?? username;
  return {
    ...account,
    claims: { ...claims, ...account.claims },
    vendor: Object.keys(members).length === 0 ? account.vendor : { ...account.vendor, [dialect]: members },
    ...(named !== undefined && mayBeName(named, account.email) && { username: named }),
  };
}

/** A name with an @ is an address, and so only ever the person's own. */
function mayBeName(name: string, email: string | undefined): boolean {
  return !name.includes('@') || (email !== undefined && foldName(name) === foldName(email));
}

async function asNew(identity: Identity, input: Full): Promise<Step> {
  const { dialect, person, passwordHash, known } = input;
  const { organization, vendorId } = person;
  const { email } = person.account;
  // The name leads to an account here that is another person there.
  if (known !== undefined) return conflict(identity, input, known);
  // After the look-ups: an account that was deleted meanwhile has left its marks before it went.
  const ids = vendorId === undefined ? {} : { [dialect]: vendorId };
  if (await isGone(identity, { organization, email, ids })) return 'gone';
  const fields = fieldsOf(identity, input);
  if (!lets(input, recordOf({ organization, fields, now: identity.clock.now() }))) return 'not-admitted';
  const outcome = await insertAccount(identity, {
    ...{ organization, account: fields },
    ...(passwordHash !== undefined && { passwordHash }),
  });
  if ('account' in outcome) return note(identity, input, outcome.account, 'taken-over');
  if (outcome.taken !== 'username') return 'again';
  const holder = await identity.stores.accounts.byUsername(organization, fields.username ?? '');
  return holder === undefined ? 'again' : conflict(identity, input, holder);
}

function fieldsOf(identity: Identity, input: Full): NewAccountFields {
  const { dialect, person, password } = input;
  const { email, username, vendor = {}, ...account } = person.account;
  const confirmedAt = identity.clock.now().toISOString();
  const { vendorId, createdAt, updatedAt = createdAt } = person;
  return {
    ...account,
    ...(email !== undefined && { email, emailVerified: isVerifiedThere(input) }),
    ...(username !== undefined && mayBeName(username, email) && { username }),
    openedAt: dialect,
    aliases: vendorId === undefined ? {} : { [dialect]: vendorId },
    vendor: Object.keys(vendor).length === 0 ? {} : { [dialect]: vendor },
    legacy: { [dialect]: { password: 'legacy', ...(password !== undefined && { confirmedAt }) } },
    ...(createdAt !== undefined && { createdAt }),
    ...(updatedAt !== undefined && { updatedAt }),
  };
}

function isVerifiedThere({ person, addressesVerified, addressProven }: TakeOver): boolean {
  return addressProven === true || (person.addressVerified ?? addressesVerified);
}

function refusesKnown({ known }: TakeOver, account: AccountRecord): boolean {
  return known !== undefined && known.id !== account.id;
}

function lets({ admits }: TakeOver, account: AccountRecord): boolean {
  return admits === undefined ? account.status === 'active' : admits(account);
}

function note(
  identity: Identity,
  { dialect, context, password, person: { organization } }: Full,
  account: AccountRecord | undefined,
  how: Extract<TakenOver, object>['how'],
): Step {
  if (account === undefined) return 'again';
  const event = how === 'confirmed' ? 'account.confirm' : 'account.take-over';
  const detail = { dialect, how, with: password === undefined ? 'no password' : 'a password' };
  recordEvent(identity, { event, organization, subject: account.id, context, detail });
  return { account, how };
}

function conflict(identity: Identity, input: TakeOver, account: AccountRecord | undefined): 'conflict' {
  noteConflict(identity, input, account, account === undefined ? 'names' : 'address');
  return 'conflict';
}

/** `subject`: the account here. The vendor's id is what an operator settles the conflict by. */
function noteConflict(
  identity: Identity,
  { dialect, context, person }: TakeOver,
  account: AccountRecord | undefined,
  why: string,
): void {
  const { organization, vendorId } = person;
  recordEvent(identity, {
    event: 'migration.conflict',
    outcome: 'refused',
    organization,
    subject: account?.id,
    context,
    detail: { dialect, why, ...(vendorId !== undefined && { vendorId }) },
  });
}

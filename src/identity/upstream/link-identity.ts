/**
 * Account linking: who an upstream identity is here. The key is (issuer, subject), never the address: addresses change hands.
 * An address links by itself only when the upstream is authoritative for it AND it is verified here too
 * (classic-federated merge, GHSA-qq9h-g4jm-xgf3); an unverified account is reclaimed, not joined. In every
 * other case the person proves ownership with a factor of our own, and the caller then asks linkIdentity.
 */

import { Refused } from '../../core/refused.ts';
import { normalizeEmail } from '../../core/text.ts';
import { type AccountRecord, hasWayInBesideLinks } from '../../model/account.ts';
import type { IdentityRecord } from '../../model/upstream-identity.ts';
import { insertAccount, type NewAccountFields } from '../accounts/create-account.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { recordEvent } from '../audit/audit.ts';
import { queueRevocation } from '../codes/upstream-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { sendEmail } from '../emails/send-email.ts';
import { refuseWhileClosed } from '../legacy/ask-registration.ts';

/** What an upstream says about a person; UpstreamClaims and the dialects' UpstreamIdentity both fit. */
export interface UpstreamPerson {
  readonly issuer: string;
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly authoritative: boolean;
}

export interface MatchedPerson {
  readonly account: AccountRecord;
  readonly how: 'found' | 'linked' | 'reclaimed' | 'created';
}

interface Input {
  readonly organization: string;
  readonly person: UpstreamPerson;
  /** The new account, where one is made. Address and its verified flag come from the upstream. */
  readonly fresh: NewAccountFields;
  /** The client's, where a new account counts. */
  readonly address: string;
  readonly context?: RequestContext;
  /** Accounts that this place does not know are neither signed in, linked nor reclaimed. Default: it knows all. */
  readonly knows?: (account: AccountRecord) => boolean;
}

/**
 * The linked account, the one linked now, or a new one. Refused('account-exists'): the address or the identity
 * belongs to an account that these rules do not link, or that the place does not know; ('sign-in-refused'): the
 * account is not active. Of parallel first sign-ins of one identity exactly one makes the account.
 */
export async function accountForIdentity(identity: Identity, input: Input): Promise<MatchedPerson> {
  for (let tries = 0; tries < 10; tries += 1) {
    const result =
      (await byLink(identity, input)) ?? (await byAddress(identity, input)) ?? (await asNew(identity, input));
    // 'again': a parallel request linked or registered in between; the current state is read again.
    if (result !== 'again') return result;
  }
  throw new Refused('account-exists', { detail: 'The address and the identity are taken by two accounts.' });
}

async function byLink(
  identity: Identity,
  { organization, person, knows }: Input,
): Promise<MatchedPerson | undefined> {
  const account = await findByIdentity(identity, { organization, ...person });
  if (account === undefined) return undefined;
  refuseUnlessKnown(account, knows);
  refuseUnlessActive(account);
  if (account.emailVerified || !provesAddress(person, account)) return { account, how: 'found' };
  return { account: await reclaimAccount(identity, { account, by: person }), how: 'reclaimed' };
}

async function byAddress(
  identity: Identity,
  { organization, person, context, knows }: Input,
): Promise<MatchedPerson | 'again' | undefined> {
  if (person.email === undefined) return undefined;
  const account = await identity.stores.accounts.byEmail(organization, person.email);
  if (account === undefined) return undefined;
  refuseUnlessKnown(account, knows);
  refuseUnlessActive(account);
  if (!provesAddress(person, account)) throw new Refused('account-exists');
  const present = await reclaimAccount(identity, { account });
  if ((await link(identity, present, { ...person, context })) === 'taken') return 'again';
  return { account: present, how: account.emailVerified ? 'linked' : 'reclaimed' };
}

async function asNew(
  identity: Identity,
  { organization, person, fresh, address, context }: Input,
): Promise<MatchedPerson | 'again'> {
  const { email: _address, emailVerified: _flag, ...rest } = fresh;
  const email = person.email ?? fresh.email;
  const emailVerified = person.email !== undefined && person.emailVerified;
  await refuseWhileClosed(identity, { organization, email });
  const outcome = await insertAccount(identity, {
    organization,
    account: { ...rest, ...(email !== undefined && { email }), emailVerified },
    openedFrom: address,
    ...(context && { context }),
  });
  if ('taken' in outcome) {
    if (outcome.taken === 'email' && person.email !== undefined) return 'again';
    throw new Refused('account-exists', { detail: `The ${outcome.taken} is taken.` });
  }
  const { account } = outcome;
  if ((await link(identity, account, { ...person, context })) === 'linked')
    return { account, how: 'created' };
  // A parallel request found the account by its address, and linked it before its maker did.
  const holder = await findByIdentity(identity, { organization, ...person });
  if (holder?.id === account.id) return { account, how: 'created' };
  await identity.stores.accounts.remove(account.id);
  return 'again';
}

/** The upstream vouches for the very address of the account, and is the one who can. */
function provesAddress(person: UpstreamPerson, account: AccountRecord): boolean {
  if (!person.emailVerified || !person.authoritative || person.email === undefined) return false;
  return account.email !== undefined && normalizeEmail(person.email) === normalizeEmail(account.email);
}

function refuseUnlessKnown(account: AccountRecord, knows: Input['knows']): void {
  if (knows?.(account) === false)
    throw new Refused('account-exists', { detail: 'The account was opened elsewhere.' });
}

function refuseUnlessActive(account: AccountRecord): void {
  if (account.status !== 'active')
    throw new Refused('sign-in-refused', { detail: 'The account is not active.' });
}

/** The account that is linked to the identity, whatever its status. */
export async function findByIdentity(
  identity: Identity,
  input: { organization: string; issuer: string; subject: string },
): Promise<AccountRecord | undefined> {
  const { organization, issuer, subject } = input;
  const { identities, accounts } = identity.stores;
  const result = await identities.find(organization, issuer, subject);
  if (result === undefined) return undefined;
  const account = await accounts.byId(result.accountId);
  // Left behind by a deletion that was cut short.
  if (account === undefined) await identities.unlink(organization, issuer, subject);
  return account;
}

/** Before a proof is spent on a link: Refused('account-exists') when the identity is another account's. */
export async function checkLinkable(
  identity: Identity,
  input: { accountId: string; organization: string; issuer: string; subject: string },
): Promise<void> {
  const linked = await findByIdentity(identity, input);
  if (linked !== undefined && linked.id !== input.accountId) throw new Refused('account-exists');
}

/** Links after the person proved both. Refused('account-exists') when the identity is linked already, ('account-not-found'). */
export async function linkIdentity(
  identity: Identity,
  input: { accountId: string; issuer: string; subject: string; context?: RequestContext },
): Promise<void> {
  const account = await identity.stores.accounts.byId(input.accountId);
  if (account === undefined) throw new Refused('account-not-found');
  if ((await link(identity, account, input)) === 'taken') throw new Refused('account-exists');
}

/**
 * With a context the owner is told. Refused('account-not-found'): not linked to this account; ('forbidden'): it is the
 * last way in, since the account has no password, no other link, no passkey and no verified address for a code.
 * `evenLast`: it goes all the same. `configured`: a link of any other issuer is no way in; absent, each is one.
 */
export async function unlinkIdentity(
  identity: Identity,
  input: {
    accountId: string;
    issuer: string;
    subject: string;
    context?: RequestContext;
    evenLast?: boolean;
    configured?: (issuer: string) => boolean;
  },
): Promise<void> {
  const { identities, accounts } = identity.stores;
  const [account, links] = await Promise.all([
    accounts.byId(input.accountId),
    identities.listByAccount(input.accountId),
  ]);
  const mine = links.find(({ issuer, subject }) => issuer === input.issuer && subject === input.subject);
  if (account === undefined || mine === undefined) throw new Refused('account-not-found');
  const { evenLast = false, configured = () => true } = input;
  const locksOut = (person: AccountRecord, others: readonly IdentityRecord[]) =>
    !evenLast && !hasWayInBesideLinks(person) && !others.some(({ issuer }) => configured(issuer));
  const others = links.filter((link) => link !== mine);
  if (locksOut(account, others)) throw new Refused('forbidden');
  await queueRevocation(identity, mine);
  await identities.unlink(mine.organization, mine.issuer, mine.subject);
  // What this one counted on, another link or a passkey, may have been removed meanwhile: it restores its own link.
  const [left, present] = await Promise.all([
    identities.listByAccount(account.id),
    accounts.byId(account.id),
  ]);
  if (present !== undefined && locksOut(present, left)) {
    await identities.link(mine);
    throw new Refused('forbidden');
  }
  if (input.context !== undefined) {
    const { organization, context, issuer } = { ...mine, ...input };
    const subject = account.id;
    recordEvent(identity, { event: 'identity.unlink', organization, subject, context, detail: { issuer } });
    sendEmail(identity, { account, name: 'identity-unlinked' });
  }
}

async function link(
  identity: Identity,
  account: AccountRecord,
  { issuer, subject, context }: { issuer: string; subject: string; context?: RequestContext | undefined },
): Promise<'linked' | 'taken'> {
  const { organization, id: accountId } = account;
  const createdAt = identity.clock.now();
  const outcome = await identity.stores.identities.link({
    organization,
    issuer,
    subject,
    accountId,
    createdAt,
  });
  if (outcome === 'linked' && context !== undefined) {
    const event = { organization, subject: accountId, context, detail: { issuer } };
    recordEvent(identity, { event: 'identity.link', ...event });
  }
  return outcome;
}

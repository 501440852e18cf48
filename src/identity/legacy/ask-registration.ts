/**
 * Opening an account in an organization whose legacy systems are asked: no stranger opens one with the address of
 * a person who has not come yet. What is done about it is each legacy system's `registration`.
 */
import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { countedWhenMade } from '../accounts/create-account.ts';
import { isGone } from '../accounts/gone-people.ts';
import { judgePassword } from '../accounts/judge-password.ts';
import type { Identity, RequestContext } from '../context.ts';
import type { LegacyAccount, LegacySystem } from '../legacy-systems.ts';
import { askEach } from './ask-each.ts';
import { hasCompleteRoster } from './complete-rosters.ts';
import { legacyAway } from './refused-alike.ts';
import { takeOver } from './take-over.ts';

export interface Newcomer {
  readonly organization: string;
  readonly account: LegacyAccount;
  /** As typed. Absent: the person has none, so no legacy system can be asked for an account. */
  readonly password?: string | undefined;
  /** Code points. */
  readonly minimum: number;
  /** As at registerAccount. */
  readonly openedFrom?: string;
  /** The person has proved the address. */
  readonly addressProven?: boolean;
  readonly context: RequestContext;
}

/**
 * 'open' where accounts are opened here; 'asked' where a legacy system has to open one first. Refused('unavailable'):
 * none is opened for now.
 */
export async function registrationOf(
  identity: Identity,
  at: { readonly organization: string; readonly email: string | undefined },
): Promise<'open' | 'asked'> {
  const systems = await withoutCompleteRosters(identity, at.organization);
  // A person who was deleted here is a new one.
  if (systems.length === 0 || (await isGone(identity, at))) return 'open';
  const closed = systems.some(
    ({ rules, register }) => rules.registration !== 'proxy' || register === undefined,
  );
  if (closed) throw registrationClosed();
  return 'asked';
}

/** Those that know people of whom nothing is known here: a roster tells no stranger before it is complete. */
async function withoutCompleteRosters(identity: Identity, organization: string): Promise<LegacySystem[]> {
  const { metadata } = identity.stores;
  const systems = await identity.legacy.asked(organization, 'hosted');
  const isKnown = await Promise.all(
    systems.map(
      async ({ dialect, rules }) =>
        rules.registration === 'roster' && (await hasCompleteRoster(metadata, { organization, dialect })),
    ),
  );
  return systems.filter((_, place) => !isKnown[place]);
}

/** For accounts that no legacy system can be asked for. Refused('unavailable'). */
export async function refuseWhileClosed(
  identity: Identity,
  at: Parameters<typeof registrationOf>[1],
): Promise<void> {
  if ((await registrationOf(identity, at)) === 'asked') throw registrationClosed();
}

/** Seconds. It lasts until an operator says otherwise. */
const RETRY_AFTER = 3600;

/**
 * The account that a legacy system has opened and that was taken over; undefined: open it here. Refused(
 * 'account-exists' | 'password-too-short' | 'password-too-common' | 'unavailable').
 */
export async function askRegistration(
  identity: Identity,
  newcomer: Newcomer,
): Promise<AccountRecord | undefined> {
  const { organization, account, password, minimum, context } = newcomer;
  const { email } = account;
  if ((await registrationOf(identity, { organization, email })) === 'open') return undefined;
  if (password === undefined || email === undefined) throw registrationClosed();
  await judgePassword(identity, { password, minimum, organization });
  if ((await identity.stores.accounts.byEmail(organization, email)) !== undefined) throw taken();
  // The dialect's own legacy system knows what the dialect's clients send; a page belongs to no dialect.
  const own = await identity.legacy.asked(organization, context.channel);
  const systems = own.length > 0 ? own : await identity.legacy.asked(organization, 'hosted');
  const open = () => openedThere(identity, newcomer, systems);
  const { openedFrom } = newcomer;
  return openedFrom === undefined ? open() : countedWhenMade(identity, openedFrom, open, () => true);
}

async function openedThere(
  identity: Identity,
  newcomer: Newcomer & { readonly account: LegacyAccount },
  systems: readonly LegacySystem[],
): Promise<AccountRecord> {
  const { account, password = '', context, addressProven = false } = newcomer;
  const asks = await askEach(systems, ({ rules, register }) =>
    rules.registration === 'proxy' ? register?.({ ...account, password }, context) : undefined,
  );
  if (asks === 'no' || asks === 'not-asked') throw taken();
  if ('away' in asks) throw legacyAway(asks.retryAfter, asks.away);
  const { system, answer } = asks;
  const { account: shown, ...person } = answer.yes;
  const result = await takeOver(identity, {
    dialect: system.dialect,
    person: { ...person, account: joined(account, shown, system.dialect === context.channel) },
    addressesVerified: system.rules.addressesVerified,
    ...{ password, addressProven, context },
    admits: ({ status }) => status !== 'blocked',
  });
  if (typeof result === 'string') throw taken();
  return result.account;
}

/** What the client sent, with what the legacy system made of it. */
function joined(sent: LegacyAccount, shown: LegacyAccount, isItsDialect: boolean): LegacyAccount {
  const vendor = { ...(isItsDialect && sent.vendor), ...shown.vendor };
  return { ...sent, ...shown, claims: { ...sent.claims, ...shown.claims }, vendor };
}

function registrationClosed(): Refused {
  const detail = 'No accounts are opened while people of a legacy system are taken over.';
  return new Refused('unavailable', { about: 'registration', retryAfter: RETRY_AFTER, detail });
}

function taken(): Refused {
  return new Refused('account-exists', { detail: 'The legacy system has the address.' });
}

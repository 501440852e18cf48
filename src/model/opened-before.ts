/**
 * Accounts of stores from before `openedAt`: which of them people opened themselves, where, and which roles
 * they got by it. Both durable back ends ask here, once, when they are migrated; nothing else does.
 *
 * The audit trail knows, as far back as it goes: every registration left a line, and an operator's says so.
 * Where it has no line, an account counts as opened at a dialect only if its roles and its vendor members are
 * what that dialect's registration wrote, to the email. Every other account stays an operator's, roles and all.
 */
import type { AccountRecord } from './account.ts';
import type { AuditRecord } from './audit-event.ts';
import type { Json } from './json.ts';

/** Of the audit lines of a new account. */
export const OPENING_EVENTS: readonly string[] = ['account.register', 'identity.created'];

interface Registration {
  /** The role that it wrote into the account's own. */
  role(members: Readonly<Record<string, Json>>): Json | undefined;
  /** Whether an account has what it wrote besides, and nothing that only an operator writes. */
  fits(account: AccountRecord, members: Readonly<Record<string, Json>>): boolean;
}

/** The dialects whose registrations wrote roles, as they did until then. */
const REGISTRATIONS: Readonly<Record<string, Registration>> = {
  visitnote: {
    role: () => 'clinician',
    fits: (_, members) =>
      ['subscription_status', 'trial_ends_at', 'needs_onboarding'].every((name) => name in members),
  },
  careportals: {
    role: () => 'patient',
    fits: ({ claims }) => claims.phone_number !== undefined && claims.phone_number_verified !== undefined,
  },
  avycenna: {
    role: ({ role }) => (role === 'doctor' || role === 'patient' ? role : undefined),
    fits: (_, members) => Object.keys(members).length === 1,
  },
};

/** The account as it is from now on; undefined where nothing changes. `opening`: its line of the audit trail. */
export function withOpening(
  account: AccountRecord,
  opening: AuditRecord | undefined,
): AccountRecord | undefined {
  if (account.openedAt !== undefined) return undefined;
  const openedAt = opening === undefined ? placeByShape(account) : placeOf(opening);
  if (openedAt === undefined) return undefined;
  const role = givenRole(account, openedAt);
  if (role === undefined) return { ...account, openedAt };
  const members = { ...account.vendor[openedAt], role };
  return { ...account, openedAt, roles: [], vendor: { ...account.vendor, [openedAt]: members } };
}

/** Undefined: an operator made it. */
function placeOf({ detail = {} }: AuditRecord): string | undefined {
  if (typeof detail.dialect === 'string') return detail.dialect;
  return (detail.channel ?? detail.door) === 'hosted' ? 'hosted' : undefined;
}

function placeByShape(account: AccountRecord): string | undefined {
  return Object.keys(REGISTRATIONS).find((name) => {
    const members = account.vendor[name] ?? {};
    const known = account.aliases[name] !== undefined && givenRole(account, name) !== undefined;
    return known && REGISTRATIONS[name]?.fits(account, members);
  });
}

/** The one role of the account, if it is the one that registering there wrote. More than one are an operator's. */
function givenRole({ roles, vendor }: AccountRecord, place: string): string | undefined {
  const input = REGISTRATIONS[place]?.role(vendor[place] ?? {});
  return typeof input === 'string' && roles.length === 1 && roles[0] === input ? input : undefined;
}

/** Letters to an account's owner. Nothing that a stranger's request contained goes into one. */
import { randomToken, randomUUID } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import type { Identity } from '../context.ts';

/** Letters that may be sent within `window` seconds. */
export interface LetterQuota {
  readonly limit: number;
  readonly window: number;
}

/** Queues a letter and returns at once. An account without an address, or whose mail is switched off, gets none. */
export function sendLetter(
  identity: Identity,
  letter: {
    account: AccountRecord;
    name: string;
    to?: string;
    /** Whose brand the email wears, where the organization's is not enough. */
    client?: string;
    data?: Readonly<Record<string, Json>>;
  },
): void {
  const { account, client } = letter;
  const to = letter.to ?? account.email;
  if (to === undefined || mailIsOff(account)) return;
  identity.mailer.send({
    name: letter.name,
    to,
    organization: account.organization,
    ...(client === undefined ? {} : { client }),
    data: letter.data ?? {},
    ...(account.claims.locale === undefined ? {} : { locale: account.claims.locale }),
  });
}

/**
 * Stands for whoever gets no email, at doors that must not tell known from unknown: whatever is stored for it
 * opens nothing, its email is rendered and thrown away, and all of that takes the same time.
 */
export function nobodyIn(organization: string): AccountRecord {
  const never = new Date(0);
  return {
    ...{ id: randomToken('nobody_'), organization, status: 'active', email: '', emailVerified: false },
    ...{ claims: {}, roles: [], aliases: {}, vendor: {} },
    ...{ createdAt: never, updatedAt: never, version: 1 },
  };
}

/**
 * Takes one letter of a mailbox's quota; false when it is used up. For letters that anybody can ask for:
 * without it the server is a way to flood a person's mailbox.
 */
export async function mayWrite(
  identity: Identity,
  wanted: { account: Pick<AccountRecord, 'id'>; quota?: LetterQuota | undefined },
): Promise<boolean> {
  const { account, quota } = wanted;
  if (quota === undefined) return true;
  const { limit, window } = quota;
  const key = `letters:${identity.secrets.mac('letters', JSON.stringify([account.id, limit, window]))}`;
  const now = identity.clock.now();
  const taken = await identity.stores.attempts.take(key, randomUUID(), { limit, window: window * 1000 }, now);
  return taken.allowed;
}

/** A clinic that writes to its patients itself can switch an account's letters off (VSee's disable_emails). */
function mailIsOff(account: AccountRecord): boolean {
  return Object.values(account.vendor).some((members) => {
    const off = members.disable_emails;
    return off === true || off === 1;
  });
}

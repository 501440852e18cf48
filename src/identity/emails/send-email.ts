/** Emails to an account's owner. No email repeats text from an unauthenticated request. */
import { randomToken, randomUUID } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { EmailName } from '../../model/email-name.ts';
import type { Json } from '../../model/json.ts';
import type { Identity } from '../context.ts';
import { type Quota, storeLimit } from '../rate-limits/budgets.ts';

/** Queues an email and returns at once. An account without an address, or whose mail is switched off, gets none. */
export function sendEmail(
  identity: Identity,
  email: {
    account: AccountRecord;
    name: EmailName;
    to?: string | undefined;
    /** Whose brand the email wears, where the organization's is not enough. */
    client?: string | undefined;
    data?: Readonly<Record<string, Json>>;
  },
): void {
  const { account, name, client, data = {} } = email;
  const to = email.to ?? account.email;
  if (to === undefined || mailIsOff(identity, account)) return;
  const { locale } = account.claims;
  const { organization } = account;
  identity.mailer.send({
    ...{ name, to, organization, data },
    ...(client !== undefined && { client }),
    ...(locale !== undefined && { locale }),
  });
}

/**
 * A recipient that gets no email, for channels that must not reveal whether an account exists: what is stored
 * for it is invalid, its email is rendered and discarded, and both take the usual time.
 */
export function absentAccountIn(organization: string): AccountRecord {
  const never = new Date(0);
  return {
    ...{ id: randomToken('nobody_'), organization, status: 'active', email: '', emailVerified: false },
    ...{ claims: {}, roles: [], aliases: {}, vendor: {} },
    ...{ createdAt: never, updatedAt: never, version: 1 },
  };
}

/**
 * Takes one email of a mailbox's quota; false when it is used up. For emails that unauthenticated clients can
 * request: without it an attacker could flood a person's mailbox.
 */
export async function mayWrite(
  identity: Identity,
  input: { account: Pick<AccountRecord, 'id'>; quota?: Quota | undefined },
): Promise<boolean> {
  const { account, quota } = input;
  if (quota === undefined) return true;
  const owner = JSON.stringify([account.id, quota.limit, quota.window]);
  const key = `letters:${identity.secrets.hmac('letters', owner)}`;
  const { clock, stores } = identity;
  return (await stores.rateLimits.take(key, randomUUID(), storeLimit(quota), clock.now())).allowed;
}

/** Whether a clinic that writes to its people itself has switched the account's emails off. */
function mailIsOff({ clinicDecisions }: Identity, { vendor }: AccountRecord): boolean {
  return [...clinicDecisions].some(([dialect, { emailsOff }]) => emailsOff(vendor[dialect] ?? {}));
}

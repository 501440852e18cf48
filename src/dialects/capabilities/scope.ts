/** What every group of Use does with the current request. Accounts of other organizations do not exist here. */
import { findAccount } from '../../identity/accounts/find-account.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Json } from '../../model/json.ts';
import { type OrganizationView, Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { accountView, knows, plainView } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';

/** Throws 'unknown-organization' where the request belongs to none. */
export function organizationOf({ organization }: CurrentRequest): OrganizationView {
  if (organization === undefined) throw new Refused('unknown-organization');
  return organization;
}

/** Whether a record is of the request's organization. Where that is open still, the record decides it from here on. */
export async function adopt(
  current: CurrentRequest,
  record: { readonly organization: string },
): Promise<boolean> {
  current.organization ??= await current.directory.byId(record.organization);
  return current.organization?.id === record.organization;
}

/** Undefined: unknown, or of another organization. */
export async function find(
  { services, organization }: CurrentRequest,
  id: string,
): Promise<AccountRecord | undefined> {
  return organization && findAccount(services.identity, { id, organization: organization.id });
}

/** Throws 'account-not-found'. */
export async function need(current: CurrentRequest, id: string): Promise<AccountRecord> {
  const account = await find(current, id);
  if (account === undefined) throw new Refused('account-not-found');
  return account;
}

export function view({ services, mounted }: CurrentRequest, account: AccountRecord): Promise<AccountView> {
  return accountView(services.identity, account, mounted.dialect);
}

/**
 * Undefined also where the account's place of opening is not admitted. Makes no id of the vendor's: strangers
 * ask by this, and the time of a write would tell them that there is such an account.
 */
export function viewIfKnown(
  current: CurrentRequest,
  account: AccountRecord | undefined,
): AccountView | undefined {
  const { organization, mounted } = current;
  const isHere = account !== undefined && account.organization === organization?.id;
  return isHere && knows(mounted, account) ? plainView(account, mounted.dialect) : undefined;
}

/** One audit line of an act that succeeded. */
export function did(
  { services, organization, context }: CurrentRequest,
  event: AuditEvent,
  subject: string,
  detail: Record<string, Json> = {},
): void {
  recordEvent(services.identity, { event, organization: organization?.id, subject, context, detail });
}

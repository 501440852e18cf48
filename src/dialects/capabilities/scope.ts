/** What every group of Use is bound to: the dialect with its client, the request, and the organization. */
import type { Identity, RequestContext } from '../../identity/context.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Json } from '../../model/json.ts';
import type { OrganizationView } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { DialectServices } from '../runtime/deps.ts';
import type { MountedDialect } from '../runtime/mounted.ts';
import type { DialectRequest } from '../runtime/request-context.ts';

export interface Bound {
  readonly exchange: DialectRequest;
  readonly services: DialectServices;
  readonly identity: Identity;
  readonly mounted: MountedDialect;
  readonly context: RequestContext;
  /** Throws 'unknown-organization' where the request belongs to none. */
  organization(): OrganizationView;
  /** Whether a record is of the request's organization. Where that is open still, the record decides it from here on. */
  adopt(record: { readonly organization: string }): Promise<boolean>;
  /** Undefined: unknown, or of another organization. */
  find(accountId: string): Promise<AccountRecord | undefined>;
  /** Throws 'account-not-found'. */
  need(accountId: string): Promise<AccountRecord>;
  view(account: AccountRecord): Promise<AccountView>;
  viewIfHere(account: AccountRecord | undefined): Promise<AccountView | undefined>;
  /**
   * Undefined also where the account's place of opening is not admitted. Makes no id of the vendor's: strangers
   * ask by this, and the time of a write would tell them that there is such an account (security.md B5).
   */
  viewIfKnown(account: AccountRecord | undefined): AccountView | undefined;
  /** One audit line of an act that succeeded. */
  did(event: AuditEvent, subject: string, detail?: Record<string, Json>): void;
}

/** What every use case is bound to: the dialect with its client, the request, and the organization. */

import { findAccount } from '../../identity/accounts/find-account.ts';
import type { Identity, RequestContext } from '../../identity/context.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Json } from '../../model/json.ts';
import { type OrganizationView, Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { accountView, plainView } from '../runtime/account-view.ts';
import { knows } from '../runtime/admission.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { directoryOf } from '../runtime/directory.ts';
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

export function bind(exchange: DialectRequest): Bound {
  const { services, mounted } = exchange;
  const { identity } = services;
  const { dialect, clientId } = mounted;
  const bound: Bound = {
    exchange,
    services,
    identity,
    mounted,
    context: {
      address: exchange.request.address,
      requestId: exchange.requestId,
      clientId,
      channel: dialect.name,
    },
    organization() {
      if (exchange.organization === undefined) throw new Refused('unknown-organization');
      return exchange.organization;
    },
    async adopt(record) {
      exchange.organization ??= await directoryOf(identity, dialect.name).byId(record.organization);
      return exchange.organization?.id === record.organization;
    },
    async find(accountId) {
      if (exchange.organization === undefined) return undefined;
      return findAccount(identity, { id: accountId, organization: exchange.organization.id });
    },
    async need(accountId) {
      const account = await bound.find(accountId);
      if (account === undefined) throw new Refused('account-not-found');
      return account;
    },
    view: (account) => accountView(identity, account, dialect),
    async viewIfHere(account) {
      if (account === undefined || account.organization !== exchange.organization?.id) return undefined;
      return bound.view(account);
    },
    viewIfKnown(account) {
      const isHere = account !== undefined && account.organization === exchange.organization?.id;
      return isHere && knows(mounted, account) ? plainView(account, dialect) : undefined;
    },
    did(event, subject, detail) {
      services.audit.write({
        event,
        outcome: 'success',
        ...(exchange.organization === undefined ? {} : { organization: exchange.organization.id }),
        subject,
        clientId,
        address: exchange.request.address,
        requestId: exchange.requestId,
        detail: { channel: dialect.name, ...detail },
      });
    },
  };
  return bound;
}

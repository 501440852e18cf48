import type { AccountRecord } from '../../model/account.ts';
import type { ApiRecord } from '../../model/api.ts';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { AuditRecord } from '../../model/audit-event.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { CodeRecord } from './codes.ts';
import type { DeliveryRecord } from './deliveries.ts';
import type { LeaseRecord } from './leases.ts';
import type { LinkTokenRecord } from './link-tokens.ts';
import type { OidcRecordKind, StoredOidcRecord } from './oidc-records.ts';
import type { PresenceRecord } from './presence.ts';
import type { UsageDay } from './usage.ts';

/** Everything that a store holds, whole: what it takes to write the same through the ports of another. */
export interface DumpedRecords {
  metadata: { readonly name: string; readonly value: string };
  organizations: OrganizationRecord;
  clients: ClientRecord;
  apis: ApiRecord;
  accounts: AccountRecord;
  identities: IdentityRecord;
  apiKeys: ApiKeyRecord;
  keyring: { readonly version: number; readonly encrypted: string };
  oidcRecords: StoredOidcRecord & { readonly kind: OidcRecordKind };
  /** `tries` are those that are left. */
  codes: CodeRecord & { readonly key: string };
  linkTokens: LinkTokenRecord & { readonly hash: string };
  leases: LeaseRecord;
  presence: PresenceRecord & { readonly accountId: string };
  deliveries: DeliveryRecord;
  /** One key of a fixed window; it ends at `until`. */
  windows: { readonly key: string; readonly count: number; readonly until: Date };
  /** One event of a sliding window; it leaves the window at `until`. */
  attempts: { readonly key: string; readonly mark: string; readonly at: Date; readonly until: Date };
  remembered: { readonly key: string; readonly until: Date };
  /** Oldest first. */
  audit: AuditRecord;
  usage: UsageDay;
}

export type DumpSubject = keyof DumpedRecords;

export interface DumpBatch<Subject extends DumpSubject> {
  readonly records: DumpedRecords[Subject][];
  /** Where the next batch begins; absent behind the last record. */
  readonly next?: string;
}

/**
 * A store to be read from one end to the other. Only back ends that keep every name as it was given can
 * offer it: Redis keeps hashes of most of them.
 */
export interface StoreDump {
  /**
   * Keeps every other process off the store until close(). StoreUnusable when one is using it. Not asked
   * for, the store may change while it is read.
   */
  hold(): Promise<void>;
  /** A text that is another one after any change of any record. Reads everything. */
  digest(): Promise<string>;
  /** Records that live at `now`. */
  count(subject: DumpSubject, now: Date): Promise<number>;
  /** At most `limit` records that live at `now`, in an order that does not change, from `after` on. */
  read<Subject extends DumpSubject>(
    subject: Subject,
    options: { after?: string | undefined; limit: number; now: Date },
  ): Promise<DumpBatch<Subject>>;
  close(): Promise<void>;
}

import type { Json } from './json.ts';

/** One audit event, as the store keeps it. */
export interface AuditRecord {
  readonly at: Date;
  /** e.g. 'sign-in', 'grant.revoked'. */
  readonly event: string;
  readonly outcome: 'success' | 'refused' | 'error';
  readonly organization?: string;
  /** Account id, or a pseudonym where there is no account. Never an address. */
  readonly subject?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly requestId?: string;
  readonly detail?: Record<string, Json>;
}

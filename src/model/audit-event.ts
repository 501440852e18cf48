import type { Json } from './json.ts';

/** Every audit event. One act is one event, whichever channel it comes by; docs/operations.md lists them. */
export type AuditEvent =
  | 'sign-in'
  | 'password.check'
  | 'password.set'
  | 'password.forgotten'
  | 'code.check'
  | 'code.send'
  | 'link-token'
  | `link-token.${'send' | 'spend'}`
  | `account.${'register' | 'reclaim' | 'status' | 'delete' | 'take-over' | 'confirm' | 'import' | 'export'}`
  | `migration.${'conflict' | 'settle'}`
  | `email.${'change' | 'confirm'}`
  | 'profile.update'
  | 'data.download'
  | `identity.${'link' | 'unlink' | 'linked' | 'reclaimed' | 'created'}`
  | `upstream-token.${'revoke' | 'dead'}`
  | 'identity.notice'
  | `api-key.${'create' | 'update' | 'delete' | 'use'}`
  | `factor.${'add' | 'remove' | 'use' | 'reset'}`
  | `consent.${'give' | 'end'}`
  | `${'grant' | 'session'}.end`
  | `grant.${'issued' | 'revoked'}`
  | `token.${'issued' | 'refreshed' | 'reused' | 'exchange' | 'adopt'}`
  | `device.${'started' | 'refused'}`
  | 'logout'
  | `logout.${'queued' | 'delivered' | 'dead' | 'retry'}`
  | `${'authorization' | 'token' | 'userinfo' | 'introspection' | 'revocation' | 'logout'}.refused`
  | 'limit'
  | `${'organization' | 'client' | 'api'}.${'create' | 'update' | 'delete'}`
  | 'client.document'
  | 'client.register'
  | `client-secret.${'rotate' | 'end'}`
  | 'server-key.re-encrypt'
  | `registration-token.${'create' | 'revoke'}`
  | 'signing-key.rotate'
  | 'migration.stage'
  | 'seed.load'
  | 'store.copy';

/** What is written down. */
export interface AuditEntry {
  readonly event: AuditEvent;
  readonly outcome: 'success' | 'refused' | 'error';
  readonly organization?: string;
  /** Account id, or a pseudonym where there is no account. Never an address. */
  readonly subject?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly requestId?: string;
  readonly detail?: Record<string, Json>;
}

/** An audit event as a store holds it. `event`: an older record has the word of its time. */
export interface AuditRecord extends Omit<AuditEntry, 'event'> {
  readonly at: Date;
  readonly event: string;
}

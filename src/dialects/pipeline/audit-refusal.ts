/**
 * The audit line of a refused act. Refused passwords and codes are written where they are judged
 * (identity/); requests that merely were malformed, or showed a dead token, are no acts.
 */
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Reason, Refused } from '../contract/dialect.ts';
import type { DialectRequest } from '../runtime/request-context.ts';

const EVENTS: Partial<Record<Reason, AuditEvent>> = {
  'id-token-refused': 'sign-in',
  'refresh-refused': 'token.refused',
  'link-token-refused': 'link-token',
  'state-refused': 'sign-in',
  'invalid-api-key': 'api-key.use',
  'account-exists': 'account.register',
  'too-many-requests': 'limit',
};

export function auditRefusal(exchange: DialectRequest, refusal: Refused): void {
  const event = EVENTS[refusal.reason];
  if (event === undefined) return;
  const { services, mounted, organization, caller, request, requestId, endpoint } = exchange;
  services.audit.write({
    event,
    outcome: 'refused',
    ...(organization === undefined ? {} : { organization: organization.id }),
    ...(caller?.account === undefined ? {} : { subject: caller.account.id }),
    clientId: mounted.clientId,
    address: request.address,
    requestId,
    detail: {
      channel: mounted.dialect.name,
      endpoint: `${endpoint.method} ${endpoint.path}`,
      reason: refusal.reason,
    },
  });
}

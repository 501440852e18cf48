/**
 * The one way from identity to the audit trail. Functions that take an optional `context` write their event
 * when it is given. Callers that write their own audit record omit it.
 */
import type { AuditEntry } from '../../model/audit-event.ts';
import type { Identity, RequestContext } from '../context.ts';

export function recordEvent(
  identity: Identity,
  input: Pick<AuditEntry, 'event' | 'detail'> & {
    /** Default: success. */
    outcome?: AuditEntry['outcome'];
    organization: string;
    subject: string | undefined;
    context: RequestContext | undefined;
  },
): void {
  const { event, outcome = 'success', organization, subject, context, detail } = input;
  identity.audit.write({
    event,
    outcome,
    organization,
    ...(subject !== undefined && { subject }),
    ...(context && { clientId: context.clientId, address: context.address, requestId: context.requestId }),
    detail: { ...(context && { channel: context.channel }), ...detail },
  });
}

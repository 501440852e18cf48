/** The audit record of a change to an account. Callers that write their own omit the `context`. */
import type { Json } from '../../model/json.ts';
import type { Identity, RequestContext } from '../context.ts';

export function noteChange(
  identity: Identity,
  change: {
    event: string;
    organization: string;
    subject: string | undefined;
    context: RequestContext | undefined;
    detail?: Readonly<Record<string, Json>>;
  },
): void {
  const { event, organization, subject, context } = change;
  identity.audit.write({
    event,
    outcome: 'success',
    organization,
    ...(subject === undefined ? {} : { subject }),
    ...(context === undefined
      ? {}
      : { clientId: context.clientId, address: context.address, requestId: context.requestId }),
    detail: { ...(context === undefined ? {} : { channel: context.channel }), ...change.detail },
  });
}

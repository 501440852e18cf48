/**
 * The audit line of a change to an account. Functions that take an optional `origin` write it when they are
 * given one: a door that writes lines of its own gives none.
 */
import type { Json } from '../../model/json.ts';
import type { Identity, RequestOrigin } from '../context.ts';

export function noteChange(
  identity: Identity,
  change: {
    event: string;
    organization: string;
    subject: string | undefined;
    origin: RequestOrigin | undefined;
    detail?: Readonly<Record<string, Json>>;
  },
): void {
  const { event, organization, subject, origin } = change;
  identity.audit.write({
    event,
    outcome: 'success',
    organization,
    ...(subject === undefined ? {} : { subject }),
    ...(origin === undefined
      ? {}
      : { clientId: origin.clientId, address: origin.address, requestId: origin.requestId }),
    detail: { ...(origin === undefined ? {} : { door: origin.door }), ...change.detail },
  });
}

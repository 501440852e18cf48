/**
 * From whatever was thrown to a reason, its numbers and its audit line. What is no refusal is a defect: logged
 * here, never shown.
 */
import { StoreUnavailable } from '../../core/errors.ts';
import { UpstreamUnavailable } from '../../federation/protocol/upstream.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import type { Log } from '../../observe/log.ts';
import { type Reason, Refused } from '../contract/dialect.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { endpointName } from '../runtime/match-route.ts';

/** Seconds after which a client may try again when a server behind us is away. */
const AWAY = 5;

export function refusedFrom(thrown: unknown, log: Log): Refused {
  if (thrown instanceof Refused) return thrown;
  if (thrown instanceof StoreUnavailable || thrown instanceof UpstreamUnavailable) {
    log.warn({ err: thrown }, 'a server that a dialect needs cannot be reached');
    return new Refused('unavailable', { retryAfter: AWAY, cause: thrown });
  }
  log.error({ err: thrown }, 'a request to a dialect failed');
  return new Refused('internal', { cause: thrown });
}

/** Whole seconds, for the two reasons that name a time. */
export function retryAfterOf(refusal: Refused): number | undefined {
  if (refusal.reason === 'unavailable') return Math.max(1, Math.ceil(refusal.retryAfter ?? AWAY));
  if (refusal.reason === 'too-many-requests') return Math.max(1, Math.ceil(refusal.retryAfter ?? 1));
  return undefined;
}

/**
 * Refused acts that leave a line. Refused passwords and codes are written where they are judged (identity/);
 * requests that merely were malformed, or showed a dead token, are no acts.
 */
const EVENTS: Partial<Record<Reason, AuditEvent>> = {
  'id-token-refused': 'sign-in',
  'refresh-refused': 'token.refused',
  'link-token-refused': 'link-token',
  'state-refused': 'sign-in',
  'invalid-api-key': 'api-key.use',
  'account-exists': 'account.register',
  'too-many-requests': 'limit',
};

export function auditRefusal(current: CurrentRequest, { reason }: Refused): void {
  const event = EVENTS[reason];
  if (event === undefined) return;
  const { identity, organization, caller, context, endpoint } = current;
  recordEvent(identity, {
    event,
    outcome: 'refused',
    organization: organization?.id,
    subject: caller?.account?.id,
    context,
    detail: { endpoint: endpointName(endpoint), reason },
  });
}

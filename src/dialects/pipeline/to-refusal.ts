/** From whatever was thrown to a reason and its numbers. What is no refusal is a defect: logged here, never shown. */

import { StoreUnavailable } from '../../core/errors.ts';
import { UpstreamUnavailable } from '../../federation/protocol/upstream.ts';
import type { Log } from '../../observe/log.ts';
import { Refused } from '../contract/dialect.ts';

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

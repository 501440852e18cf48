/**
 * Device codes (RFC 8628) over all nodes: one confirmation each, and no polling faster than the
 * interval.
 *
 * Replaces in oidc-provider 9.13.3:
 * - DeviceCode.find 7774e9bf19c4
 * - DeviceCode.findByUserCode 7eceebf8c772
 * - DeviceCode.prototype.save ef4835828696
 */
import { randomUUID } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { readCode } from '../../core/text.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import { isOnRoute } from '../provider/context.ts';
import { modelOf, override, type ProviderRecord } from './models.ts';

/** What happens once over all nodes is settled by a lease. */
export interface LeasedDeps {
  readonly provider: Provider;
  readonly leases: LeaseStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** The provider drops every sign that is not of ASCII from a user code, so it would not know a full-width letter. */
export function readUserCodes(provider: Provider): void {
  override(modelOf(provider, 'DeviceCode'), 'findByUserCode', (_model, original, normalized, options) => {
    const typed: unknown = Provider.ctx?.oidc.params?.user_code;
    return original(typeof typed === 'string' ? readCode(typed).toUpperCase() : normalized, options);
  });
}

export class CodeTaken extends errors.InvalidRequest {}

export function confirmCodesOnce({ provider, leases, secrets, clock }: LeasedDeps): void {
  override(modelOf(provider, 'DeviceCode').prototype, 'save', async (code, original) => {
    // The provider has read "not yet confirmed" and writes "confirmed" without looking again.
    if (code.inFlight === true && code.accountId === undefined && code.error === undefined) {
      const key = `device:${secrets.hmac('device-confirmed', String(code.jti))}`;
      const until = new Date((code.exp ?? 0) * 1000);
      const first = await leases.acquire(key, randomUUID(), clock.now(), until);
      if (!first) throw new CodeTaken('the code was confirmed by another request');
    }
    return original();
  });
}

/**
 * How much of the interval has to have passed. The device counts from our answer and the network takes its
 * time, now more, now less: a device that keeps to the interval must never hear that it did not.
 */
const PASSED = 0.8;

/**
 * A device asks again and again whether its person has said yes (RFC 8628, 3.5). When it asks faster than
 * `interval` (seconds; 0: devices are not held to any), it hears `slow_down` and has to add five seconds from
 * then on. Only open questions are held to it: a device that asks after the yes gets its tokens.
 */
export function slowDevicesDown({
  provider,
  leases,
  secrets,
  clock,
  interval,
}: LeasedDeps & { interval: number }): void {
  if (interval === 0) return;
  override(modelOf(provider, 'DeviceCode'), 'find', async (_model, original, value, options) => {
    const code = await original(value, options);
    if (code === undefined || !asksAgain(code)) return code;
    const now = clock.now();
    const key = `device-poll:${secrets.hmac('device-poll', String(code.jti))}`;
    // One step in the shared store: of several questions at once, over all nodes, one is in time.
    const until = new Date(now.getTime() + interval * 1000 * PASSED);
    if (!(await leases.acquire(key, randomUUID(), now, until))) {
      throw new errors.SlowDown('the device asks faster than its interval allows');
    }
    return code;
  });
}

/** The code's own client at the token endpoint, while the question is open. The provider says what else is wrong. */
function asksAgain({ clientId, isExpired, accountId, error }: ProviderRecord): boolean {
  const ctx = Provider.ctx;
  if (ctx === undefined || !isOnRoute(ctx, 'token') || ctx.oidc.client?.clientId !== clientId) return false;
  return isExpired !== true && accountId === undefined && error === undefined;
}

/**
 * A device asks again and again whether somebody has said yes yet (RFC 8628, 3.5). Faster than the interval
 * that it was told, it hears `slow_down`, and has to add five seconds from then on. Only questions that are
 * still open are held to it: whoever asks after the yes gets the tokens.
 */
import { randomUUID } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import { type ProviderContext, type ProviderMiddleware, routeOf } from '../provider/context.ts';
import { modelOf, overrideFind, type ProviderRecord } from './models.ts';

/**
 * How much of the interval has to have passed. The device counts from our answer and the network takes its
 * time, now more, now less: who keeps to the interval must never hear that it did not.
 */
const PASSED = 0.8;

export interface PollingDeps {
  readonly leases: LeaseStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Seconds; 0: devices are not held to any. */
  readonly interval: number;
}

type DeviceCode = ProviderRecord & {
  readonly isExpired?: boolean;
  readonly accountId?: string;
  readonly error?: string;
};

export function slowDevicesDown(provider: Provider, { leases, secrets, clock, interval }: PollingDeps): void {
  if (interval === 0) return;
  overrideFind(
    modelOf(provider, 'DeviceCode'),
    (original) =>
      async function find(value, options) {
        const code: DeviceCode | undefined = await original.call(this, value, options);
        if (code === undefined || !asksAgain(code)) return code;
        const now = clock.now();
        const key = `device-poll:${secrets.hmac('device-poll', String(code.jti))}`;
        // One step in the shared store: of several questions at once, over all nodes, one is in time.
        const until = new Date(now.getTime() + interval * 1000 * PASSED);
        if (!(await leases.acquire(key, randomUUID(), now, until))) {
          throw new errors.SlowDown('the device asks faster than its interval allows');
        }
        return code;
      },
  );
}

/** The code's own client at the token endpoint, before anybody has answered. What else is wrong, the provider says. */
function asksAgain({ clientId, isExpired, accountId, error }: DeviceCode): boolean {
  const ctx = Provider.ctx;
  if (routeOf(ctx) !== 'token' || ctx?.oidc.client?.clientId !== clientId) return false;
  return isExpired !== true && accountId === undefined && error === undefined;
}

/** Tells the device how often it may ask; the provider leaves it to the five seconds of the standard. */
export function nameInterval({ interval }: Pick<PollingDeps, 'interval'>): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (interval === 0 || ctx.status !== 200 || routeOf(ctx as ProviderContext) !== 'device_authorization')
      return;
    Object.assign(ctx.body as object, { interval });
  };
}

/**
 * Browsers in which a person is not asked for a second factor for a while. Each has a cookie of its own, drawn at
 * random after the factor was proven there; the account keeps its HMAC, so that it is good for this account alone.
 */
import { randomToken } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { RememberedDevice } from '../../model/factors.ts';
import type { Identity, RequestContext } from '../context.ts';
import { changeFactors } from './change-factors.ts';

/** Of one account: the oldest makes room. */
const MOST = 10;
const DAY = 86_400_000;

interface Remembering {
  readonly account: AccountRecord;
  /** As the policies say. */
  readonly days: number;
  readonly context: RequestContext;
}

/** Resolves with the cookie's value. */
export async function rememberDevice(
  identity: Identity,
  { account, days, name, context }: Remembering & { name: string },
): Promise<string> {
  const value = randomToken();
  const now = identity.clock.now();
  const device: RememberedDevice = {
    hash: hashOf(identity, account.id, value),
    name,
    createdAt: now.toISOString(),
    until: new Date(now.getTime() + days * DAY).toISOString(),
  };
  await changeFactors(identity, {
    ...{ accountId: account.id, event: 'factor.add', factor: 'device', context },
    change: ({ devices = [], ...rest }) => ({ ...rest, devices: [...devices, device].slice(-MOST) }),
  });
  return value;
}

/** Whether the cookie is one of the account's, and not older than the policies allow now; its use is noted. */
export async function isRemembered(
  identity: Identity,
  { account, days, value, context }: Remembering & { value: string },
): Promise<boolean> {
  const now = identity.clock.now();
  const hash = hashOf(identity, account.id, value);
  const isThis = (device: RememberedDevice) =>
    device.hash === hash &&
    now.getTime() < Math.min(Date.parse(device.until), Date.parse(device.createdAt) + days * DAY);
  if (!account.factors?.devices?.some(isThis)) return false;
  const used = await changeFactors(identity, {
    ...{ accountId: account.id, event: 'factor.use', factor: 'device', context },
    change: ({ devices = [], ...rest }) =>
      devices.some(isThis)
        ? {
            ...rest,
            devices: devices.map((device) =>
              isThis(device) ? { ...device, lastUsedAt: now.toISOString() } : device,
            ),
          }
        : null,
  });
  return used !== undefined;
}

/** False: it is none of the account's. */
export async function forgetDevice(
  identity: Identity,
  { accountId, hash, context }: { accountId: string; hash: string; context: RequestContext },
): Promise<boolean> {
  const done = await changeFactors(identity, {
    ...{ accountId, event: 'factor.remove', factor: 'device', context },
    change: ({ devices = [], ...rest }) => {
      const left = devices.filter((device) => device.hash !== hash);
      return left.length === devices.length ? null : { ...rest, devices: left };
    },
  });
  return done !== undefined;
}

/** The account without them, for a new password. */
export function withoutDevices(account: AccountRecord): AccountRecord {
  if (account.factors?.devices === undefined) return account;
  const { devices: _forgotten, ...factors } = account.factors;
  return { ...account, factors };
}

function hashOf({ secrets }: Pick<Identity, 'secrets'>, accountId: string, value: string): string {
  return secrets.hmac('remembered-device', JSON.stringify([accountId, value]));
}

/** The browsers that are not asked for a second factor, and the end of that. */
import { forgetDevice } from '../../../identity/factors/remembered-devices.ts';
import type { AccountForm, Visit } from '../session.ts';

/** What partials/account-devices.ejs shows. */
export function devicesShown({ deps, account }: Visit) {
  const now = deps.identity.clock.now();
  const devices = (account.factors?.devices ?? []).filter(({ until }) => now < new Date(until));
  return {
    devices: devices.map(({ hash, name, until, createdAt, lastUsedAt }) => ({
      ...{ hash, name, until, at: lastUsedAt ?? createdAt },
    })),
  };
}

export const dropDevice: AccountForm = async ({ deps, account, context, form }) => {
  const forgotten = { accountId: account.id, hash: form.get('device') ?? '', context };
  const done = await forgetDevice(deps.identity, forgotten);
  return done ? '/account/factors?done=device-forgotten' : '/account/factors';
};

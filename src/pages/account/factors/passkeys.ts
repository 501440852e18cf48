/** The passkeys of my account: adding one, removing one. */
import { Refused } from '../../../core/refused.ts';
import { acceptedLanguages } from '../../../http/views/i18n.ts';
import { findOrganization } from '../../../identity/accounts/find-organization.ts';
import { removePasskey } from '../../../identity/factors/passkeys.ts';
import { mayBeSetUp } from '../../../identity/factors/policy.ts';
import { passkeysOf } from '../../../model/factors.ts';
import { FormRefused } from '../../shared/alert.ts';
import { confirmPasskeySetup, passkeySetupShown } from '../../shared/passkey-setup.ts';
import { upstreamOf } from '../../shared/upstream-trip.ts';
import type { AccountForm, Visit } from '../session.ts';
import { toShow } from './codes.ts';

const PAGE = '/account/factors';

/** What partials/account-passkeys.ejs shows, and whether an app is offered beside it. */
export async function passkeysShown(visit: Visit) {
  const { deps, account } = visit;
  const list = passkeysOf(account).map(({ id, name, createdAt, lastUsedAt, backupEligible }) => ({
    ...{ id, name, at: createdAt, used: lastUsedAt, synced: backupEligible },
  }));
  const shown = { ...setupOf(visit), action: `${PAGE}/passkeys` };
  const { passkey: offered, app: offersApp } = await offeredTo(visit);
  const passkey = offered ? await passkeySetupShown(deps, shown) : undefined;
  return { passkeys: list, offered, passkey, offersApp };
}

/** Factors that are there go on where the organization offers no new ones. */
export async function offeredTo({ deps, account }: Visit) {
  const organization = await findOrganization(deps.identity, account.organization);
  return mayBeSetUp(deps.identity, [organization?.factors]);
}

export const addPasskey: AccountForm = async (visit) => {
  const { deps, form, context } = visit;
  if (!(await offeredTo(visit)).passkey) throw new Refused('forbidden', { detail: 'no passkeys here' });
  const added = await confirmPasskeySetup(deps, { ...setupOf(visit), form, context });
  return `${PAGE}?done=passkey-added${await toShow(visit, added)}`;
};

/** The last way in stays: without it the person could never come back. */
export const dropPasskey: AccountForm = async ({ deps, account, context, form }) => {
  const configured = (issuer: string) => upstreamOf(deps, issuer) !== undefined;
  const removed = { accountId: account.id, id: form.get('passkey') ?? '', context, configured };
  try {
    await removePasskey(deps.identity, removed);
    return `${PAGE}?done=passkey-removed`;
  } catch (error) {
    const reason = error instanceof Refused ? error.reason : undefined;
    if (reason === 'forbidden') throw new FormRefused({ kind: 'last-factor' }, 409);
    // It is gone already, which is what the person asked for.
    if (reason === 'account-not-found') return PAGE;
    throw error;
  }
};

function setupOf({ ctx, account, sessionUid: browser }: Visit) {
  const { locale } = account.claims;
  const languages = [
    ...(locale === undefined ? [] : [locale]),
    ...acceptedLanguages(ctx.get('Accept-Language')),
  ];
  return { account, browser, languages };
}

/** The passkeys of my account: adding one, removing one. */
import { Refused } from '../../../core/refused.ts';
import { acceptedLanguages } from '../../../http/views/i18n.ts';
import { removePasskey } from '../../../identity/factors/passkeys.ts';
import { mayBeSetUp } from '../../../identity/factors/policy.ts';
import { passkeysOf } from '../../../model/factors.ts';
import { confirmPasskeySetup, passkeySetupShown } from '../../shared/passkey-setup.ts';
import { showingCodes } from '../../shared/shown-once.ts';
import type { AccountForm, Visit } from '../session.ts';
import { endWayIn } from '../sign-ins.ts';

const PAGE = '/account/factors';

/** What partials/account-passkeys.ejs shows, and whether an app is offered beside it. */
export async function passkeysShown(visit: Visit) {
  const { deps, account } = visit;
  const list = passkeysOf(account).map(({ id, name, createdAt, lastUsedAt, backupEligible }) => ({
    ...{ id, name, at: createdAt, used: lastUsedAt, synced: backupEligible },
  }));
  const shown = { ...setupOf(visit), action: `${PAGE}/passkeys` };
  const { passkey: offered, app: offersApp } = offeredTo(visit);
  const passkey = offered ? await passkeySetupShown(deps, shown) : undefined;
  return { passkeys: list, offered, passkey, offersApp };
}

/** Factors that are there go on where the organization offers no new ones. */
export function offeredTo({ deps, policies }: Visit) {
  return mayBeSetUp(deps.identity, policies);
}

export const addPasskey: AccountForm = async (visit) => {
  const { deps, form, context } = visit;
  if (!offeredTo(visit).passkey) throw new Refused('forbidden', { detail: 'no passkeys here' });
  const added = await confirmPasskeySetup(deps, { ...setupOf(visit), form, context });
  return showingCodes(deps, `${PAGE}?done=passkey-added`, added);
};

export const dropPasskey: AccountForm = ({ deps, account, context, form }) =>
  endWayIn(deps, { page: PAGE, done: 'passkey-removed' }, (configured) =>
    removePasskey(deps.identity, {
      ...{ accountId: account.id, id: form.get('passkey') ?? '', context, configured },
    }),
  );

function setupOf({ ctx, account, sessionUid: browser }: Visit) {
  const { locale } = account.claims;
  const languages = [
    ...(locale === undefined ? [] : [locale]),
    ...acceptedLanguages(ctx.get('Accept-Language')),
  ];
  return { account, browser, languages };
}

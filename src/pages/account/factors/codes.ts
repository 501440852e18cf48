/** What a person confirms a sign-in with besides the password: the list of it, the authenticator app, recovery codes. */
import { Refused } from '../../../core/refused.ts';
import { seeOther } from '../../../http/views/send-page.ts';
import { changeFactors, renewRecoveryCodes } from '../../../identity/factors/change-factors.ts';
import { appSetupShown, beginAppSetup, confirmAppSetup } from '../../shared/app-setup.ts';
import { codesToShow, showingCodes } from '../../shared/shown-once.ts';
import { showAccountPage } from '../render.ts';
import type { AccountForm, AccountPage } from '../session.ts';
import { appPasswordsShown } from './app-passwords.ts';
import { devicesShown } from './devices.ts';
import { offeredTo, passkeysShown } from './passkeys.ts';

const PAGE = '/account/factors';

export const factors: AccountPage = async (visit, refusal) => {
  const { deps, ctx, account } = visit;
  const { app, recoveryCodes = [] } = account.factors ?? {};
  const data = {
    ...(await passkeysShown(visit)),
    ...devicesShown(visit),
    codes: await codesToShow(deps, ctx, account),
    ...(await appPasswordsShown(visit)),
    authenticator: app && { at: app.createdAt, used: app.lastUsedAt },
    left: recoveryCodes.length,
  };
  await showAccountPage(visit, 'account-factors', data, refusal);
};

export const beginApp: AccountForm = async (visit) => {
  const { deps, account } = visit;
  if (!offeredTo(visit).app) throw new Refused('forbidden', { detail: 'no apps here' });
  return account.factors?.app ? PAGE : `${PAGE}/app?setup=${await beginAppSetup(deps, account)}`;
};

export const appPage: AccountPage = async (visit, refusal) => {
  const { deps, ctx, account, form } = visit;
  const shown = await appSetupShown(deps, { account, setup: form.get('setup') ?? ctx.query.setup });
  if (shown === undefined) seeOther(ctx, PAGE);
  else await showAccountPage(visit, 'account-app', { ...shown, action: `${PAGE}/app` }, refusal);
};

export const confirmApp: AccountForm = async (visit) => {
  const { deps, account, form, context } = visit;
  const sent = { setup: form.get('setup'), code: form.get('code') ?? '' };
  const added = await confirmAppSetup(deps, { account, context, ...sent });
  return added === undefined ? PAGE : showingCodes(deps, `${PAGE}?done=app-added`, added);
};

export const removeApp: AccountForm = async ({ deps, account, context }) => {
  const removed = await changeFactors(deps.identity, {
    ...{ accountId: account.id, event: 'factor.remove', factor: 'app', context },
    change: ({ app, ...rest }) => (app === undefined ? null : rest),
  });
  return removed === undefined ? PAGE : `${PAGE}?done=app-removed`;
};

export const renewCodes: AccountForm = async ({ deps, account, context }) => {
  const renewed = await renewRecoveryCodes(deps.identity, { accountId: account.id, context });
  return renewed === undefined ? PAGE : showingCodes(deps, `${PAGE}?done=codes-made`, renewed);
};

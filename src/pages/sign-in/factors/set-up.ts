/**
 * Setting a second factor up on the way through a sign-in, where a policy requires one and the account has none; in
 * the grace period the person may put it off. Setting it up proves it too. It brings recovery codes, which the next
 * page shows once.
 */
import { acceptedLanguages } from '../../../http/views/i18n.ts';
import { seeOther } from '../../../http/views/send-page.ts';
import type { ChangedFactors } from '../../../identity/factors/change-factors.ts';
import { mayBeSetUp, neededFrom } from '../../../identity/factors/policy.ts';
import type { AccountRecord } from '../../../model/account.ts';
import type { Amr } from '../../../model/amr.ts';
import { passkeysOf } from '../../../model/factors.ts';
import { appSetupShown, beginAppSetup, confirmAppSetup } from '../../shared/app-setup.ts';
import { loginShown } from '../../shared/login-shown.ts';
import { confirmPasskeySetup, passkeySetupShown } from '../../shared/passkey-setup.ts';
import { codesToShow, showingCodes } from '../../shared/shown-once.ts';
import { halfProvenPerson, proven, stillMissing } from '../complete.ts';
import { flowStateOf, restsOn, storeFlowState } from '../flow-state.ts';
import type { SignInPage, SignInStep, Step } from '../guards.ts';
import { renderInteraction, showNext } from '../render-interaction.ts';

type Due = { readonly account: AccountRecord; readonly proofs: readonly Amr[]; readonly mayWait: boolean };

/** Undefined: setting one up is not what comes next. */
async function dueIn(step: Step): Promise<Due | undefined> {
  const half = await halfProvenPerson(step);
  if (half === undefined) return undefined;
  const missing = stillMissing(step, half.account, half.proofs);
  if (missing !== 'set-up' && missing !== 'set-up-soon') return undefined;
  return { ...half, mayWait: missing === 'set-up-soon' };
}

/** A step of it, or of one kind; where it is not due, or the kind is not offered, the page that is. */
function whileDue<Rest extends unknown[]>(
  act: (step: Step, due: Due, ...rest: Rest) => Promise<void>,
  kind?: 'passkey' | 'app',
) {
  return async (step: Step, ...rest: Rest): Promise<void> => {
    const due = await dueIn(step);
    const { deps, view } = step;
    const offered = kind === undefined || mayBeSetUp(deps.identity, view.factorPolicies)[kind];
    if (due === undefined || !offered) showNext(step);
    else await act(step, due, ...rest);
  };
}

export const showSetUp: SignInPage = whileDue(async (step, { account, proofs, mayWait }, refusal) => {
  const { deps, view } = step;
  const now = deps.identity.clock.now();
  const offered = mayBeSetUp(deps.identity, view.factorPolicies);
  const action = `/interaction/${view.uid}/factor/passkey`;
  const shown = { ...setupOf(step, account), action };
  const data = {
    account: loginShown(account),
    offersPasskey: offered.passkey,
    passkey: offered.passkey ? await passkeySetupShown(deps, shown) : undefined,
    app: offered.app,
    until:
      mayWait &&
      neededFrom({ amr: proofs, signedInAt: now }, { account, policies: view.factorPolicies, now }),
  };
  await renderInteraction(step, 'set-up-factor', data, refusal);
});

export const setUpPasskey: SignInStep = whileDue(async (step, due) => {
  const { deps, form, context } = step;
  const added = await confirmPasskeySetup(deps, { ...setupOf(step, due.account), form, context });
  const [passkey] = passkeysOf(added.account).slice(-1);
  await wasSetUp(step, due, { added, proofs: [passkey?.backupEligible ? 'swk' : 'hwk', 'user', 'mfa'] });
}, 'passkey');

export const beginApp: SignInStep = whileDue(async ({ deps, ctx, view }, { account }) => {
  seeOther(ctx, `/interaction/${view.uid}/factor/app?setup=${await beginAppSetup(deps, account)}`);
}, 'app');

export const showApp: SignInPage = whileDue(async (step, { account }, refusal) => {
  const { deps, ctx, view, form } = step;
  const shown = await appSetupShown(deps, { account, setup: form.get('setup') ?? ctx.query.setup });
  if (shown === undefined) return showNext(step);
  const data = { ...shown, account: loginShown(account), action: `/interaction/${view.uid}/factor/app` };
  await renderInteraction(step, 'set-up-app', data, refusal);
});

export const confirmApp: SignInStep = whileDue(async (step, due) => {
  const { deps, form, context } = step;
  const sent = { setup: form.get('setup'), code: form.get('code') ?? '' };
  const added = await confirmAppSetup(deps, { account: due.account, context, ...sent });
  if (added === undefined) showNext(step);
  else await wasSetUp(step, due, { added, proofs: ['otp', 'mfa'] });
});

export const putOff: SignInStep = whileDue(async (step, { account, mayWait }) => {
  if (!mayWait) return showNext(step);
  await proven(step, { account, proofs: [], later: true });
});

/** What was set up is kept as proven, so that a reload goes on from there. */
async function wasSetUp(
  step: Step,
  { account, proofs: before }: Due,
  { added, proofs }: { added: ChangedFactors; proofs: readonly Amr[] },
): Promise<void> {
  const { deps, ctx, view } = step;
  const all = [...new Set([...before, ...proofs])];
  const flow = flowStateOf(view);
  const rests = restsOn(deps, account);
  await storeFlowState(step, {
    ...flow,
    proven: { ...flow.proven, accountId: account.id, proofs: all, rests },
  });
  seeOther(ctx, await showingCodes(deps, `/interaction/${view.uid}/factor/done`, added));
}

/** The recovery codes, once, and the way on. */
export const showDone: SignInPage = async (step) => {
  const { deps, ctx } = step;
  const half = await halfProvenPerson(step);
  if (half === undefined || stillMissing(step, half.account, half.proofs) !== undefined)
    return showNext(step);
  const codes = await codesToShow(deps, ctx, half.account);
  await renderInteraction(step, 'factor-is-set-up', { codes });
};

export const goOn: SignInStep = async (step) => {
  const half = await halfProvenPerson(step);
  if (half === undefined) return showNext(step);
  await proven(step, { account: half.account, proofs: [] });
};

function setupOf({ ctx, view }: Step, account: AccountRecord) {
  const languages = [...view.uiLocales, ...acceptedLanguages(ctx.get('Accept-Language'))];
  return { account, browser: view.uid, languages };
}

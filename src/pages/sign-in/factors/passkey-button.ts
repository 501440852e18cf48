/**
 * What a page asks a browser's authenticators with. The challenge is bound to the interaction, which is bound to its
 * browser, and to a count of tries: each try spends it, and showing a page stores nothing.
 */
import { passkeyChallenge, requestOptions } from '../../../identity/factors/passkeys.ts';
import type { AccountRecord } from '../../../model/account.ts';
import { passkeysOf } from '../../../model/factors.ts';
import type { InteractionView } from '../../../oidc/contract.ts';
import type { Step } from '../guards.ts';

type Where = Pick<Step, 'deps' | 'view'>;

/** For partials/passkey-button: any passkey of this host, or one of the account's. Undefined: there can be none. */
export function passkeyButton({ deps, view }: Where, account?: AccountRecord) {
  if (account !== undefined && passkeysOf(account).length === 0) return undefined;
  const challenge = challengeOf({ deps, view });
  const options = requestOptions(deps.identity, { challenge, ...(account && { account }) });
  return options && { options: JSON.stringify(options), autofill: account === undefined };
}

/** The challenge of the page that the browser answers. The step that comes back shows pages with the next one. */
export async function spendChallenge(step: Step): Promise<{ challenge: string; step: Step }> {
  const { deps, ctx, view } = step;
  const challenge = challengeOf(step);
  const kept = { ...view.kept, passkeyTries: triesOf(view) + 1 };
  await deps.interactions.keep(ctx.req, kept);
  return { challenge, step: { ...step, view: { ...view, kept } } };
}

function challengeOf({ deps, view }: Where): string {
  return passkeyChallenge(deps.identity, 'sign-in', view.uid, triesOf(view));
}

/** Kept beside the steps of the sign-in, so that going back to its beginning brings no challenge back. */
function triesOf({ kept }: InteractionView): number {
  return Number(kept.passkeyTries ?? 0);
}

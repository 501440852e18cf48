/**
 * Setting a passkey up, on my account and on the way through a sign-in. The challenge is bound to the browser's session
 * or interaction, and to the account as the page showed it: registering changes the account, which spends the challenge.
 */
import type { FormFields } from '../../http/forms/read-form.ts';
import type { RequestContext } from '../../identity/context.ts';
import type { ChangedFactors } from '../../identity/factors/change-factors.ts';
import {
  creationOptions,
  MOST_PASSKEYS,
  passkeyChallenge,
  registerPasskey,
} from '../../identity/factors/passkeys.ts';
import type { AccountRecord } from '../../model/account.ts';
import { passkeysOf } from '../../model/factors.ts';
import { FormRefused } from './alert.ts';
import { brandOf } from './branding.ts';
import type { PageDeps } from './deps.ts';
import { lineIn } from './form-fields.ts';

interface Setup {
  readonly account: AccountRecord;
  /** The session or the interaction of this browser. */
  readonly browser: string;
}

/** What partials/passkey-form.ejs shows. Undefined: there can be none at this address. */
export async function passkeySetupShown(
  deps: PageDeps,
  { account, browser, languages, action }: Setup & { languages: readonly string[]; action: string },
) {
  const { name: rpName } = await brandOf(deps.identity, deps.views, account);
  const challenge = challengeOf(deps, { account, browser });
  const options = creationOptions(deps.identity, { challenge, account, rpName });
  return options && { action, options: JSON.stringify(options), name: defaultName(deps, account, languages) };
}

/** Throws FormRefused for what was not accepted. */
export async function confirmPasskeySetup(
  deps: PageDeps,
  {
    account,
    browser,
    languages,
    form,
    context,
  }: Setup & { languages: readonly string[]; form: FormFields; context: RequestContext },
): Promise<ChangedFactors> {
  const named = lineIn(form, 'name', 60);
  if (named === undefined) throw new FormRefused({ kind: 'invalid-fields' });
  const added = await registerPasskey(deps.identity, {
    ...{ account, context, challenge: challengeOf(deps, { account, browser }) },
    response: form.get('response') ?? '',
    name: named === '' ? defaultName(deps, account, languages) : named,
  });
  if (!('refused' in added)) return added;
  throw new FormRefused({ kind: `passkey-${added.refused}`, count: MOST_PASSKEYS });
}

function challengeOf({ identity }: PageDeps, { account, browser }: Setup): string {
  return passkeyChallenge(identity, 'registration', browser, account.id, account.version);
}

/** "Passkey 2". */
function defaultName({ views }: PageDeps, account: AccountRecord, languages: readonly string[]): string {
  return `${views.say(languages, 'passkey.default')} ${passkeysOf(account).length + 1}`;
}

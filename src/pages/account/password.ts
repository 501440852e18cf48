/** A new password for the present one, or a first one for a person who has just signed in by other means. */
import { Refused } from '../../core/refused.ts';
import { deleteApiKeys, listApiKeys } from '../../identity/accounts/api-keys.ts';
import { judgePassword } from '../../identity/accounts/judge-password.ts';
import { setPassword } from '../../identity/self-service/set-password.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Visit } from './session.ts';

export const password: AccountPage = async (visit, refusal) => {
  const { deps, account } = visit;
  const keys = await listApiKeys(deps.identity, { accountId: account.id });
  const hasPassword = account.passwordHash !== undefined;
  const data = { hasPassword, minimum: deps.passwordMinimum, keys: keys.length };
  await showAccountPage(visit, 'account-password', data, refusal);
};

/**
 * Ends every other session and every grant, and tells the owner: a stolen session does not outlive the change.
 * API keys are what programs run on, so they end only where the person says so.
 */
export const changePassword: AccountForm = async (visit) => {
  const { deps, account, context, form } = visit;
  const fresh = form.get('password') ?? '';
  const { id: accountId, organization } = account;
  // Before the present one is looked at: a new one that will not be taken costs no try.
  await judgePassword(deps.identity, { password: fresh, minimum: deps.passwordMinimum, organization });
  const current = { accountId, password: form.get('current') ?? '', context };
  if (!(await checkPassword(deps.identity, current))) throw new Refused('wrong-password');
  await set(visit);
  if (form.get('api-keys') === 'end') await deleteApiKeys(deps.identity, { account, context });
  return '/account/password?done=password-changed';
};

export const firstPassword: AccountForm = async (visit) => {
  // A password that there is cannot be replaced without it.
  if (visit.account.passwordHash !== undefined) return '/account/password';
  await set(visit);
  return '/account/password?done=password-set';
};

async function set({ deps, account, sessionUid, context, form }: Visit): Promise<void> {
  await setPassword(deps.identity, {
    accountId: account.id,
    password: form.get('password') ?? '',
    minimum: deps.passwordMinimum,
    keep: { sessionUid },
    email: 'password-changed',
    context,
  });
}

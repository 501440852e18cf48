/** A new password for the present one, or a first one for a person who has just signed in by other means. */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import { deleteApiKeys, listApiKeys } from '../../identity/accounts/api-keys.ts';
import { judgePassword } from '../../identity/accounts/judge-password.ts';
import { setPassword } from '../../identity/self-service/set-password.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Person } from './session.ts';

export const password: AccountPage = (deps, ctx, person) => show(deps, ctx, person);

/**
 * Ends every other session and every grant, and tells the owner (security.md W5). API keys are what programs
 * run on, so they end only where the person says so.
 */
export const changePassword: AccountForm = async (deps, ctx, person, form) => {
  const { account } = person;
  const fresh = form.get('password') ?? '';
  const minimum = deps.passwordMinimum;
  try {
    // Before the present one is looked at: a new one that will not be taken costs no try.
    await judgePassword(deps.identity, { password: fresh, minimum, organization: account.organization });
    const right = await checkPassword(deps.identity, {
      accountId: account.id,
      password: form.get('current') ?? '',
      context: requestContext(ctx),
    });
    if (!right) throw new Refused('wrong-password');
    await set(deps, ctx, person, fresh);
    if (form.get('api-keys') === 'end')
      await deleteApiKeys(deps.identity, { account, context: requestContext(ctx) });
  } catch (error) {
    await show(deps, ctx, person, refusedBy(ctx, error, { minimum: deps.passwordMinimum }));
    return;
  }
  leadTo(ctx, '/account/password', 'password-changed');
};

export const firstPassword: AccountForm = async (deps, ctx, person, form) => {
  // A password that there is cannot be replaced without it.
  if (person.account.passwordHash !== undefined) {
    leadTo(ctx, '/account/password');
    return;
  }
  try {
    await set(deps, ctx, person, form.get('password') ?? '');
  } catch (error) {
    await show(deps, ctx, person, refusedBy(ctx, error, { minimum: deps.passwordMinimum }));
    return;
  }
  leadTo(ctx, '/account/password', 'password-set');
};

async function set(deps: PageDeps, ctx: Context, person: Person, fresh: string): Promise<void> {
  await setPassword(deps.identity, {
    accountId: person.account.id,
    password: fresh,
    minimum: deps.passwordMinimum,
    keep: { sessionUid: person.sessionUid },
    email: 'password-changed',
    context: requestContext(ctx),
  });
}

async function show(
  deps: PageDeps,
  ctx: Context,
  person: Person,
  state: Partial<ReturnType<typeof refusedBy>> = {},
): Promise<void> {
  const keys = await listApiKeys(deps.identity, { accountId: person.account.id });
  return showAccountPage(deps, ctx, person, {
    view: 'account-password',
    ...state,
    data: {
      hasPassword: person.account.passwordHash !== undefined,
      minimum: deps.passwordMinimum,
      keys: keys.length,
    },
  });
}

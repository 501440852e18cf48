/**
 * Deleting the account for good: after a recent sign-in, with the password, or with a code where there is no
 * password. A person who has neither (signs in with Google or Apple only, no address) has just proven it by signing in.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { deleteAccount } from '../../identity/accounts/delete-account.ts';
import { proveDeletionCode, sendDeletionCode } from '../../identity/self-service/confirm-deletion.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { refusedBy } from '../shared/alert.ts';
import { brandOf } from '../shared/branding.ts';
import type { Page, PageDeps } from '../shared/deps.ts';
import { codeIn } from '../shared/form-fields.ts';
import { requestContext } from '../shared/request-context.ts';
import { appOf, lastClient } from '../shared/return-to-app.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Person } from './session.ts';

export const remove: AccountPage = (deps, ctx, person) => show(deps, ctx, person);

export const sendCodeForRemoval: AccountForm = async (deps, ctx, person) => {
  const { account, sessionUid: request } = person;
  try {
    await sendDeletionCode(deps.identity, { account, request, context: requestContext(ctx) });
  } catch (error) {
    await show(deps, ctx, person, refusedBy(ctx, error));
    return;
  }
  leadTo(ctx, '/account/delete?sent=yes');
};

export const removeForGood: AccountForm = async (deps, ctx, person, form) => {
  const { account } = person;
  try {
    await prove(deps, ctx, person, form);
  } catch (error) {
    await show(deps, ctx, person, refusedBy(ctx, error));
    return;
  }
  await deleteAccount(deps.identity, { accountId: account.id, context: requestContext(ctx) });
  await deps.sessions.end(ctx.req, ctx.res);
  leadTo(ctx, '/account/deleted');
};

export const removed: Page = async (deps, ctx) => {
  const client = await lastClient(deps, ctx);
  sendPage(ctx, deps.views, {
    view: 'account-deleted',
    brand: client && (await brandOf(deps.identity, deps.views, { ...client, client })),
    data: { app: client && appOf(deps, client) },
  });
};

/** How this person proves it. */
function proofOf({ account }: Person): 'password' | 'code' | 'sign-in' {
  if (account.passwordHash !== undefined) return 'password';
  return account.email === undefined ? 'sign-in' : 'code';
}

/** Refused('wrong-password' | 'code-refused' | 'too-many-requests' | 'unavailable'). */
async function prove(deps: PageDeps, ctx: Context, person: Person, form: FormFields): Promise<void> {
  const { account, sessionUid } = person;
  const context = requestContext(ctx);
  const proof = proofOf(person);
  if (proof === 'password') {
    const password = form.get('password') ?? '';
    const right = await checkPassword(deps.identity, { accountId: account.id, password, context });
    if (!right) throw new Refused('wrong-password');
  } else if (proof === 'code') {
    const input = { account, code: codeIn(form), request: sessionUid, context };
    if (!(await proveDeletionCode(deps.identity, input))) throw new Refused('code-refused');
  }
}

function show(
  deps: PageDeps,
  ctx: Context,
  person: Person,
  state: Partial<ReturnType<typeof refusedBy>> = {},
): Promise<void> {
  return showAccountPage(deps, ctx, person, {
    view: 'account-delete',
    ...state,
    data: {
      proof: proofOf(person),
      email: person.account.email,
      // A person who has just failed with a code was sent one.
      sent: ctx.query.sent === 'yes' || state.alert !== undefined,
    },
  });
}

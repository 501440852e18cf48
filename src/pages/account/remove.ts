/**
 * Deleting the account for good: after a recent sign-in, with the password, or with a code where there is no
 * password. A person who has neither (signs in with Google or Apple only, no address) has just proven it by signing in.
 */
import { Refused } from '../../core/refused.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { deleteAccount } from '../../identity/accounts/delete-account.ts';
import { proveDeletionCode, sendDeletionCode } from '../../identity/self-service/confirm-deletion.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { brandOf } from '../shared/branding.ts';
import type { Page } from '../shared/deps.ts';
import { loginShown } from '../shared/login-shown.ts';
import { appOf, lastClient } from '../shared/return-to-app.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Visit } from './session.ts';

export const remove: AccountPage = (visit, refusal) => {
  // A person who has just failed with a code was sent one.
  const sent = visit.ctx.query.sent === 'yes' || refusal !== undefined;
  const data = { proof: proofOf(visit), email: loginShown(visit.account), sent };
  return showAccountPage(visit, 'account-delete', data, refusal);
};

export const sendCodeForRemoval: AccountForm = async ({ deps, account, sessionUid: request, context }) => {
  await sendDeletionCode(deps.identity, { account, request, context });
  return '/account/delete?sent=yes';
};

export const removeForGood: AccountForm = async (visit) => {
  const { deps, ctx, account, context } = visit;
  await prove(visit);
  await deleteAccount(deps.identity, { accountId: account.id, context });
  await deps.sessions.end(ctx.req, ctx.res);
  return '/account/deleted';
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
function proofOf({ account }: Visit): 'password' | 'code' | 'sign-in' {
  if (account.passwordHash !== undefined) return 'password';
  return account.email === undefined ? 'sign-in' : 'code';
}

/** Refused('wrong-password' | 'code-refused' | 'too-many-requests' | 'unavailable'). */
async function prove(visit: Visit): Promise<void> {
  const { deps, account, sessionUid: request, context, form } = visit;
  const proof = proofOf(visit);
  if (proof === 'password') {
    const input = { accountId: account.id, password: form.get('password') ?? '', context };
    if (!(await checkPassword(deps.identity, input))) throw new Refused('wrong-password');
  } else if (proof === 'code') {
    const input = { account, code: form.get('code') ?? '', request, context };
    if (!(await proveDeletionCode(deps.identity, input))) throw new Refused('code-refused');
  }
}

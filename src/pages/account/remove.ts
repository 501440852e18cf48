/**
 * Deleting the account for good: after a recent sign-in, with the password, or with a code where there is no
 * password. Who has neither (signs in with Google or Apple only, no address) has just proved it by signing in.
 */
import type { Context } from 'koa';
import type { Person, ShowsPerson, SubmitsPerson } from '../../http/account-routes.ts';
import type { Shows } from '../../http/page-guards.ts';
import type { FormFields } from '../../http/read-form.ts';
import { sendPage } from '../../http/send-page.ts';
import { checkPassword } from '../../identity/check-password.ts';
import { proveDeletionCode, sendDeletionCode } from '../../identity/confirm-deletion.ts';
import { deleteAccount } from '../../identity/delete-account.ts';
import { Refused } from '../../identity/refusal.ts';
import { brandOf } from '../branding.ts';
import { codeIn } from '../entered.ts';
import { originOf } from '../origin.ts';
import type { PageParts } from '../parts.ts';
import { appOf, lastClient } from '../way-back.ts';
import { leadTo, refusedBy, showAccountPage } from './show.ts';

export function remove(parts: PageParts): ShowsPerson {
  return (ctx, person) => show(parts, ctx, person);
}

export function sendCodeForRemoval(parts: PageParts): SubmitsPerson {
  return async (ctx, _form, person) => {
    const { account, sessionUid: request } = person;
    try {
      await sendDeletionCode(parts.identity, { account, request, origin: originOf(ctx) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await show(parts, ctx, person, refusedBy(ctx, error));
      return;
    }
    leadTo(ctx, '/account/delete?sent=yes');
  };
}

export function removeForGood(parts: PageParts): SubmitsPerson {
  return async (ctx, form, person) => {
    const { account } = person;
    try {
      await prove(parts, ctx, person, form);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await show(parts, ctx, person, refusedBy(ctx, error));
      return;
    }
    await deleteAccount(parts.identity, { accountId: account.id, origin: originOf(ctx) });
    await parts.sessions.end(ctx.req, ctx.res);
    leadTo(ctx, '/account/deleted');
  };
}

export function removed(parts: PageParts): Shows {
  return async (ctx) => {
    const client = await lastClient(parts, ctx);
    sendPage(ctx, parts.views, {
      view: 'account-deleted',
      brand: client && (await brandOf(parts.identity, parts.views, { ...client, client })),
      data: { app: client && appOf(parts, client) },
    });
  };
}

/** How this person proves it. */
function proofOf({ account }: Person): 'password' | 'code' | 'sign-in' {
  if (account.passwordHash !== undefined) return 'password';
  return account.email === undefined ? 'sign-in' : 'code';
}

/** Refused('wrong-password' | 'code-refused' | 'too-many-requests' | 'unavailable'). */
async function prove(parts: PageParts, ctx: Context, person: Person, form: FormFields): Promise<void> {
  const { account, sessionUid } = person;
  const origin = originOf(ctx);
  const proof = proofOf(person);
  if (proof === 'password') {
    const password = form.get('password') ?? '';
    const right = await checkPassword(parts.identity, { accountId: account.id, password, origin });
    if (!right) throw new Refused('wrong-password');
  } else if (proof === 'code') {
    const wanted = { account, code: codeIn(form), request: sessionUid, origin };
    if (!(await proveDeletionCode(parts.identity, wanted))) throw new Refused('code-refused');
  }
}

function show(
  parts: PageParts,
  ctx: Context,
  person: Person,
  state: Partial<ReturnType<typeof refusedBy>> = {},
): Promise<void> {
  return showAccountPage(parts, ctx, person, {
    view: 'account-delete',
    ...state,
    data: {
      proof: proofOf(person),
      email: person.account.email,
      // Who has just failed with a code was sent one.
      sent: ctx.query.sent === 'yes' || state.alert !== undefined,
    },
  });
}

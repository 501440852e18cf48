/**
 * Deleting the account for good: after a recent sign-in, with the password, or with a code where there is no
 * password. Who has neither (signs in with Google or Apple only, no address) has just proved it by signing in.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { Shows } from '../../http/forms/guards.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import { sendPage } from '../../http/views/send-page.ts';
import { deleteAccount } from '../../identity/accounts/delete-account.ts';
import { proveDeletionCode, sendDeletionCode } from '../../identity/self-service/confirm-deletion.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageParts } from '../shared/deps.ts';
import { codeIn } from '../shared/form-fields.ts';
import { originOf } from '../shared/request-origin.ts';
import { appOf, lastClient } from '../shared/return-to-app.ts';
import { leadTo, refusedBy, showAccountPage } from './render.ts';
import type { Person, ShowsPerson, SubmitsPerson } from './routes.ts';

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

/**
 * The address: confirming it, and changing it. Both send a code to the address in question; which one that
 * is stands encrypted in the URL of the page that asks for the code, so a client cannot prove one address and
 * store another.
 */
import { tryDecrypt } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { normalizeEmail, readableEmail } from '../../core/text.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { proveAddress, sendAddressCode } from '../../identity/self-service/change-email.ts';
import { FormRefused } from '../shared/alert.ts';
import { emailIn } from '../shared/form-fields.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Visit } from './session.ts';

export const address: AccountPage = (visit, refusal) => {
  const { form, account } = visit;
  const { email, emailVerified } = account;
  // The form without a field is the one that confirms the address.
  const typed = emailIn(form) ?? form.get('email') ?? email;
  const entered = refusal === undefined ? '' : typed;
  const data = { email: email && readableEmail(email), verified: emailVerified, entered };
  return showAccountPage(visit, 'account-address', data, refusal);
};

/** A code to the address that the account has. */
export const confirmAddress: AccountForm = async (visit) => {
  const { email, emailVerified } = visit.account;
  return email === undefined || emailVerified ? '/account/address' : send(visit, email);
};

/** A code to the address that the account shall have. */
export const changeAddress: AccountForm = async (visit) => {
  const email = emailIn(visit.form);
  if (email === undefined) throw new FormRefused({ kind: 'invalid-address' });
  if (normalizeEmail(email) === visit.account.email) throw new FormRefused({ kind: 'same-address' });
  return send(visit, email);
};

async function send(visit: Visit, email: string): Promise<string> {
  const { deps, account, sessionUid: request, context } = visit;
  await sendAddressCode(deps.identity, { account, email, request, context });
  const to = deps.identity.secrets.encrypt(normalizeEmail(email), contextOf(visit));
  return `/account/address/code?to=${to}`;
}

export const addressCode: AccountPage = async (visit, refusal) => {
  const to = visit.form.get('to') ?? visit.ctx.query.to;
  const email = opened(visit, to);
  if (email === undefined) seeOther(visit.ctx, '/account/address');
  else await showAccountPage(visit, 'account-code', { to, email: readableEmail(email) }, refusal);
};

export const proveNewAddress: AccountForm = async (visit) => {
  const { deps, form, account, inPerson, sessionUid: request, context } = visit;
  const email = opened(visit, form.get('to'));
  if (email === undefined) return '/account/address';
  const input = { account, email, inPerson, code: form.get('code') ?? '', request, context };
  if (!(await proveAddress(deps.identity, input))) throw new Refused('code-refused');
  return `/account/address?done=address-${email === account.email ? 'confirmed' : 'changed'}`;
};

function contextOf({ account }: Visit): string {
  return `address:${account.id}`;
}

function opened(visit: Visit, to: unknown): string | undefined {
  const sent = typeof to === 'string' ? to.slice(0, 1000) : '';
  return tryDecrypt(visit.deps.identity.secrets, sent, contextOf(visit));
}

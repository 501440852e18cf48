/**
 * The address: confirming it, and changing it. Both send a code to the address in question; which one that
 * is stands encrypted in the URL of the page that asks for the code, so a client cannot prove one address and
 * store another.
 */
import type { Context } from 'koa';
import { DecryptionFailed } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { normalizeEmail } from '../../core/text.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { proveAddress, sendAddressCode } from '../../identity/self-service/change-email.ts';
import { type Alert, refusedBy } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { codeIn, emailIn } from '../shared/form-fields.ts';
import { requestContext } from '../shared/request-context.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Person } from './session.ts';

interface AddressState {
  readonly entered?: string;
  readonly alert?: Alert;
  readonly status?: number;
}

export const address: AccountPage = (deps, ctx, person) => show(deps, ctx, person);

/** A code to the address that the account has. */
export const confirmAddress: AccountForm = async (deps, ctx, person) => {
  const { email } = person.account;
  if (email === undefined || person.account.emailVerified) leadTo(ctx, '/account/address');
  else await send(deps, ctx, person, email);
};

/** A code to the address that the account shall have. */
export const changeAddress: AccountForm = async (deps, ctx, person, form) => {
  const entered = form.get('email') ?? '';
  const email = emailIn(form);
  if (email === undefined || normalizeEmail(email) === person.account.email) {
    const kind = email === undefined ? 'invalid-address' : 'same-address';
    await show(deps, ctx, person, { entered, alert: { kind }, status: 400 });
    return;
  }
  await send(deps, ctx, person, email);
};

async function send(deps: PageDeps, ctx: Context, person: Person, email: string): Promise<void> {
  try {
    const { account, sessionUid: request } = person;
    await sendAddressCode(deps.identity, { account, email, request, context: requestContext(ctx) });
  } catch (error) {
    await show(deps, ctx, person, { entered: email, ...refusedBy(ctx, error) });
    return;
  }
  const to = deps.identity.secrets.encrypt(normalizeEmail(email), contextOf(person));
  seeOther(ctx, `/account/address/code?to=${to}`);
}

export const addressCode: AccountPage = async (deps, ctx, person) => {
  const to = typeof ctx.query.to === 'string' ? ctx.query.to : '';
  const email = opened(deps, person, to);
  if (email === undefined) leadTo(ctx, '/account/address');
  else await askForCode(deps, ctx, person, { to, email });
};

export const proveNewAddress: AccountForm = async (deps, ctx, person, form) => {
  const to = form.get('to') ?? '';
  const email = opened(deps, person, to);
  if (email === undefined) {
    leadTo(ctx, '/account/address');
    return;
  }
  const { account, inPerson, sessionUid: request } = person;
  try {
    const input = { account, email, inPerson, code: codeIn(form), request, context: requestContext(ctx) };
    if (!(await proveAddress(deps.identity, input))) throw new Refused('code-refused');
  } catch (error) {
    await askForCode(deps, ctx, person, { to, email, ...refusedBy(ctx, error) });
    return;
  }
  leadTo(ctx, '/account/address', email === account.email ? 'address-confirmed' : 'address-changed');
};

function show(deps: PageDeps, ctx: Context, person: Person, state: AddressState = {}): Promise<void> {
  const { account } = person;
  return showAccountPage(deps, ctx, person, {
    view: 'account-address',
    status: state.status ?? 200,
    alert: state.alert,
    data: { email: account.email, verified: account.emailVerified, entered: state.entered ?? '' },
  });
}

function askForCode(
  deps: PageDeps,
  ctx: Context,
  person: Person,
  state: { to: string; email: string; alert?: Alert; status?: number },
): Promise<void> {
  const { to, email } = state;
  return showAccountPage(deps, ctx, person, {
    view: 'account-code',
    status: state.status ?? 200,
    alert: state.alert,
    data: { to, email },
  });
}

function contextOf({ account }: Person): string {
  return `address:${account.id}`;
}

function opened(deps: PageDeps, person: Person, to: string): string | undefined {
  try {
    return deps.identity.secrets.decrypt(to.slice(0, 1000), contextOf(person));
  } catch (error) {
    if (error instanceof DecryptionFailed) return undefined;
    throw error;
  }
}

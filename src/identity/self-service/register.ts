/**
 * Opening an account oneself: the address is proven by a code before there is an account. Until then the
 * registration is only an encrypted record with the person's browser, so that no client can reserve an
 * address that is not theirs. Whether the address has an account already is told to its owner alone, by
 * email; the page, the work and the code are the same.
 */
import { randomToken } from '../../core/crypto.ts';
import { normalizeEmail } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import { countedWhenMade, HOSTED, insertAccount, recordOf } from '../accounts/create-account.ts';
import { hashNewPassword } from '../accounts/judge-password.ts';
import { noteSignIn } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { askRegistration, registrationOf } from '../legacy/ask-registration.ts';
import { proveCode, sendProof } from '../sign-in/verify-code.ts';

const PURPOSE = 'register';

/** What is kept between the steps, encrypted: it holds a password's hash. */
export type Registration = {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
  /** Encrypted. Only where a legacy system has to open the account, once the address is proved. */
  readonly password?: string;
  readonly claims: { readonly name?: string; readonly locale?: string };
};

/**
 * Judges and hashes the password, and sends the code. `request`: the interaction of the browser that asks.
 * Refused('password-too-short' | 'password-too-common' | 'invalid-fields' | 'unavailable' | 'too-many-requests').
 */
export async function beginRegistration(
  identity: Identity,
  input: {
    organization: string;
    email: string;
    password: string;
    claims: Registration['claims'];
    minimum: number;
    request: string;
    context: RequestContext;
  },
): Promise<Registration> {
  const { organization, password, minimum, claims } = input;
  const email = normalizeEmail(input.email);
  const opens = await registrationOf(identity, { organization, email });
  const passwordHash = await hashNewPassword(identity, { password, minimum, organization });
  const id = randomToken('reg_');
  const kept = opens === 'asked' && { password: identity.secrets.encrypt(password, `registration:${id}`) };
  const registration = { id, email, passwordHash, claims, ...kept };
  await sendRegistrationCode(identity, { ...input, registration });
  return registration;
}

/** Sends a code, or to the owner of an account with this address the email that there is one. Refused('too-many-requests'). */
export async function sendRegistrationCode(
  identity: Identity,
  input: { organization: string; registration: Registration; request: string; context: RequestContext },
): Promise<void> {
  const { organization, registration, request, context } = input;
  const { id, email, claims } = registration;
  const owner = await identity.stores.accounts.byEmail(organization, email);
  // In the owner's language, and with their mail switch, if there is an owner.
  const { locale } = (owner ?? { claims }).claims;
  const fields = { email, claims: locale === undefined ? {} : { locale }, vendor: owner?.vendor ?? {} };
  await sendProof(identity, {
    // The recipient is no stored account.
    account: { ...recordOf({ organization, fields, now: identity.clock.now() }), id },
    mailbox: email,
    purpose: PURPOSE,
    // Both emails are made of the same data; this one does not show the code.
    email: owner === undefined ? 'register-code' : 'account-exists',
    ...{ request, context, client: context.clientId },
  });
}

/**
 * The new account, its address verified. Undefined: the code is wrong, or the address has an account.
 * Refused('too-many-requests').
 */
export async function finishRegistration(
  identity: Identity,
  input: {
    organization: string;
    registration: Registration;
    code: string;
    request: string;
    context: RequestContext;
  },
): Promise<AccountRecord | undefined> {
  const finish = () => proveAndInsert(identity, input);
  // Counted before the code is spent.
  return countedWhenMade(identity, input.context.address, finish, (account) => account !== undefined);
}

async function proveAndInsert(
  identity: Identity,
  input: Parameters<typeof finishRegistration>[1],
): Promise<AccountRecord | undefined> {
  const { organization, registration, code, request, context } = input;
  const { id: owner, email, passwordHash, password, claims } = registration;
  const proven = await proveCode(identity, {
    ...{ organization, owner, account: undefined, name: email, purpose: PURPOSE, code, request, context },
  });
  if (!proven) return undefined;
  const opened = password === undefined ? undefined : await openedThere(identity, input, password);
  if (opened !== undefined) return opened;
  const outcome = await insertAccount(identity, {
    organization,
    account: { email, emailVerified: true, claims, openedAt: HOSTED },
    passwordHash,
    context,
  });
  if ('taken' in outcome) return undefined;
  await noteSignIn(identity, { account: outcome.account, context, factor: 'otp' });
  return outcome.account;
}

/** The legacy system opens the account, and says whether the address is one of its own. */
async function openedThere(
  identity: Identity,
  { organization, registration, context }: Parameters<typeof finishRegistration>[1],
  encrypted: string,
): Promise<AccountRecord | undefined> {
  const { id, email, claims } = registration;
  const password = identity.secrets.decrypt(encrypted, `registration:${id}`);
  const account = { email, claims };
  const newcomer = { organization, account, password, minimum: 0, addressProven: true, context };
  const opened = await askRegistration(identity, newcomer);
  if (opened !== undefined) await noteSignIn(identity, { account: opened, context, factor: 'otp' });
  return opened;
}

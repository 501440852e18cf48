/**
 * Opening an account oneself: the address is proven by a code before there is an account. Until then the
 * registration is only an encrypted record with the person's browser, so that no client can reserve an
 * address that is not theirs. Whether the address has an account already is told to its owner alone, by
 * email; the page, the work and the code are the same (security.md W7).
 */
import { randomToken } from '../../core/crypto.ts';
import { normalizeEmail } from '../../core/text.ts';
import type { AccountRecord, ProfileClaims } from '../../model/account.ts';
import { countedWhenMade, HOSTED, insertAccount, recordOf } from '../accounts/create-account.ts';
import { judgePassword } from '../accounts/judge-password.ts';
import { noteSignIn } from '../audit/audit.ts';
import { SIX_DIGITS, sendCode } from '../codes/one-time-code.ts';
import type { Identity, RequestContext } from '../context.ts';
import { takeEmail } from '../emails/email-limits.ts';
import { proveCode } from '../sign-in/verify-code.ts';

const PURPOSE = 'register';
/** Seconds. */
const LIFETIME = 600;
const TRIES = 5;

/** What is kept between the steps, encrypted: it holds a password's hash. */
export type Registration = {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
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
  await judgePassword(identity, { password, minimum, organization });
  const passwordHash = await identity.hasher.hash(password);
  const registration = {
    id: randomToken('reg_'),
    email: normalizeEmail(input.email),
    passwordHash,
    claims,
  };
  await sendRegistrationCode(identity, { ...input, registration });
  return registration;
}

/** Sends a code, or to the owner of an account with this address the email that there is one. Refused('too-many-requests'). */
export async function sendRegistrationCode(
  identity: Identity,
  input: { organization: string; registration: Registration; request: string; context: RequestContext },
): Promise<void> {
  const { organization, registration, request, context } = input;
  const { email } = registration;
  const { address } = context;
  await takeEmail(identity, { mailbox: [organization, email], address, what: 'confirmations' });
  const owner = await identity.stores.accounts.byEmail(organization, email);
  await sendCode(identity, {
    account: addressee({ organization, registration, owner, now: identity.clock.now() }),
    purpose: PURPOSE,
    form: SIX_DIGITS,
    lifetime: LIFETIME,
    tries: TRIES,
    // Both emails are made of the same data; this one does not show the code.
    email: owner === undefined ? 'register-code' : 'account-exists',
    asker: { address, request },
    client: context.clientId,
  });
}

/** The recipient of the email: no stored account; in the owner's language (and with their mail switch), if there is an owner. */
function addressee(of: {
  organization: string;
  registration: Registration;
  owner: AccountRecord | undefined;
  now: Date;
}): AccountRecord {
  const { organization, registration, owner, now } = of;
  const locale = owner === undefined ? registration.claims.locale : owner.claims.locale;
  const claims: ProfileClaims = locale === undefined ? {} : { locale };
  const fields = { email: registration.email, claims, vendor: owner?.vendor ?? {} };
  return {
    ...recordOf({ organization, fields, passwordHash: undefined, now }),
    id: registration.id,
  };
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
  const { id: owner, email, passwordHash, claims } = registration;
  const proven = await proveCode(identity, {
    ...{ organization, owner, account: undefined, name: email, purpose: PURPOSE, code, request, context },
  });
  if (!proven) return undefined;
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

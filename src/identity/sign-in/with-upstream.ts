/**
 * Sign-in at the hosted pages with what an upstream says about a person. Who that is here is decided in
 * upstream/link-identity.ts; this adds what belongs to the channel: whether a new account may be made, the names, the audit.
 */

import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import { HOSTED } from '../accounts/create-account.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { noteSignIn } from '../audit/audit.ts';
import { keepUpstreamToken, type UpstreamToken } from '../codes/upstream-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { sendEmail } from '../emails/send-email.ts';
import { keepNames, takeNames, type UpstreamNames } from '../upstream/first-sign-in-names.ts';
import {
  accountForIdentity,
  findByIdentity,
  linkIdentity,
  type UpstreamPerson,
} from '../upstream/link-identity.ts';

export interface NamedPerson extends UpstreamPerson {
  readonly names: UpstreamNames;
  /** To be revoked at the upstream in the end. */
  readonly token?: UpstreamToken;
}

interface Input {
  readonly organization: string;
  readonly person: NamedPerson;
  readonly context: RequestContext;
}

/**
 * Refused('account-exists'): the address is an account's that the person has to prove first (linkProven);
 * ('account-not-found'): unknown, and registration is off; ('sign-in-refused').
 */
export async function signInWithIdentity(
  identity: Identity,
  input: Input & { registration: boolean },
): Promise<AccountRecord> {
  const { organization, person, context } = input;
  const whose = { organization, issuer: person.issuer, subject: person.subject };
  const names = { ...(await takeNames(identity, whose)), ...person.names };
  try {
    if (!input.registration && !(await isKnown(identity, input))) throw new Refused('account-not-found');
    const fresh = { claims: names, openedAt: HOSTED };
    const { account } = await accountForIdentity(identity, {
      ...{ organization, person, fresh, context },
      address: context.address,
    });
    const named = await withNames(identity, account, names);
    if (person.token !== undefined) await keepUpstreamToken(identity, whose, person.token);
    await noteSignIn(identity, { account: named, context, factor: 'fed' });
    return named;
  } catch (error) {
    await keepNames(identity, whose, names);
    throw error;
  }
}

/** Links after the person proved the account with a factor of our own, and tells the owner. Refused('account-exists'). */
export async function linkProven(
  identity: Identity,
  input: Input & { accountId: string },
): Promise<AccountRecord> {
  const { organization, person, accountId, context } = input;
  const whose = { organization, issuer: person.issuer, subject: person.subject };
  // A form that was sent twice links once.
  const wasLinked = (await findByIdentity(identity, whose))?.id === accountId;
  if (!wasLinked) await linkIdentity(identity, { ...whose, accountId, context });
  if (person.token !== undefined) await keepUpstreamToken(identity, whose, person.token);
  const names = { ...(await takeNames(identity, whose)), ...person.names };
  const account = await updateAccount(identity, accountId, () => null);
  if (!wasLinked) sendEmail(identity, { account, name: 'identity-linked' });
  return withNames(identity, account, names);
}

async function isKnown(identity: Identity, { organization, person }: Input): Promise<boolean> {
  if ((await findByIdentity(identity, { organization, ...person })) !== undefined) return true;
  if (person.email === undefined) return false;
  return (await identity.stores.accounts.byEmail(organization, person.email)) !== undefined;
}

/** Names that the account has stay. */
async function withNames(
  identity: Identity,
  account: AccountRecord,
  names: UpstreamNames,
): Promise<AccountRecord> {
  const { name, given_name, family_name } = account.claims;
  const nameless = name === undefined && given_name === undefined && family_name === undefined;
  if (!nameless || Object.keys(names).length === 0) return account;
  return updateAccount(identity, account.id, (present) => ({
    ...present,
    claims: { ...names, ...present.claims },
  }));
}

/**
 * POST /users/sso: a clinic's back end signs one of its people in. The person is the account that was made
 * here for the clinic's own code; nothing else links. Finding people by e-mail or username would let a
 * clinic's back end, or a user of its form, take an account over.
 */

import { z } from 'zod';
import { foldName, type Json, type ProfileClaims, Refused } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { ok } from '../../contract/reply.ts';
import { HEX } from '../../contract/tokens.ts';
import type { AccountChanges, NewAccount, Use } from '../../contract/use.ts';
import * as fields from '../fields.ts';
import { failures } from '../refusals.ts';
import { GUEST, MEMBER, PROVIDER, SingleSignOnReply, singleSignOnReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { address } from '../users/address.ts';
import { bornUntilToday } from '../users/born-until-today.ts';

const { optional, readAs, required, tableBy, text } = fields;

const NAME = text({ limit: 100 });
const type = fields.integerOf([MEMBER, PROVIDER, GUEST]);
const code = text({ limit: 128, numbers: true, exact: true });
const disableEmails = fields.integerOf([0, 1]);

/** Members of every table, in the contract's order; `code` stands in the middle and differs. */
const beforeCode = {
  first_name: required('first_name', NAME),
  last_name: required('last_name', NAME),
  dob: optional('dob', fields.date),
  type: required('type', type),
};

const afterCode = {
  email: optional('email', fields.email),
  username: optional('username', text({ limit: 255 })),
  disable_emails: optional('disable_emails', disableEmails),
  gender: optional('gender', fields.gender),
  street_addr: optional('street_addr', text({ limit: 100 })),
  city: optional('city', text({ limit: 100, numbers: true })),
  state: optional('state', fields.stateCode),
  zip: optional('zip', text({ limit: 10, numbers: true })),
  phone: optional('phone', text({ limit: 32, numbers: true })),
};

const guests = z.object({ ...beforeCode, ...afterCode });
const lastingUsers = z.object({ ...beforeCode, code: required('code', code), ...afterCode });

type Person = z.output<typeof guests>;

const body = tableBy(
  { ...beforeCode, code: optional('code', code), ...afterCode },
  (raw): typeof guests | typeof lastingUsers => (readAs(raw.type, type) === GUEST ? guests : lastingUsers),
);

export const singleSignOn = endpoint({
  method: 'POST',
  path: '/users/sso',
  summary: "Sign one of the clinic's people in",
  caller: 'api-key',
  counts: 'nothing',
  begins: 'sign-in',
  rights({ organization }) {
    if (organization?.vendor?.sso !== true) throw new Refused('forbidden');
  },
  accepts: { body },
  alsoJudge: bornUntilToday(['first_name', 'last_name']),
  replies: { 200: SingleSignOnReply, ...failures(400, 401, 403, 413, 429, 503) },
  async answer({ body, organization, request }, use) {
    const account =
      'code' in body
        ? await lasting(use, body)
        : await untilNamesAreFree(async () => use.accounts.register(await newPerson(use, body)));
    const asked = [...request.query.getAll('fields'), ...request.query.getAll('fields[]')];
    const withCall = asked.some((names) => names.split(',').some((name) => name.trim() === 'vsee'));
    // New each time and good for nothing here: the vendor's browser calls want some value.
    const callToken = withCall ? use.random({ alphabet: HEX, length: 32 }) : undefined;
    return ok(singleSignOnReply(await use.signIn.as(account, 'sso'), organization, callToken));
  },
});

/** The one account of this code; made at the first call, brought up to date at later ones. */
async function lasting(use: Use, body: z.output<typeof lastingUsers>): Promise<AccountView> {
  const { account, created } = await untilNamesAreFree(() =>
    use.accounts.findOrCreateByKey(body.code, () => newPerson(use, body, body.code)),
  );
  if (account.status === 'blocked') throw new Refused('forbidden');
  if (created) return account;
  return untilNamesAreFree(async () => {
    const change = await refreshed(use, body, account);
    return use.accounts.update(account.id, change);
  });
}

/** Another request may take a username or address between the look and the write; then it is looked at again. */
async function untilNamesAreFree<T>(work: () => Promise<T>, tries = 3): Promise<T> {
  try {
    return await work();
  } catch (refused) {
    if (tries <= 1 || !(refused instanceof Refused) || refused.reason !== 'account-exists') throw refused;
    return untilNamesAreFree(work, tries - 1);
  }
}

/* ------------------------------------------------------------------ what is stored of a person */

/** An active account without a password. `code`: the clinic's own, but for guests, whose code is drawn. */
export async function newPerson(use: Use, person: Person, code?: string): Promise<NewAccount> {
  const contact = await contactOf(use, person.email);
  return {
    ...(contact.email !== undefined && { email: contact.email }),
    emailVerified: false,
    username: await usernameFor(use, person.username, contact.email),
    status: 'active',
    claims: withoutGaps(claimsOf(person, {})) as ProfileClaims,
    vendor: withoutGaps({
      type: person.type,
      subtype: '',
      tos: false,
      sso_code: code,
      contact_email: contact.contactEmail,
      disable_emails: switchOf(person),
    }) as Record<string, Json>,
  };
}

/**
 * A later call: names and whatever was sent; type, code and username stay, and so does an address once there is one.
 * An account with a second factor gets none: a code to it would reclaim the account and end the factor.
 */
export async function refreshed(use: Use, person: Person, account: AccountView) {
  const contact = await contactOf(use, account.email === undefined ? person.email : undefined, account.id);
  return (current: AccountView): AccountChanges => {
    const email = current.hasFactor ? undefined : contact.email;
    return {
      ...(current.email === undefined && email !== undefined && { email }),
      claims: claimsOf(person, current.claims),
      vendor: {
        disable_emails: switchOf(person),
        contact_email: email !== undefined ? null : (contact.contactEmail ?? contact.email),
      },
    };
  };
}

function claimsOf(person: Person, current: ProfileClaims) {
  return {
    given_name: person.first_name,
    family_name: person.last_name,
    birthdate: person.dob,
    gender: person.gender,
    phone_number: person.phone,
    address: address(person, current.address),
  };
}

const switchOf = ({ disable_emails }: Person) =>
  disable_emails === undefined ? undefined : disable_emails === 1;

function withoutGaps(members: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && value !== null),
  );
}

/** Another account's address is only shown: it neither signs in nor gets emails, and it links nothing. */
async function contactOf(use: Use, email: string | undefined, own?: string) {
  if (email === undefined) return {};
  return (await isTaken(use, email, own)) ? { contactEmail: email } : { email };
}

/** A free name, or 32 hex: for none, one that is an account's name or address, and another account's address. */
async function usernameFor(use: Use, input: string | undefined, email: string | undefined): Promise<string> {
  const generated = () => use.random({ alphabet: HEX, length: 32 });
  if (input === undefined) return generated();
  if (input.includes('@') && foldName(input) !== email) return generated();
  return (await isTaken(use, input)) ? generated() : input;
}

async function isTaken(use: Use, name: string, own?: string): Promise<boolean> {
  const holders = [await use.accounts.holderOf(name, 'email'), await use.accounts.holderOf(name, 'username')];
  return holders.some((holder) => holder !== undefined && holder !== own);
}

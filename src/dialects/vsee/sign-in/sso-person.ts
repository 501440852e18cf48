/** What single sign-on stores of a person, and which of the names it sends the person may have. */

import type { Json, ProfileClaims } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { HEX } from '../../contract/tokens.ts';
import type { AccountChanges, NewAccount, Use } from '../../contract/use.ts';
import { address } from '../users/address.ts';

export interface Person {
  readonly first_name: string;
  readonly last_name: string;
  readonly dob?: string | undefined;
  readonly type: number;
  readonly email?: string | undefined;
  readonly username?: string | undefined;
  readonly disable_emails?: number | undefined;
  readonly gender?: string | undefined;
  readonly street_addr?: string | undefined;
  readonly city?: string | undefined;
  readonly state?: string | undefined;
  readonly zip?: string | undefined;
  readonly phone?: string | undefined;
}

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

/** A later call: names and whatever was sent; type, code and username stay, and so does an address once there is one. */
export async function refreshed(use: Use, person: Person, account: AccountView) {
  const contact = await contactOf(use, account.email === undefined ? person.email : undefined, account.id);
  return (current: AccountView): AccountChanges => ({
    ...(current.email === undefined && contact.email !== undefined && { email: contact.email }),
    claims: claimsOf(person, current.claims),
    vendor: {
      disable_emails: switchOf(person),
      contact_email: contact.email !== undefined ? null : contact.contactEmail,
    },
  });
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
  if (input.includes('@') && input.toLowerCase() !== email) return generated();
  return (await isTaken(use, input)) ? generated() : input;
}

async function isTaken(use: Use, name: string, own?: string): Promise<boolean> {
  const holders = [await use.accounts.holderOf(name, 'email'), await use.accounts.holderOf(name, 'username')];
  return holders.some((holder) => holder !== undefined && holder !== own);
}

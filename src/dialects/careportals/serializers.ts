/** How CarePortals shows a patient: at creation, and as the account. What is unknown is "", never null. */
import { z } from 'zod';
import { type AddressClaim, type Json, rolesHere } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { phoneNumber } from './fields.ts';
import type { CarePortalsSettings } from './settings.ts';

export const ADDRESS_MEMBERS = [
  'province',
  'provinceCode',
  'address1',
  'address2',
  'city',
  'countryCode',
  'postalCode',
] as const;

export type Address = Record<(typeof ADDRESS_MEMBERS)[number], string>;

/** Made by the server, never kept: the address is unique in an organization, this everywhere. */
export const unameOf = (account: AccountView) => `${account.email ?? ''}#${account.organization}`;

/** E.164 where the stored number can be read as one. */
export function phoneOf({ claims }: AccountView, { phoneCountryCode }: CarePortalsSettings): string {
  const stored = claims.phone_number ?? '';
  return phoneNumber(stored, phoneCountryCode) ?? stored;
}

export function defaultAddress({ claims, vendor }: AccountView): Address {
  const address: AddressClaim = claims.address ?? {};
  const [address1 = '', address2 = ''] = (address.street_address ?? '').split(/\r?\n/);
  const provinceCode = address.region ?? '';
  return {
    province: typeof vendor.province === 'string' ? vendor.province : provinceCode,
    provinceCode,
    address1,
    address2,
    city: address.locality ?? '',
    countryCode: address.country ?? '',
    postalCode: address.postal_code ?? '',
  };
}

function otherAddresses({ vendor }: AccountView): Json[] {
  return Array.isArray(vendor.addresses) ? vendor.addresses : [];
}

/** Of an account that has only a full name: that name. */
export function firstNameOf({ claims }: AccountView): string {
  const named = claims.given_name !== undefined || claims.family_name !== undefined;
  return named ? (claims.given_name ?? '') : (claims.name ?? '');
}

export function person(account: AccountView, settings: CarePortalsSettings) {
  const { claims } = account;
  return {
    firstName: firstNameOf(account),
    lastName: claims.family_name ?? '',
    email: account.email ?? '',
    phone: phoneOf(account, settings),
    // Other channels take it as people write it.
    gender: (claims.gender ?? '').toLowerCase(),
    dob: claims.birthdate ?? '',
  };
}

export function createdReply(account: AccountView, settings: CarePortalsSettings) {
  return {
    _id: account.alias,
    organization: account.organization,
    uname: unameOf(account),
    ...person(account, settings),
    roles: [...rolesHere(account)],
    addresses: otherAddresses(account),
    defaultAddress: defaultAddress(account),
  };
}

/** The clinical lists are always empty: that data is not Portico's. */
export function accountReply(account: AccountView, settings: CarePortalsSettings) {
  return {
    profile: person(account, settings),
    address: { default: defaultAddress(account), other: otherAddresses(account) },
    prescriptions: [],
    consultations: [],
    appointments: [],
  };
}

const AddressReply = z.strictObject({
  province: z.string(),
  provinceCode: z.string(),
  address1: z.string(),
  address2: z.string(),
  city: z.string(),
  countryCode: z.string(),
  postalCode: z.string(),
});

const Person = z.strictObject({
  firstName: z.string(),
  lastName: z.string(),
  email: z.string(),
  phone: z.string(),
  gender: z.string(),
  dob: z.string(),
});

export const CreatedReply = z.strictObject({
  _id: z.string(),
  organization: z.string(),
  uname: z.string(),
  ...Person.shape,
  roles: z.array(z.string()),
  addresses: z.array(AddressReply),
  defaultAddress: AddressReply,
});

export const AccountReply = z.strictObject({
  profile: Person,
  address: z.strictObject({ default: AddressReply, other: z.array(AddressReply) }),
  prescriptions: z.array(z.never()),
  consultations: z.array(z.never()),
  appointments: z.array(z.never()),
});

export const TokenReply = z.strictObject({ token: z.string() });
export const TrueReply = z.literal(true);
export const Failure = z.strictObject({ message: z.string() });

/** How CarePortals shows a patient: at creation, and as the account. What is unknown is "", never null. */
import { z } from 'zod';
import { type AddressClaim, type Json, rolesHere } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { shape, type Table } from '../fields/fields.ts';
import { phoneNumber } from './fields.ts';
import type { CarePortalsSettings } from './settings.ts';

const AddressReply = z.strictObject({
  province: z.string(),
  provinceCode: z.string(),
  address1: z.string(),
  address2: z.string(),
  city: z.string(),
  countryCode: z.string(),
  postalCode: z.string(),
});

export type Address = z.output<typeof AddressReply>;

/** The same for each line of an address. */
export function perLine<Value>(of: (line: keyof Address) => Value) {
  const lines = AddressReply.keyof().options;
  return Object.fromEntries(lines.map((line) => [line, of(line)])) as Record<keyof Address, Value>;
}

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

type Patient = Table<[AccountView, CarePortalsSettings]>;

const PERSON: Patient = {
  firstName: [z.string(), firstNameOf],
  lastName: [z.string(), ({ claims }) => claims.family_name ?? ''],
  email: [z.string(), ({ email = '' }) => email],
  phone: [z.string(), phoneOf],
  // Other channels take it as people write it.
  gender: [z.string(), ({ claims }) => (claims.gender ?? '').toLowerCase()],
  dob: [z.string(), ({ claims }) => claims.birthdate ?? ''],
};

const CREATED: Patient = {
  _id: [z.string(), ({ alias }) => alias],
  organization: [z.string(), ({ organization }) => organization],
  uname: [z.string(), unameOf],
  ...PERSON,
  roles: [z.array(z.string()), rolesHere],
  addresses: [z.array(AddressReply), otherAddresses],
  defaultAddress: [AddressReply, defaultAddress],
};

export const person = shape(PERSON, ...Object.keys(PERSON));
export const created = shape(CREATED, ...Object.keys(CREATED));

export const AccountReply = z.strictObject({
  profile: person.schema,
  address: z.strictObject({ default: AddressReply, other: z.array(AddressReply) }),
  prescriptions: z.array(z.never()),
  consultations: z.array(z.never()),
  appointments: z.array(z.never()),
});

/** The clinical lists are always empty: that data is not Portico's. */
export function accountReply(account: AccountView, settings: CarePortalsSettings) {
  return {
    profile: person.show(account, settings),
    address: { default: defaultAddress(account), other: otherAddresses(account) },
    prescriptions: [],
    consultations: [],
    appointments: [],
  };
}

export const TokenReply = z.strictObject({ token: z.string() });
export const TrueReply = z.literal(true);
export const Failure = z.strictObject({ message: z.string() });

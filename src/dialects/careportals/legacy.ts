/** CarePortals' own server, asked in its own words. It shows no id of a person: the address has to do. */
import { z } from 'zod';
import type { OrganizationView } from '../contract/dialect.ts';
import type { Bearer, Confirmed, LegacyApi } from '../contract/legacy-api.ts';
import { bearer } from '../contract/sample.ts';
import { ASKED, JWT, reading, said } from '../fields/legacy-replies.ts';
import { addressClaim } from './account.ts';
import {
  AccountReply,
  type Address,
  created,
  Failure,
  person,
  TokenReply,
  TrueReply,
} from './serializers.ts';
import type { CarePortalsSettings } from './settings.ts';

const organizationOf = ({ id }: OrganizationView) => ({ organization: id });

const MEMBERS = z.enum(['firstName', 'lastName', 'email', 'phone', 'gender', 'dob']);
const Profile = z.record(MEMBERS, z.string());
/** The clinical lists are not Portico's, whatever is in them. */
const Account = AccountReply.pick({ address: true })
  .extend({ profile: person.schema.pipe(Profile) })
  .loose();
const Id = z.object({ _id: z.string().min(1) });

/** The address book, split: the default address is a claim, the others are the vendor's own. */
function personOf(profile: z.output<typeof Profile>, first: Address, other: readonly Address[]): Confirmed {
  const { firstName, lastName, email, phone, gender, dob } = profile;
  return {
    account: {
      ...said({ email }),
      claims: said({
        given_name: firstName,
        family_name: lastName,
        gender,
        birthdate: dob,
        phone_number: phone,
        address: addressClaim(first),
      }),
      vendor: {
        // One that says no more goes on following the code.
        ...(first.province !== first.provinceCode && { province: first.province }),
        ...(other.length > 0 && { addresses: [...other] }),
      },
    },
  };
}

/** The account names no role, the vendor's tokens do; whose token names none is a patient, as after registration. */
function roleOf({ claims }: Bearer): { role?: string } {
  const roles = claims?.roles;
  return said({ role: Array.isArray(roles) ? roles.find((role) => typeof role === 'string') : 'patient' });
}

export const legacy: LegacyApi<CarePortalsSettings> = {
  tokenForm: JWT,
  signIn: {
    ask: ({ login: username, password }, { organization }) => ({
      method: 'POST',
      path: '/auth/login',
      headers: organizationOf(organization),
      json: { username, password },
    }),
    read: reading({
      body: TokenReply,
      no: [401, 406],
      refusal: Failure,
      answer: ({ token }) => ({ ...ASKED, tokens: { access: { value: token } }, more: true }),
    }),
  },
  person: {
    ask: ({ token }, { organization }) => ({
      method: 'GET',
      path: '/users/account',
      headers: { ...bearer(token), ...organizationOf(organization) },
    }),
    read: reading({
      body: Account,
      // 403: a token of another organization.
      no: [401, 403],
      refusal: Failure,
      answer({ profile, address }, asked: Bearer) {
        const { account } = personOf(profile, address.default, address.other);
        return { yes: { account: { ...account, vendor: { ...account.vendor, ...roleOf(asked) } } } };
      },
    }),
  },
  reset: {
    ask: ({ email }, { organization }) => ({
      method: 'POST',
      path: '/auth/forgot',
      headers: organizationOf(organization),
      json: { email },
    }),
    read: reading({ body: TrueReply, no: [406], refusal: Failure, answer: () => ASKED }),
  },
  resetLink: {
    ask: ({ token }, { organization }) => ({
      method: 'GET',
      path: `/auth/forgot/validate?token=${encodeURIComponent(token)}`,
      headers: organizationOf(organization),
    }),
    read: reading({ body: TrueReply, no: [401], refusal: Failure, answer: () => ASKED }),
  },
  setPassword: {
    ask: ({ token, password }, { organization }) => ({
      method: 'POST',
      path: '/auth/reset',
      headers: organizationOf(organization),
      json: { token, password },
    }),
    read: reading({ body: TrueReply, no: [401, 406], refusal: Failure, answer: () => ASKED }),
  },
  register: {
    ask: ({ email = '', password, claims = {} }, { organization }) => ({
      method: 'POST',
      path: '/users',
      headers: organizationOf(organization),
      json: {
        email,
        firstName: claims.given_name ?? '',
        lastName: claims.family_name ?? '',
        gender: claims.gender ?? '',
        phone: claims.phone_number ?? '',
        dob: claims.birthdate ?? '',
        ...(password !== undefined && { password }),
        ...(claims.address?.region !== undefined && { provinceCode: claims.address.region }),
      },
    }),
    read: reading({
      body: created.schema.pipe(Id),
      no: [409],
      refusal: Failure,
      answer: ({ _id }, { password: _, ...account }) => ({ yes: { vendorId: _id, account } }),
    }),
  },
};

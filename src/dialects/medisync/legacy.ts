/** MediSync's own server, asked in its own words. Its profile shows no id: the sign-in or the token itself does. */
import { z } from 'zod';
import type { Answer, Bearer, LegacyApi } from '../contract/legacy-api.ts';
import { bearer } from '../contract/sample.ts';
import { ASKED, JWT, reading, said, timeOf } from '../fields/legacy-replies.ts';
import { Failure, MessageReply, ProfileReply, RegisteredReply, SignedInReply } from './serializers.ts';
import type { MediSyncSettings } from './settings.ts';

/** The vendor's code for a token that is not live. */
const DEAD = 'AUTH_REQUIRED';

/** Older clients send their id with every call: a person who is taken over under another one would be refused. */
function personOf({ data }: z.output<typeof ProfileReply>, { vendorId, claims }: Bearer): Answer {
  const id = vendorId ?? claims?.userId;
  if (typeof id !== 'string' || id === '') return { odd: 'neither sign-in nor token names an id' };
  const { name, email, firstName, lastName, isVerified, createdAt, updatedAt, ...vendor } = data;
  const full = firstName === '' && lastName === '' ? name : '';
  return {
    yes: {
      vendorId: id,
      account: {
        ...said({ email }),
        claims: said({ name: full, given_name: firstName, family_name: lastName }),
        vendor: said(vendor),
      },
      addressVerified: isVerified,
      ...said({ createdAt: timeOf(createdAt), updatedAt: timeOf(updatedAt) }),
    },
  };
}

export const legacy: LegacyApi<MediSyncSettings> = {
  tokenForm: JWT,
  signIn: {
    ask: ({ login: email, password }) => ({ method: 'POST', path: '/login', json: { email, password } }),
    read: reading({
      body: SignedInReply,
      no: [400, 401],
      // A gateway that asks for a credential of its own says nothing about the person.
      refusal: Failure.refine(({ code }) => code !== DEAD),
      answer: ({ uid, token }) => ({
        yes: { vendorId: uid, account: {} },
        tokens: { access: { value: token } },
        more: true,
      }),
    }),
  },
  person: {
    ask: ({ token }) => ({ method: 'GET', path: '/user/profile', headers: bearer(token) }),
    read: reading({
      body: ProfileReply,
      no: [401],
      refusal: Failure.extend({ code: z.literal(DEAD) }),
      answer: personOf,
    }),
  },
  verifyAddress: {
    ask: ({ token }) => ({ method: 'POST', path: '/verification/verify', json: { token } }),
    read: reading({ body: MessageReply, no: [400], refusal: Failure, answer: () => ASKED }),
  },
  register: {
    ask: ({ email = '', password = '', claims: { given_name = '', family_name = '' } = {}, vendor = {} }) => {
      const { title = '', specialty = '', ehr_system_type = '', ehr_system_name = '' } = vendor;
      const system = { specialty, ehr_system_type, ehr_system_name };
      const json = { title, firstName: given_name, lastName: family_name, email, password, ...system };
      return { method: 'POST', path: '/register', json };
    },
    read: reading({
      body: RegisteredReply,
      no: [409],
      refusal: Failure,
      answer: ({ user }, { password: _, ...account }) => ({
        yes: { vendorId: user.id, account: { ...account, email: user.email } },
      }),
    }),
  },
};

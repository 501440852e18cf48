/** VisitNote's own server, asked in its own words. What the vendor calls optional, or does not name, may be absent. */
import { z } from 'zod';
import type { Answer, LegacyApi } from '../contract/legacy-api.ts';
import { bearer } from '../contract/sample.ts';
import type { NewAccount } from '../contract/use.ts';
import { ASKED, JWT, reading, said } from '../fields/legacy-replies.ts';
import { DoneReply, Failure, InvalidFields, names, ProfileReply, SignedInReply } from './serializers.ts';
import type { VisitNoteSettings } from './settings.ts';

const { loginData: Person, ...besideIt } = SignedInReply.shape.data.shape;
const Course = z.strictObject(besideIt).partial().required({ token: true });
const SignedIn = SignedInReply.extend({ data: Course.extend({ loginData: Person }) });
const always = {
  uuid: true,
  first_name: true,
  last_name: true,
  email: true,
  subscription_status: true,
} as const;
const Profile = ProfileReply.extend({ data: ProfileReply.shape.data.partial().required(always) });

/** Both kinds of refusal have a text; only one that names fields has `errors`. */
const Refusal = z.union([Failure, InvalidFields]);

function personOf({ uuid, email, first_name, last_name, ...vendor }: z.output<typeof Profile>['data']) {
  return {
    vendorId: uuid,
    account: {
      ...said({ email }),
      claims: said({ given_name: first_name, family_name: last_name }),
      vendor: said(vendor),
    },
  };
}

/** A sign-in does not say what the clinician does: the profile does. */
function signedIn({ data: { token, loginData, ...course } }: z.output<typeof SignedIn>): Answer {
  return { yes: personOf({ ...loginData, ...course }), tokens: { access: { value: token } }, more: true };
}

const signedInOr = (refusal: z.ZodType, ...no: number[]) =>
  reading({ body: SignedIn, no, refusal, answer: signedIn });

/** A taken address, whatever else is wrong; any other issue does not tell whether it is taken. */
const Taken = InvalidFields.extend({
  errors: z.looseObject({ email: z.tuple([z.literal('Email already taken')]) }),
});

export const legacy: LegacyApi<VisitNoteSettings> = {
  // Clients take it as opaque, and servers of this kind make such ones as well: `17|` and forty characters.
  tokenForm: new RegExp(`${JWT.source}|^\\d{1,19}\\|\\w{3,255}$`),
  signIn: {
    ask: ({ login: email, password }) => ({ method: 'POST', path: '/sign-in', json: { email, password } }),
    read: signedInOr(Refusal, 401, 422),
  },
  person: {
    ask: ({ token }) => ({ method: 'GET', path: '/my-profile', headers: bearer(token) }),
    read: reading({
      body: Profile,
      // 403: a token of another panel.
      no: [401, 403],
      refusal: Failure,
      answer: ({ data }) => ({ yes: personOf(data) }),
    }),
  },
  social: {
    ask: ({ provider, idToken, email = '', names: { given_name = '-', family_name = '-' } = {} }) => ({
      method: 'POST',
      path: '/sign-in/social',
      json: { provider, id_token: idToken, email, first_name: given_name, last_name: family_name },
    }),
    read: signedInOr(Failure, 401, 404),
  },
  register: {
    ask: ({ email = '', password = '', claims = {} }: NewAccount) => ({
      method: 'POST',
      path: '/register',
      json: { email, password, ...names({ claims }) },
    }),
    read: signedInOr(Taken, 422),
  },
  signOut: {
    ask: ({ token }) => ({ method: 'POST', path: '/logout', headers: bearer(token) }),
    read: reading({ body: DoneReply, no: [401], refusal: Failure, answer: () => ASKED }),
  },
};

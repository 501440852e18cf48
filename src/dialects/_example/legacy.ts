/** Example Clinic's own server, asked in its own words: what its clients send, and what its replies say here. */
import type { z } from 'zod';
import type { Answer, Confirmed, LegacyApi } from '../contract/legacy-api.ts';
import { bearer } from '../contract/sample.ts';
import { JWT, reading, said, timeOf } from '../fields/legacy-replies.ts';
import { Failure, PersonReply, SignedInReply } from './replies.ts';
import type { ExampleSettings } from './settings.ts';

function personOf(shown: z.output<typeof PersonReply>): Confirmed {
  const createdAt = timeOf(shown.createdAt);
  return {
    vendorId: shown.id,
    account: { ...said({ email: shown.email }), claims: said({ name: shown.name }) },
    ...(createdAt && { createdAt }),
  };
}

/** Tokens and person together: there is no more to ask. */
const signedIn = ({ token, refreshToken, person }: z.output<typeof SignedInReply>): Answer => ({
  yes: personOf(person),
  tokens: { access: { value: token }, refresh: { value: refreshToken } },
});

const signedInOr = (...no: number[]) =>
  reading({ body: SignedInReply, no, refusal: Failure, answer: signedIn });

export const legacy: LegacyApi<ExampleSettings> = {
  tokenForm: new RegExp(`${JWT.source}|^exr_[0-9a-f]{64}$`),
  signIn: {
    ask: ({ login: email, password }) => ({ method: 'POST', path: '/sign-in', json: { email, password } }),
    read: signedInOr(400, 401),
  },
  person: {
    ask: ({ token }) => ({ method: 'GET', path: '/me', headers: bearer(token) }),
    read: reading({
      body: PersonReply,
      no: [401],
      refusal: Failure,
      answer: (shown) => ({ yes: personOf(shown) }),
    }),
  },
  refresh: {
    ask: ({ refreshToken }) => ({ method: 'POST', path: '/refresh', json: { refreshToken } }),
    read: signedInOr(400, 401),
  },
  register: {
    ask: ({ email = '', password = '', claims: { name = '' } = {} }) => ({
      method: 'POST',
      path: '/register',
      json: { name, email, password },
    }),
    read: signedInOr(409),
  },
};

/** AVYCENNA's own server, asked in its own words. Google's redirect ends at that server: it cannot be asked about. */
import { z } from 'zod';
import type { Answer, Confirmed, LegacyApi } from '../contract/legacy-api.ts';
import { bearer } from '../contract/sample.ts';
import { ASKED, JWT, reading, said, timeOf } from '../fields/legacy-replies.ts';
import {
  CodeSentReply,
  Failure,
  InvalidFields,
  MeReply,
  MessageReply,
  SignedInReply,
  TokensReply,
} from './serializers.ts';
import type { AvycennaSettings } from './settings.ts';

type Shown = Omit<z.output<typeof MeReply>['user'], 'created_at'>;

/** A person without a name is shown with the address in its place. */
function personOf(
  { id, email, name, role }: Shown,
  profile: z.output<typeof MeReply>['profile'] | object = {},
) {
  return {
    vendorId: id,
    account: {
      ...said({ email }),
      claims: name === null || name === email ? {} : { name },
      vendor: { role, ...profile },
    },
  } satisfies Confirmed;
}

const tokensOf = (shown: z.output<typeof TokensReply>) => ({
  access: { value: shown.access_token },
  refresh: { value: shown.refresh_token },
});

/** Only the own account says what the person does, and since when. */
const signedIn =
  (proof: Pick<Confirmed, 'addressVerified'>) =>
  ({ user, ...tokens }: z.output<typeof SignedInReply>): Answer => ({
    yes: { ...personOf(user), ...proof },
    tokens: tokensOf(tokens),
    more: true,
  });

/** `detail` is a list where a field is at fault. */
const refusal = z.union([Failure, InvalidFields]);

export const legacy: LegacyApi<AvycennaSettings> = {
  tokenForm: new RegExp(`${JWT.source}|^rt_[\\w-]{16,253}$`),
  redirects: ({ googleProvider }) => googleProvider,
  signIn: {
    ask: ({ login: email, password }) => ({ method: 'POST', path: '/auth/login', json: { email, password } }),
    read: reading({ body: SignedInReply, no: [401, 422], refusal, answer: signedIn({}) }),
  },
  person: {
    ask: ({ token }) => ({ method: 'GET', path: '/auth/me', headers: bearer(token) }),
    read: reading({
      body: MeReply,
      no: [401],
      refusal,
      answer: ({ user, profile }) => ({
        yes: { ...personOf(user, profile), ...said({ createdAt: timeOf(user.created_at) }) },
      }),
    }),
  },
  refresh: {
    ask: ({ refreshToken }) => ({
      method: 'POST',
      path: '/auth/refresh',
      json: { refresh_token: refreshToken },
    }),
    read: reading({
      body: TokensReply,
      no: [401, 422],
      refusal,
      answer: (tokens) => ({ ...ASKED, tokens: tokensOf(tokens), more: true }),
    }),
  },
  sendCode: {
    ask: ({ email }) => ({ method: 'POST', path: '/auth/otp/send', json: { email } }),
    read: reading({ body: CodeSentReply, no: [422], refusal, answer: () => ASKED }),
  },
  code: {
    ask: ({ email, code: otp }) => ({ method: 'POST', path: '/auth/otp/verify', json: { email, otp } }),
    read: reading({
      body: SignedInReply,
      no: [401, 422],
      refusal,
      answer: signedIn({ addressVerified: true }),
    }),
  },
  register: {
    ask: ({ email = '', password = '', claims: { name, given_name, family_name } = {} }) => ({
      method: 'POST',
      path: '/auth/register',
      json: { name: name ?? [given_name, family_name].filter(Boolean).join(' '), email, password },
    }),
    read: reading({ body: SignedInReply, no: [409], refusal, answer: signedIn({}) }),
  },
  signOut: {
    ask: ({ token, refreshToken = '' }) => ({
      method: 'POST',
      path: '/auth/logout',
      headers: bearer(token),
      json: { refresh_token: refreshToken },
    }),
    read: reading({ body: MessageReply, no: [401], refusal, answer: () => ASKED }),
  },
};

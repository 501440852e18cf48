/**
 * VSee's own server, asked in its own words. Sign-in, me and one user each show what the others do not: all three
 * are asked.
 */
import { z } from 'zod';
import type { Json, OrganizationView } from '../contract/dialect.ts';
import type { Answer, LegacyApi, LegacyTokens, Outgoing } from '../contract/legacy-api.ts';
import { ASKED, reading } from '../fields/legacy-replies.ts';
import { personOf, User } from './legacy-person.ts';
import { Failure } from './refusals.ts';
import {
  GUEST,
  isStaffType,
  MeReply,
  RefreshedReply,
  SignedInReply,
  SingleSignOnReply,
  TOKEN,
  UserReply,
} from './serializers.ts';
import type { VSeeSettings } from './settings.ts';

const Token = z.object({ token: z.string(), expiry: z.int() });
const Pair = Token.extend({ refresh_token: Token });
const UserAndTokens = z.object({ data: Pair.extend({ user_type: z.string(), user: User }) });
const SingleSignOn = SingleSignOnReply.pipe(z.object({ data: User.extend({ token: Pair }) }));
const UserAlone = z.object({ data: User });
const Done = z.strictObject({ data: z.literal(true) });

function tokensOf({ token, expiry, refresh_token }: z.output<typeof Pair>): LegacyTokens {
  return {
    access: { value: token, expiresAt: expiry },
    refresh: { value: refresh_token.token, expiresAt: refresh_token.expiry },
  };
}

function signedIn({ data: { user, user_type, ...tokens } }: z.output<typeof UserAndTokens>): Answer {
  return { yes: personOf(user, { type: Number(user_type) }), tokens: tokensOf(tokens), more: true };
}

/** An account code that the vendor does not know is a mistake of the configuration, not the person's. */
const Refusal = Failure.refine(({ message }) => !/account code/i.test(message));

const signIn = reading({
  body: SignedInReply.pipe(UserAndTokens),
  no: [400, 401],
  refusal: Refusal,
  answer: signedIn,
});

const done = reading({ body: Done, no: [400], refusal: Refusal, answer: () => ASKED });

type Context = { readonly settings: VSeeSettings; readonly organization: OrganizationView };

/** Clients of the organization that is meant without an account code send none. */
function post(path: string, json: Json, { organization, settings }: Context): Outgoing {
  const { id, vendor } = organization;
  const named = id !== settings.organization || vendor !== undefined;
  return { method: 'POST', path, headers: named ? { 'x-accountcode': id } : {}, json };
}

const get = (path: string, token: string): Outgoing => ({
  method: 'GET',
  path,
  headers: { 'x-apitoken': token },
});

export const legacy: LegacyApi<VSeeSettings> = {
  tokenForm: TOKEN,
  // Staff read each person's profile here.
  roleOf: ({ type }) => (isStaffType(type) ? String(type) : undefined),
  signIn: {
    ask: ({ login: username, password }, context) => post('/users/login', { username, password }, context),
    read: signIn,
  },
  person: {
    ask: ({ token }) => get('/me', token),
    read: reading({
      body: MeReply.pipe(UserAlone),
      no: [401],
      refusal: Refusal,
      answer: ({ data }) => ({ yes: personOf(data), more: true }),
    }),
  },
  details: {
    ask: ({ token, vendorId = '-' }) => get(`/users/${encodeURIComponent(vendorId)}`, token),
    read: reading({
      body: UserReply.pipe(UserAlone),
      no: [401],
      refusal: Refusal,
      answer: ({ data }) => ({ yes: personOf(data) }),
    }),
  },
  refresh: {
    ask: ({ refreshToken: refresh_token }, context) => post('/tokens/refresh', { refresh_token }, context),
    read: reading({
      body: RefreshedReply.pipe(UserAndTokens),
      no: [400, 401],
      refusal: Refusal,
      answer: signedIn,
    }),
  },
  sendCode: {
    // Both send a code to a person without a password; only the one that names a person may make an account.
    ask: ({ email, names: { given_name: first_name, family_name: last_name } = {} }, context) =>
      first_name === undefined || last_name === undefined
        ? post('/users/reset_password', { email }, context)
        : post('/users/activate', { first_name, last_name, email }, context),
    read: done,
  },
  code: {
    ask: ({ email, code: email_token }, context) => post('/users/login', { email, email_token }, context),
    read: (reply, asked) => proved(signIn(reply, asked)),
  },
  reset: {
    ask: ({ email }, context) => post('/users/reset_password', { email }, context),
    read: done,
  },
  singleSignOn: {
    ask({ body, key, secret }, context) {
      const { headers, ...asked } = post('/users/sso', { ...body }, context);
      return { ...asked, headers: { ...headers, 'x-apikey': key, ...(secret && { 'x-apisecret': secret }) } };
    },
    read: reading({
      body: SingleSignOn,
      no: [401, 403],
      refusal: Refusal,
      answer({ data: { token, code = '', ...user } }, { body }) {
        // The clinic's own code finds its person again; a guest's was drawn.
        const own = Number(body.type) === GUEST ? { code } : { sso_code: code };
        return { yes: personOf(user, own), tokens: tokensOf(token), more: true };
      },
    }),
  },
  signOut: {
    ask: ({ token }, context) => post('/users/logout', { tokens: [token] }, context),
    read: done,
  },
};

/** The code went to the address. */
function proved(answer: Answer): Answer {
  const yes = typeof answer === 'object' && 'yes' in answer;
  return yes ? { ...answer, yes: { ...answer.yes, addressVerified: true } } : answer;
}

/**
 * What a client of each vendor sends to sign in and to ask who it is: for the start block, which shows the
 * first, and for `portico try`, which does both. A dialect without a line here is served all the same.
 */
import { readSeed } from '../seed/read-seed.ts';
import type { SeedAccount } from '../seed/schema.ts';

/** Somebody of a seed file who can sign in with a password. */
export interface Person extends SeedAccount {
  readonly password: string;
}

/** As much of a person as a sign-in needs. */
export type Credentials = Pick<Person, 'organization' | 'email' | 'username' | 'password'>;

/** `dialects.<name>` of the configuration, as it was written: what it leaves out has its default here. */
export type DialectSettings = Readonly<Record<string, unknown>>;

export interface SampleCall {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SignInCall extends SampleCall {
  readonly body: Readonly<Record<string, string>>;
}

export interface Sample {
  /** Whom the dialect knows. */
  suits(person: Person, settings: DialectSettings): boolean;
  /** A POST with a JSON body. */
  signIn(person: Credentials, settings: DialectSettings): SignInCall;
  /** Members that lead to the access token in the reply. */
  readonly token: readonly string[];
  /** A GET that shows the caller. */
  me(token: string, settings: DialectSettings): SampleCall;
  /** The organization that requests mean when they name none. */
  organization(settings: DialectSettings): string | undefined;
}

const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
const first = (value: unknown, otherwise: string) => text(Array.isArray(value) ? value[0] : value, otherwise);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const organizationIn = ({ organization }: DialectSettings) => text(organization, 'default');

/** A dialect of one organization whose sign-in takes `email` and `password`. */
function plain(context: {
  name: string;
  base: string;
  signIn: string;
  token: readonly string[];
  me: string;
}): Sample {
  const baseIn = ({ base }: DialectSettings) => text(base, context.base);
  return {
    suits: (person, settings) =>
      knows(person, context.name) &&
      person.email !== undefined &&
      person.organization === organizationIn(settings),
    signIn: ({ email = '', password }, settings) => ({
      path: `${baseIn(settings)}${context.signIn}`,
      body: { email, password },
    }),
    token: context.token,
    me: (token, settings) => ({ path: `${baseIn(settings)}${context.me}`, headers: bearer(token) }),
    organization: organizationIn,
  };
}

export const SAMPLES: Readonly<Record<string, Sample>> = {
  visitnote: plain({
    name: 'visitnote',
    base: '/api/therapist/v1',
    signIn: '/sign-in',
    token: ['data', 'token'],
    me: '/my-profile',
  }),
  medisync: plain({
    name: 'medisync',
    base: '/api',
    signIn: '/login',
    token: ['token'],
    me: '/user/profile',
  }),
  avycenna: plain({
    name: 'avycenna',
    base: '/api/v1',
    signIn: '/auth/login',
    token: ['access_token'],
    me: '/auth/me',
  }),
  careportals: {
    suits: (person) => knows(person, 'careportals') && person.email !== undefined,
    signIn: ({ organization, email = '', password }, settings) => ({
      path: `${first(settings.base, '/patient')}/auth/login`,
      headers: { organization },
      body: { username: email, password },
    }),
    token: ['token'],
    me: (token, settings) => ({
      path: `${first(settings.base, '/patient')}/users/account`,
      headers: bearer(token),
    }),
    organization: ({ organization }) => (typeof organization === 'string' ? organization : undefined),
  },
  vsee: {
    suits: (person) => knows(person, 'vsee') && (person.username ?? person.email) !== undefined,
    signIn: ({ organization, username, email = '', password }, settings) => ({
      path: `${text(settings.base, '/api_v3')}/users/login.json`,
      headers: { 'x-accountcode': organization },
      body: { username: username ?? email, password },
    }),
    token: ['data', 'token'],
    me: (token, settings) => ({
      path: `${text(settings.base, '/api_v3')}/me.json`,
      headers: { 'x-apitoken': token },
    }),
    organization: organizationIn,
  },
};

/** Whether the seed says anything about this person that only the vendor knows. */
function knows(person: Person, vendor: string): boolean {
  return person.vendor?.[vendor] !== undefined || person.aliases?.[vendor] !== undefined;
}

/** Those of a seed file who can sign in with a password. Throws SeedError. */
export function peopleOf(file: string): Person[] {
  const { accounts = [] } = readSeed(file).seed;
  return accounts.flatMap((account) =>
    account.password === undefined || (account.status ?? 'active') !== 'active'
      ? []
      : [{ ...account, password: account.password }],
  );
}

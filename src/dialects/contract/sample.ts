/** What a client of the vendor sends to sign in and to ask who it is: for the start block and `portico try`. */
import type { AnySettings } from './settings.ts';

export interface Credentials {
  readonly organization: string;
  readonly email?: string | undefined;
  readonly username?: string | undefined;
  readonly password: string;
}

interface SampleCall {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SignInCall extends SampleCall {
  readonly body: Readonly<Record<string, string>>;
}

export interface Sample<Settings = AnySettings> {
  /** Whether a person of the seed whom this dialect knows can sign in here. */
  suits(person: Credentials, settings: Settings): boolean;
  /** A POST with a JSON body. */
  signIn(person: Credentials, settings: Settings): SignInCall;
  /** Members that lead to the access token in the reply. */
  readonly token: readonly string[];
  /** A GET that shows the caller. */
  me(token: string, settings: Settings): SampleCall;
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Of a dialect of one organization whose sign-in takes `email` and `password`. Paths follow the base. */
export function emailSample(paths: {
  signIn: string;
  token: readonly string[];
  me: string;
}): Sample<{ base: string; organization: string }> {
  return {
    suits: ({ email, organization }, settings) =>
      email !== undefined && organization === settings.organization,
    signIn: ({ email = '', password }, { base }) => ({
      path: base + paths.signIn,
      body: { email, password },
    }),
    token: paths.token,
    me: (token, { base }) => ({ path: base + paths.me, headers: bearer(token) }),
  };
}

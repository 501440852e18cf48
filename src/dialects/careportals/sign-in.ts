/**
 * POST /auth, /auth/login, and /org/auth for organization users: a bare token for a name and a password.
 * Missing credentials are a refused sign-in (401), ill-typed ones are invalid (406).
 */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { json } from '../contract/reply.ts';
import type { Use } from '../contract/use.ts';
import { maybe, password, text } from './fields.ts';
import { Failure, TokenReply } from './serializers.ts';
import { endpoint } from './settings.ts';

/** An account to which no operator gave another role than `patient` is no organization user. */
const worksHere = (account: AccountView) => account.roles.some((role) => role !== 'patient');

type Login = { readonly login: string; readonly by: readonly ('email' | 'username')[] };

/**
 * Tried as the address; else, without `#<organization>` at its end, as the address; else as the account's own
 * sign-in name. What leads nowhere is counted without the ending, like the address itself.
 */
async function loginOf(typed: string, organization: string, use: Use): Promise<Login> {
  const suffix = `#${organization}`.toLowerCase();
  if (!typed.endsWith(suffix)) return { login: typed, by: ['email', 'username'] };
  const address = typed.slice(0, -suffix.length);
  // All at once: the number of round trips must not tell which one was found.
  const [whole, part, named] = await Promise.all([
    use.accounts.byEmail(typed),
    use.accounts.byEmail(address),
    use.accounts.byUsername(typed),
  ]);
  if (whole !== undefined) return { login: typed, by: ['email'] };
  if (part === undefined && named !== undefined) return { login: typed, by: ['username'] };
  return { login: address, by: ['email'] };
}

function signInAt(path: string, options: { organizationUsers: boolean }) {
  return endpoint({
    method: 'POST',
    path,
    summary: options.organizationUsers ? 'Sign in as an organization user' : 'Sign in with a password',
    caller: 'anyone',
    counts: 'sign-in',
    begins: 'sign-in',
    accepts: {
      body: z.object({
        username: maybe(text(0, 400).transform((login) => login.toLowerCase())),
        password: maybe(password),
      }),
    },
    replies: { 201: TokenReply, 400: Failure, 401: Failure, 406: Failure, 413: Failure, 429: Failure },
    async answer({ body, organization }, use) {
      if (!body.username || !body.password) throw new Refused('sign-in-refused');
      const { tokens } = await use.signIn.withPassword({
        ...(await loginOf(body.username, organization.id, use)),
        password: body.password,
        ...(options.organizationUsers && { only: worksHere }),
      });
      return json(201, { token: tokens.access.value });
    },
  });
}

export const signIn = signInAt('/auth/login', { organizationUsers: false });
export const signInShort = signInAt('/auth', { organizationUsers: false });
export const signInToOrganization = signInAt('/org/auth', { organizationUsers: true });
/** Below `orgBase`. */
export const signInToOrganizationBare = signInAt('/auth', { organizationUsers: true });

/**
 * VisitNote: sign-in, registration, social sign-in, sign-out, the profile, onboarding and account deletion
 * of a clinicians' API. One bearer JWT of a day, no refresh. README.md of this folder says what the vendor
 * documents and what is ours; the way in is `visitnote` below.
 */

import { type Credential, dialect } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { ReplyContext } from '../contract/reply.ts';
import { emailSample } from '../contract/sample.ts';
import { admits, admitsRole } from './admits.ts';
import { PANEL } from './caller.ts';
import { myProfile } from './my-profile.ts';
import { refusals } from './refusals.ts';
import { completeOnboarding } from './registration/complete-onboarding.ts';
import { deleteAccount } from './registration/delete-account.ts';
import { register } from './registration/register.ts';
import { registerWithSocial } from './registration/register-with-social.ts';
import { settings, type VisitNoteSettings } from './settings.ts';
import { strangers } from './sign-in/limits.ts';
import { signIn } from './sign-in/sign-in.ts';
import { signInWithSocial } from './sign-in/sign-in-with-social.ts';
import { signOut } from './sign-in/sign-out.ts';

/** Any scheme but Bearer counts as no token; the scheme's case does not matter. */
function credential(request: RequestView): Credential | undefined {
  const token = /^bearer +(\S+) *$/i.exec(request.header('authorization') ?? '')?.[1];
  return token === undefined ? undefined : { kind: 'token', token };
}

/** On every reply of a served endpoint: the counter that the request was charged to. No Reset header. */
function headers({ charged }: ReplyContext): Record<string, string> {
  const [limit] = charged;
  if (limit === undefined) return {};
  return { 'x-ratelimit-limit': String(limit.limit), 'x-ratelimit-remaining': String(limit.remaining) };
}

export const visitnote = dialect<VisitNoteSettings>({
  name: 'visitnote',
  title: "VisitNote's clinician sign-in API",
  settings,
  clientId: ({ clientId }) => clientId,
  mounts: ({ base }) => [
    {
      base,
      endpoints: [
        signIn,
        signInWithSocial,
        register,
        registerWithSocial,
        myProfile,
        completeOnboarding,
        signOut,
        deleteAccount,
      ],
      owns: true,
      otherMethods: 'not-found',
      head: true,
    },
  ],
  // The limits come before the body is read, and a refused credential is charged as well.
  order: ['organization', 'credential', 'rights', 'limits', 'size', 'encoding', 'media', 'syntax', 'fields'],
  bodies: {
    accepts: ['json', 'form'],
    limit: 65_536,
    forms: 'flat',
    absent: 'empty-object',
    untyped: 'refuse',
    unreadable: 'empty-object',
  },
  credential,
  organization: async ({ settings: { organization } }) => organization,
  tokens: {
    scope: 'profile email',
    access: 'jwt',
    claims: ({ account }) => ({ token_panel: PANEL, uuid: account.alias }),
    accessLifetime: ({ accessToken }) => accessToken.lifetime,
    audience: ({ accessToken, base }, issuer) => accessToken.audience ?? issuer + base,
    sharedSecret: ({ accessToken }) => accessToken.secret,
  },
  alias: 'uuid',
  admits,
  admitsRole,
  refusals,
  headers,
  limitsOnRefusedCredential: strangers,
  cors: 'server',
  sample: emailSample({ signIn: '/sign-in', token: ['data', 'token'], me: '/my-profile' }),
});

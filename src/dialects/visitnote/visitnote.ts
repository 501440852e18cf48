/**
 * VisitNote: sign-in, registration, social sign-in, sign-out, the profile, onboarding and account deletion
 * of a clinicians' API. One bearer JWT of a day, no refresh. README.md of this folder says what the vendor
 * documents and what is ours; the way in is `visitnote` below.
 */

import { dialect } from '../contract/dialect.ts';
import { jsonBodies, jwtTokens, oneOrganization } from '../contract/presets.ts';
import type { ReplyContext } from '../contract/reply.ts';
import { emailSample } from '../contract/sample.ts';
import { completeOnboarding, deleteAccount, myProfile } from './account.ts';
import { admits, admitsRole, PANEL } from './admits.ts';
import { legacy } from './legacy.ts';
import { strangers } from './limits.ts';
import { refusals } from './refusals.ts';
import { register } from './register.ts';
import { registerWithSocial } from './register-with-social.ts';
import { settings, type VisitNoteSettings } from './settings.ts';
import { signIn, signOut } from './sign-in.ts';
import { signInWithSocial } from './social.ts';

/** On every reply of a served endpoint: the counter that the request was charged to. No Reset header. */
function headers({ charged }: ReplyContext): Record<string, string> {
  const [limit] = charged;
  if (limit === undefined) return {};
  return { 'x-ratelimit-limit': String(limit.limit), 'x-ratelimit-remaining': String(limit.remaining) };
}

export const visitnote = dialect<VisitNoteSettings>({
  name: 'visitnote',
  product: 'VisitNote',
  title: "VisitNote's clinician sign-in API",
  settings,
  ...oneOrganization,
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
  bodies: { ...jsonBodies, accepts: ['json', 'form'], absent: 'empty-object', unreadable: 'empty-object' },
  tokens: {
    scope: 'profile email',
    ...jwtTokens,
    claims: ({ account }) => ({ token_panel: PANEL, uuid: account.alias }),
  },
  alias: 'uuid',
  admits,
  admitsRole,
  refusals,
  headers,
  limitsOnRefusedCredential: strangers,
  cors: 'server',
  legacy,
  sample: emailSample({ signIn: '/sign-in', token: ['data', 'token'], me: '/my-profile' }),
});

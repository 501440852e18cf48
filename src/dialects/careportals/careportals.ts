/**
 * CarePortals: the Patient API's password sign-in, registration, own account and three-step reset, and a
 * sign-in for organization users. One bearer JWT of thirty days, no refresh; every call names its
 * organization. README.md of this folder says what the vendor documents and what is ours; the way in is
 * `careportals` below.
 */

import { dialect, type Mount, rolesHere } from '../contract/dialect.ts';
import { bearerCredential, jsonBodies, jwtTokens } from '../contract/presets.ts';
import { bearer } from '../contract/sample.ts';
import { HEX } from '../contract/tokens.ts';
import { patchAccount, putAccount, showAccount } from './account.ts';
import { createAccount } from './create-account.ts';
import { legacy } from './legacy.ts';
import { organization } from './organization.ts';
import { refusals } from './refusals.ts';
import { forgot, reset, validate, validateByOtherName } from './reset-password.ts';
import { phoneOf, unameOf } from './serializers.ts';
import { type CarePortalsSettings, mayReach, settings } from './settings.ts';
import { signIn, signInShort, signInToOrganization, signInToOrganizationBare } from './sign-in.ts';

const endpoints = [
  signIn,
  signInShort,
  signInToOrganization,
  createAccount,
  showAccount,
  putAccount,
  patchAccount,
  forgot,
  validate,
  validateByOtherName,
  reset,
];

/** Under each base everywhere; bare on the hosts that are this API's alone, where the server's own URLs go on answering. */
function mounts({ base, hosts, orgBase }: CarePortalsSettings): Mount<CarePortalsSettings>[] {
  const rules = { otherMethods: 'not-found', head: false } as const;
  const list: Mount<CarePortalsSettings>[] = base.map((one) => ({
    base: one,
    endpoints,
    owns: true,
    ...rules,
  }));
  if (hosts.length > 0) {
    const bare = orgBase === '/org' ? endpoints.filter((one) => one !== signInToOrganization) : endpoints;
    list.push({ base: '', hosts, endpoints: bare, owns: false, ...rules });
  }
  if (orgBase !== '') {
    list.push({ base: orgBase, endpoints: [signInToOrganizationBare], owns: false, ...rules });
  }
  return list;
}

export const careportals = dialect<CarePortalsSettings>({
  name: 'careportals',
  product: 'CarePortals',
  title: "CarePortals' Patient API",
  settings,
  clientId: ({ clientId }) => clientId,
  mounts,
  order: ['size', 'encoding', 'media', 'syntax', 'credential', 'organization', 'rights', 'fields', 'limits'],
  bodies: { ...jsonBodies, accepts: ['json', 'form'], absent: 'empty-object' },
  // Read on the own account only; clients send stale ones to sign-in.
  credential: bearerCredential,
  organization,
  admitsOrganization: ({ id }, settings) => mayReach(id, settings),
  tokens: {
    scope: 'profile email phone address',
    ...jwtTokens,
    claims: ({ account, settings: input }) => ({
      organization: account.organization,
      uname: unameOf(account),
      roles: [...rolesHere(account)],
      ...(input.accessToken.personalData && {
        dob: account.claims.birthdate ?? '',
        email: account.email ?? '',
        phone: phoneOf(account, input),
      }),
    }),
    audience: ({ accessToken, base }, issuer) => accessToken.audience ?? `${issuer}${base[0] ?? ''}`,
  },
  alias: { alphabet: HEX, length: 24 },
  refusals,
  cors: ({ corsOrigins }) => ({
    origins: corsOrigins,
    credentials: true,
    methods: ['GET,HEAD,PUT,PATCH,POST,DELETE'],
    headers: ['content-type,organization,authorization'],
    exposed: ['Retry-After'],
  }),
  legacy,
  sample: {
    suits: ({ email }) => email !== undefined,
    signIn: ({ organization, email = '', password }, { base }) => ({
      path: `${base[0]}/auth/login`,
      headers: { organization },
      body: { username: email, password },
    }),
    token: ['token'],
    me: (token, { base }) => ({ path: `${base[0]}/users/account`, headers: bearer(token) }),
  },
});

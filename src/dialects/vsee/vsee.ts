/**
 * VSee: patients ("members"), providers and guests of clinics sign in with a password, with a code from a
 * email, or through their clinic's portal, and carry an opaque access token in `X-ApiToken`. This folder
 * owns the vendor's routes, words and user shapes; README.md says what is the vendor's and what is ours.
 * The way in is `vsee`, which the registry mounts; what an endpoint may do is `Use` (../contract/use.ts), and
 * accounts, tokens, emails and limits live behind that.
 */

import {
  type Credential,
  dialect,
  type Guard,
  type Mount,
  type OrganizationQuestion,
  type OrganizationView,
  Refused,
} from '../contract/dialect.ts';
import type { Endpoint, RequestView } from '../contract/endpoint.ts';
import { sliding } from '../contract/limits.ts';
import { jsonBodies } from '../contract/presets.ts';
import { DIGITS, HEX } from '../contract/tokens.ts';
import { legacy } from './legacy.ts';
import { refusals } from './refusals.ts';
import { repairForm } from './repair-form.ts';
import { isForBrowsers, TOKEN, typeOf } from './serializers.ts';
import { settings, type VSeeSettings } from './settings.ts';
import { activate } from './sign-in/activate.ts';
import { browserSignIn } from './sign-in/browser-sign-in.ts';
import { emailsOff } from './sign-in/invitation.ts';
import { refresh } from './sign-in/refresh.ts';
import { resetPassword } from './sign-in/reset-password.ts';
import { signIn } from './sign-in/sign-in.ts';
import { signOut } from './sign-in/sign-out.ts';
import { singleSignOn } from './sign-in/single-sign-on.ts';
import { alive } from './users/alive.ts';
import { listUsers } from './users/list-users.ts';
import { changeMe, showMe } from './users/me.ts';
import { showUser } from './users/show-user.ts';

/** 128 random bits without a prefix, for both kinds of token. */
const TOKEN_FORM = { alphabet: HEX, length: 32 };

const endpoints = [
  listUsers,
  showUser,
  singleSignOn,
  signIn,
  showMe,
  changeMe,
  signOut,
  refresh,
  resetPassword,
  activate,
  alive,
];

/** `{env}` names one of the clinic's environments and changes nothing. */
const ENVIRONMENT = { env: /^[a-z0-9_-]{1,32}$/ };

/** Authorization, the query, the body and cookies are not looked at. */
function credentialOf(
  request: RequestView,
  endpoint: Endpoint,
  settings: VSeeSettings,
): Credential | undefined {
  if (endpoint.caller === 'api-key') return apiKey(request, settings);
  const token = request.header('x-apitoken')?.trim();
  if (!token) return undefined;
  return TOKEN.test(token) ? { kind: 'token', token } : { kind: 'unusable', as: 'token' };
}

function apiKey(request: RequestView, settings: VSeeSettings): Credential | undefined {
  const key = apiKeyOf(request);
  if (key === undefined) return undefined;
  const secret = request.header('x-apisecret')?.trim();
  if (secret) return { kind: 'api-key', key, secret };
  return settings.requireApiSecret ? { kind: 'unusable', as: 'api-key' } : { kind: 'api-key', key };
}

const apiKeyOf = (request: RequestView) => request.header('x-apikey')?.trim() || undefined;

/** Stands with the rights, before the body is read. */
const registration: Guard<VSeeSettings> = ({ endpoint, settings }) => {
  if (endpoint === activate && settings.registration === 'off') throw new Refused('forbidden');
};

/* ------------------------------------------------------------------ which organization is meant */

type Question = OrganizationQuestion<VSeeSettings>;

/** The organization's id. Absent and blank are the same. */
function accountCode(request: RequestView): string | undefined {
  return request.header('x-accountcode')?.trim() || undefined;
}

async function known(
  code: string,
  { directory, settings }: Pick<Question, 'directory' | 'settings'>,
): Promise<OrganizationView | undefined> {
  const organization = await directory.byId(code);
  return speaksVSee(organization, settings) ? organization : undefined;
}

function speaksVSee(organization: OrganizationView | undefined, settings: VSeeSettings): boolean {
  return organization?.vendor !== undefined || organization?.id === settings.organization;
}

/** A code that is not known is refused before anything else is looked at. */
const accountCodeGuard: Guard<VSeeSettings> = async (context) => {
  const code = isForBrowsers(context.endpoint) ? undefined : accountCode(context.request);
  if (code !== undefined && (await known(code, context)) === undefined) {
    throw new Refused('unknown-organization');
  }
};

/** Endpoints whose own token decides, in their body or query; `within` where a given code must fit it. */
const BY_THEIR_TOKEN: Readonly<Record<string, 'anywhere' | 'within'>> = {
  '/tokens/refresh': 'within',
  '/users/logout': 'anywhere',
};

/** A token or a key decides for itself; a code that contradicts it makes it worthless. */
async function organizationOf(question: Question): Promise<string | undefined> {
  const { request, endpoint, settings, caller } = question;
  if (isForBrowsers(endpoint)) return undefined;
  const code = accountCode(request);
  if (caller !== undefined) {
    if (code !== undefined && code !== caller.organization) throw new Refused('wrong-organization');
    return caller.organization;
  }
  const freedom = BY_THEIR_TOKEN[endpoint.path];
  if (freedom !== undefined) return freedom === 'within' ? code : undefined;
  return code ?? (await byHost(question)) ?? settings.organization;
}

/** `api-clinicdev.vsee.me` names the account `clinicdev`. */
async function byHost(question: Question): Promise<string | undefined> {
  const code = /^api-([^.]+)(?:\.|$)/.exec(question.request.host)?.[1];
  return code === undefined ? undefined : (await known(code, question))?.id;
}

export const vsee = dialect<VSeeSettings>({
  name: 'vsee',
  product: 'VSee',
  title: 'VSee Clinic API: sign-in, single sign-on, profiles and the directory of a clinic',
  settings,
  clientId: ({ clientId }) => clientId,
  mounts: ({ base, authPath }) =>
    ['', '/vc/:env'].flatMap((prefix): Mount<VSeeSettings>[] => {
      const any = { segments: ENVIRONMENT, head: true };
      return [
        {
          ...any,
          base: prefix + base,
          suffixes: ['.json'],
          endpoints,
          owns: true,
          otherMethods: 'not-found',
        },
        // Only GET and HEAD of this path are ours: another dialect may own its POST.
        { ...any, base: prefix, endpoints: [browserSignIn(authPath)], owns: false, otherMethods: 'pass' },
      ];
    }),
  order: [
    'size',
    'guard:account-code',
    'credential',
    'organization',
    'rights',
    'guard:registration',
    'encoding',
    'media',
    'syntax',
    'fields',
    'limits',
  ],
  guards: { 'account-code': accountCodeGuard, registration },
  bodies: {
    ...jsonBodies,
    accepts: ['json', 'form', 'multipart'],
    forms: 'nested',
    absent: 'empty-object',
    repairForm,
  },
  credential: credentialOf,
  organization: organizationOf,
  admitsOrganization: speaksVSee,
  tokens: {
    scope: 'vsee',
    access: TOKEN_FORM,
    claims: ({ account, organization }) => ({
      user_id: account.alias,
      user_type: String(typeOf(account)),
      account_code: organization.id,
    }),
    accessLifetime: ({ accessToken }) => accessToken.lifetime,
    audience: ({ accessToken, base }, issuer) => accessToken.audience ?? `${issuer}${base}`,
    refresh: {
      form: TOKEN_FORM,
      lifetime: ({ refreshToken }) => refreshToken.lifetime,
      absoluteLifetime: ({ refreshToken }) => refreshToken.absoluteLifetime,
      leeway: ({ refreshToken }) => refreshToken.leeway,
      reuse: 'replay',
    },
  },
  alias: { alphabet: DIGITS, length: 11, first: '23456789' },
  mints: { code: TOKEN_FORM },
  // Members who have not set a password yet use the whole API with the token of their code.
  admitsToken: ({ status }) => status !== 'blocked',
  refusals,
  headers: ({ endpoint }) => ({
    'cache-control': 'no-store',
    // The address that the browser leaves holds the token.
    ...(isForBrowsers(endpoint) && { 'referrer-policy': 'no-referrer' }),
  }),
  cors: 'none',
  // A right key is never limited, and a missing one is no guess.
  limitsOnRefusedCredential: ({ request, endpoint, caller }) =>
    endpoint.caller === 'api-key' && caller === undefined && apiKeyOf(request) !== undefined
      ? [{ ...sliding, counter: 'wrong-keys', key: request.address, limit: 10, window: 900 }]
      : [],
  apiKeyForm: {
    id: { alphabet: HEX, length: 24 },
    key: TOKEN_FORM,
    secret: TOKEN_FORM,
    owner: 'organization',
  },
  legacy,
  clinicDecisions: { members: ['sso_code', 'disable_emails'], emailsOff },
  sample: {
    suits: ({ username, email }) => (username ?? email) !== undefined,
    signIn: ({ organization, username, email = '', password }, { base }) => ({
      path: `${base}/users/login.json`,
      headers: { 'x-accountcode': organization },
      body: { username: username ?? email, password },
    }),
    token: ['data', 'token'],
    me: (token, { base }) => ({ path: `${base}/me.json`, headers: { 'x-apitoken': token } }),
  },
});

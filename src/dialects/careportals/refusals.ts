/** CarePortals' words for each refusal: `{message}` and nothing else. Validation is 406, in the endpoint's own text. */
import type { Dialect } from '../contract/dialect.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { json, type RefusalView, type Reply, unauthenticated } from '../contract/reply.ts';
import type { CarePortalsSettings } from './settings.ts';

const failure = (status: number, message: string) => (): Reply => json(status, { message });
const broken = failure(500, 'Internal server error');
const noOrganization = failure(400, 'Organization not found');

const TEXTS: Readonly<Record<string, string>> = {
  '/auth': 'Failed to login',
  '/auth/login': 'Failed to login',
  '/org/auth': 'Failed to login',
  '/users': 'Failed to create account',
  '/users/account': 'Failed to update account',
  '/auth/forgot': 'Failed to request password reset',
  '/auth/reset': 'Failed to reset password',
};

const textOf = (endpoint: Endpoint | undefined) => TEXTS[endpoint?.path ?? ''] ?? 'Failed to read request';

const invalid = ({ endpoint }: RefusalView): Reply => json(406, { message: textOf(endpoint) });

function refusedPassword(reason: (settings: CarePortalsSettings) => string) {
  return ({ endpoint, settings }: RefusalView<CarePortalsSettings>): Reply =>
    json(406, { message: `${textOf(endpoint)}: password ${reason(settings)}` });
}

/** Method and path as requested, prefix included, query string left out. */
const notFound = ({ request }: RefusalView): Reply =>
  json(404, { message: `Cannot ${request.method} ${request.path}` });

const deadToken = () => unauthenticated({ message: 'Unauthorized' });

export const refusals: Dialect<CarePortalsSettings>['refusals'] = {
  'not-found': notFound,
  'method-not-allowed': notFound,
  'too-large': failure(413, 'Payload Too Large'),
  'unsupported-encoding': invalid,
  'unsupported-media-type': invalid,
  'empty-body': invalid,
  'unreadable-body': invalid,
  'not-an-object': invalid,
  'invalid-fields': invalid,
  'unknown-organization': noOrganization,
  'wrong-organization': failure(403, 'Forbidden'),
  forbidden: failure(403, 'Forbidden'),
  'no-credential': deadToken,
  'invalid-token': deadToken,
  'sign-in-refused': failure(401, 'Unauthorized'),
  'link-token-refused': failure(401, 'Invalid token'),
  'password-too-short': refusedPassword(
    ({ password }) => `must be at least ${password.minLength} characters`,
  ),
  'password-too-common': refusedPassword(() => 'is too common'),
  'account-exists': failure(409, 'Account Exists Already'),
  'too-many-requests': failure(429, 'Too Many Requests'),
  unavailable: failure(503, 'Service Unavailable'),
  internal: broken,

  // What no endpoint of this dialect can raise: there are neither codes, refresh tokens, upstream sign-ins,
  // redirects nor API keys. A defect if it happens all the same.
  'invalid-api-key': broken,
  'insufficient-scope': broken,
  'email-not-verified': broken,
  'code-refused': broken,
  'refresh-refused': broken,
  'id-token-refused': broken,
  'state-refused': broken,
  'redirect-refused': broken,
  'wrong-password': broken,
  'account-not-found': broken,
  'too-many-api-keys': broken,
  'api-key-not-found': broken,
};

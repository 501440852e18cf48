/** VisitNote's words for each refusal: `{status: false, message}`, and `errors` beside them on 422 only. */
import type { Dialect } from '../contract/dialect.ts';
import { json, type RefusalView, type Reply, unauthenticated } from '../contract/reply.ts';
import type { VisitNoteSettings } from './settings.ts';

const failure = (status: number, message: string) => (): Reply => json(status, { status: false, message });

const deadToken = () => unauthenticated({ status: false, message: 'Invalid or expired token' });

const notFound = failure(404, 'Not found');
const tooMany = failure(429, 'Too many requests. Please try again later.');
const unavailable = failure(503, 'Service unavailable. Please try again later.');
const broken = failure(500, 'Server error');

/** All failing fields together, each with exactly one message. */
function invalidFields({ issues }: RefusalView): Reply {
  const errors: Record<string, string[]> = Object.create(null);
  for (const issue of issues) errors[String(issue.path[0])] ??= [issue.message];
  return json(422, { status: false, message: 'The given data was invalid.', errors: { ...errors } });
}

export const refusals: Dialect<VisitNoteSettings>['refusals'] = {
  'not-found': notFound,
  'method-not-allowed': notFound,
  'too-large': failure(413, 'Payload too large'),
  'invalid-fields': invalidFields,
  'no-credential': deadToken,
  'invalid-token': deadToken,
  'wrong-organization': deadToken,
  forbidden: failure(403, 'Forbidden'),
  'sign-in-refused': failure(401, 'Invalid credentials'),
  'id-token-refused': failure(401, 'Invalid or expired ID token'),
  'wrong-password': failure(401, 'Invalid password'),
  'account-exists': failure(409, 'Account already exists'),
  'account-not-found': failure(404, 'Account not found'),
  'too-many-requests': tooMany,
  unavailable,
  internal: broken,

  // What no endpoint of this dialect can raise: unreadable bodies are taken for {}, and there are neither
  // tenants, codes, refresh tokens, link tokens, redirects nor API keys. A defect if it happens all the same.
  'unsupported-encoding': broken,
  'unsupported-media-type': broken,
  'empty-body': broken,
  'unreadable-body': broken,
  'not-an-object': broken,
  'unknown-organization': broken,
  'invalid-api-key': broken,
  'insufficient-scope': broken,
  'email-not-verified': broken,
  'code-refused': broken,
  'refresh-refused': broken,
  'link-token-refused': broken,
  'state-refused': broken,
  'redirect-refused': broken,
  'password-too-short': broken,
  'password-too-common': broken,
  'too-many-api-keys': broken,
  'api-key-not-found': broken,
};

/** MediSync's words for each refusal: always exactly `{success: false, error, code}`, or the page of the email's link. */
import type { Dialect } from '../contract/dialect.ts';
import { json, page, type RefusalView, type Reply, unauthenticated } from '../contract/reply.ts';
import { MEMBERS } from './fields.ts';
import type { MediSyncSettings } from './settings.ts';

const failure = (status: number, code: string, error: string) => (): Reply =>
  json(status, { success: false, error, code });

const invalid = (error: string) => failure(400, 'VALIDATION_ERROR', error);
const badLink = failure(400, 'INVALID_VERIFICATION_TOKEN', 'Invalid or expired verification link');
const notFound = failure(404, 'NOT_FOUND', 'Not found');
const broken = failure(500, 'INTERNAL_ERROR', 'Internal server error');

const deadToken = () =>
  unauthenticated({ success: false, error: 'Authentication required', code: 'AUTH_REQUIRED' });

/** The page's button posts a form; the person who pressed it gets a page. */
export function fromPage({ request, endpoint }: Pick<RefusalView, 'request' | 'endpoint'>): boolean {
  const type = request.header('content-type') ?? '';
  return endpoint?.path === '/verification/verify' && /^\s*application\/x-www-form-urlencoded/i.test(type);
}

export function refusedLinkPage(): Reply {
  return page(400, 'link-refused', {}, { headers: { 'referrer-policy': 'no-referrer' } });
}

function unreadable(refusal: RefusalView): Reply {
  return fromPage(refusal) ? refusedLinkPage() : invalid('Request body must be valid JSON')();
}

/** The first failure of the first failing member, in the order of the endpoint's table. */
function invalidFields(refusal: RefusalView): Reply {
  if (fromPage(refusal)) return refusedLinkPage();
  const place = (name: unknown) => MEMBERS.indexOf(String(name));
  const [first] = refusal.issues.toSorted((a, b) => place(a.path[0]) - place(b.path[0]));
  return invalid(first?.message ?? 'Request body must be valid JSON')();
}

export const refusals: Dialect<MediSyncSettings>['refusals'] = {
  'not-found': notFound,
  'method-not-allowed': failure(405, 'METHOD_NOT_ALLOWED', 'Method not allowed'),
  'too-large': failure(413, 'PAYLOAD_TOO_LARGE', 'Request body too large'),
  'unsupported-encoding': unreadable,
  'unsupported-media-type': invalid('Content-Type must be application/json'),
  'empty-body': unreadable,
  'unreadable-body': unreadable,
  'not-an-object': invalid('Request body must be a JSON object'),
  'invalid-fields': invalidFields,
  'no-credential': deadToken,
  'invalid-token': deadToken,
  'wrong-organization': deadToken,
  forbidden: failure(403, 'FORBIDDEN', 'Access denied'),
  'email-not-verified': failure(403, 'EMAIL_NOT_VERIFIED', 'Email verification required'),
  'sign-in-refused': failure(401, 'INVALID_CREDENTIALS', 'Invalid email or password'),
  'link-token-refused': (refusal) => (fromPage(refusal) ? refusedLinkPage() : badLink()),
  'password-too-common': invalid('password is too common, please choose another one'),
  'account-exists': failure(409, 'EMAIL_EXISTS', 'Email already registered'),
  'too-many-requests': failure(429, 'RATE_LIMIT_EXCEEDED', 'Too many requests, please try again later'),
  unavailable: failure(503, 'SERVICE_UNAVAILABLE', 'Service temporarily unavailable'),
  internal: broken,

  // What no endpoint of this dialect can raise: there are neither tenants, codes, refresh tokens, upstream
  // sign-ins, redirects nor API keys. A defect if it happens all the same.
  'unknown-organization': broken,
  'invalid-api-key': broken,
  'insufficient-scope': broken,
  'code-refused': broken,
  'refresh-refused': broken,
  'id-token-refused': broken,
  'state-refused': broken,
  'redirect-refused': broken,
  'wrong-password': broken,
  'password-too-short': broken,
  'account-not-found': broken,
  'too-many-api-keys': broken,
  'api-key-not-found': broken,
};

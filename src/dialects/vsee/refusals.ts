/**
 * The vendor's words for every reason: `{code, message}`, the code being the status. GET /auth is opened by
 * a browser and gets small pages instead, which repeat nothing from the request.
 */
import { z } from 'zod';
import { type Reason, Refused } from '../contract/dialect.ts';
import { json, page, type RefusalView, type Reply, type ReplyExtras } from '../contract/reply.ts';
import { isForBrowsers } from './serializers.ts';
import type { VSeeSettings } from './settings.ts';
import { FIRST } from './users/born-until-today.ts';

type View = RefusalView<VSeeSettings>;

export const Failure = z.strictObject({ code: z.int(), message: z.string().min(1) });

/** The refusals that an endpoint may give, for its table of replies. */
export function failures<Status extends number>(...statuses: readonly Status[]) {
  return Object.fromEntries(statuses.map((status) => [status, Failure])) as Record<Status, typeof Failure>;
}

/** An issue with one field that the endpoint finds, and not a schema. */
export function faulty(field: string, message: string): Refused {
  return new Refused('invalid-fields', { issues: [{ path: [field], message }] });
}

/** A small page for a browser. */
export function refusalPage(status: number, extras: ReplyExtras = {}): Reply {
  const [title, text] = PAGES[status] ?? ['Something went wrong', 'Please try again in a moment.'];
  return page(status, 'message', { title, text }, extras);
}

const PAGES: Readonly<Record<number, readonly [string, string]>> = {
  400: [
    'This link does not work',
    'It leads somewhere else than to your clinic. Please go back to the page you came from.',
  ],
  401: [
    'Please sign in again',
    'This sign-in link is no longer good. Please go back to your clinic and open it anew.',
  ],
  503: ['Not just now', 'Please try again in a moment.'],
};

function says(status: number, message: string, extras: ReplyExtras = {}) {
  return ({ endpoint }: View): Reply =>
    isForBrowsers(endpoint) ? refusalPage(status, extras) : json(status, { code: status, message }, extras);
}

const unknownPage = says(404, 'Sorry, this page is not available.');
const invalidBody = says(400, 'Invalid request body');
const badToken = says(401, 'Invalid or expired token.');
const badKey = says(401, 'Invalid API key.');
const badSignIn = says(401, 'Invalid username or password.');
const notAllowed = says(403, 'You are not authorized to perform this action.');
const badCredential = (view: View) => (view.endpoint?.caller === 'api-key' ? badKey : badToken)(view);

export const refusals: Readonly<Record<Reason, (refusal: View) => Reply>> = {
  'not-found': unknownPage,
  'method-not-allowed': unknownPage,
  'too-large': says(413, 'Request body is too large.'),
  'unsupported-encoding': invalidBody,
  'unsupported-media-type': invalidBody,
  'empty-body': invalidBody,
  'unreadable-body': invalidBody,
  'not-an-object': invalidBody,
  'invalid-fields': (view) => says(400, firstIssue(view))(view),
  'unknown-organization': says(401, 'Invalid account code.'),
  'wrong-organization': badCredential,
  'no-credential': badCredential,
  'invalid-token': badToken,
  'invalid-api-key': badKey,
  forbidden: notAllowed,
  'insufficient-scope': notAllowed,
  'email-not-verified': notAllowed,
  'sign-in-refused': badSignIn,
  'code-refused': badSignIn,
  'id-token-refused': badSignIn,
  'refresh-refused': badToken,
  'link-token-refused': badToken,
  'state-refused': badToken,
  'redirect-refused': says(400, 'Invalid next'),
  'wrong-password': says(400, 'Old password is incorrect.'),
  'password-too-short': (view) =>
    says(400, `Password must be at least ${view.settings.passwordMinimum} characters.`)(view),
  'password-too-common': says(400, 'Password is too common.'),
  'account-exists': says(400, 'Invalid email'),
  'account-not-found': unknownPage,
  'too-many-api-keys': notAllowed,
  'api-key-not-found': unknownPage,
  'too-many-requests': says(429, 'Too many requests.'),
  unavailable: says(503, 'Service unavailable.'),
  internal: says(500, 'Internal server error.'),
};

function firstIssue({ issues }: View): string {
  return (issues.find(({ code }) => code === FIRST) ?? issues[0])?.message ?? 'Invalid request body';
}

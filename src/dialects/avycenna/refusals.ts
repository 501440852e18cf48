/** AVYCENNA's words for each refusal: `detail` is a text everywhere except in 422, where it is a list. */
import type { Dialect } from '../contract/dialect.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import { json, type RefusalView, type Reply, unauthenticated } from '../contract/reply.ts';
import { dropBinding } from './google-cookies.ts';
import type { AvycennaSettings } from './settings.ts';

const failure = (status: number, detail: string) => (): Reply => json(status, { detail });
const refused = (detail: string) => () => unauthenticated({ detail });

const invalidBody = (msg: string, type: string) => (): Reply =>
  json(422, { detail: [{ loc: ['body'], msg, type }] });

const missingBody = invalidBody('field required', 'value_error.missing');
const notADict = invalidBody('value is not a valid dict', 'type_error.dict');
const broken = failure(500, 'Internal Server Error');

/** One entry for each member with an issue, in the order of the endpoint's field table. */
function invalidFields({ issues }: RefusalView): Reply {
  return json(422, {
    detail: issues.map(({ path, message, code }) => ({ loc: ['body', ...path], msg: message, type: code })),
  });
}

const isCallback = (endpoint: Endpoint | undefined) => endpoint?.path === '/auth/oauth/google/callback';

/** Every reply of Google's callback drops the browser's binding and says nothing to the next site. */
function alsoAtCallback(reply: () => Reply) {
  return ({ endpoint, request, settings }: RefusalView<AvycennaSettings>): Reply => {
    const plain = reply();
    if (!isCallback(endpoint)) return plain;
    return {
      ...plain,
      headers: { ...plain.headers, 'referrer-policy': 'no-referrer' },
      cookies: [dropBinding(settings, request.issuer)],
    };
  };
}

/** Also where no provider is configured: a state that was never issued is judged before anything else. */
const stateRefused = alsoAtCallback(failure(400, 'Invalid OAuth state'));

export const refusals: Dialect<AvycennaSettings>['refusals'] = {
  'not-found': ({ endpoint, ...view }) =>
    isCallback(endpoint) ? stateRefused({ endpoint, ...view }) : failure(404, 'Not Found')(),
  'method-not-allowed': failure(405, 'Method Not Allowed'),
  'too-large': failure(413, 'Request body too large'),
  'unsupported-encoding': alsoAtCallback(failure(415, 'Unsupported Media Type')),
  'unsupported-media-type': notADict,
  'empty-body': missingBody,
  'unreadable-body': invalidBody('Invalid JSON', 'value_error.jsondecode'),
  'not-an-object': ({ issues }) => (issues[0]?.code === 'null' ? missingBody() : notADict()),
  'invalid-fields': invalidFields,
  'no-credential': refused('Not authenticated'),
  'invalid-token': refused('Could not validate credentials'),
  'wrong-organization': refused('Could not validate credentials'),
  'invalid-api-key': refused('Invalid API key'),
  'sign-in-refused': refused('Incorrect email or password'),
  'code-refused': refused('Invalid or expired OTP'),
  'refresh-refused': refused('Invalid refresh token'),
  'insufficient-scope': failure(403, 'Insufficient scope'),
  forbidden: failure(403, 'Insufficient scope'),
  'api-key-not-found': failure(404, 'API key not found'),
  'account-exists': failure(409, 'Email already registered'),
  'too-many-api-keys': failure(409, 'Too many API keys'),
  'state-refused': stateRefused,
  'redirect-refused': failure(400, 'Invalid redirect_uri'),
  'too-many-requests': failure(429, 'Too many requests'),
  unavailable: alsoAtCallback(failure(503, 'Service unavailable')),
  internal: alsoAtCallback(broken),

  // What no endpoint of this dialect can raise: there are neither tenants, link tokens nor presented ID tokens,
  // and passwords are judged with the fields. A defect if it happens all the same.
  'unknown-organization': broken,
  'email-not-verified': broken,
  'id-token-refused': broken,
  'link-token-refused': broken,
  'wrong-password': broken,
  'password-too-short': broken,
  'password-too-common': broken,
  'account-not-found': broken,
};

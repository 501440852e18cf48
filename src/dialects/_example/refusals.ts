/**
 * This vendor's words for each reason. The list is closed: the compiler asks for the missing one. Reasons
 * that no endpoint here can raise are answered as the defect that they would be.
 */
import type { Dialect } from '../contract/dialect.ts';
import { json, type RefusalView, type Reply, unauthenticated } from '../contract/reply.ts';
import type { ExampleSettings } from './settings.ts';

const says = (status: number, error: string) => (): Reply => json(status, { error });

const signedOut = () => unauthenticated({ error: 'signed_out' });
const unreadable = says(400, 'unreadable');
const broken = says(500, 'server_error');

function invalidFields({ issues }: RefusalView): Reply {
  const fields = issues.map(({ path, message }) => ({ field: path.join('.'), problem: message }));
  return json(400, { error: 'invalid_fields', fields });
}

export const refusals: Dialect<ExampleSettings>['refusals'] = {
  'not-found': says(404, 'not_found'),
  'method-not-allowed': says(405, 'method_not_allowed'),
  'too-large': says(413, 'too_large'),
  'unsupported-encoding': says(415, 'unsupported_encoding'),
  'unsupported-media-type': says(415, 'unsupported_media_type'),
  'empty-body': unreadable,
  'unreadable-body': unreadable,
  'not-an-object': unreadable,
  'invalid-fields': invalidFields,
  'no-credential': signedOut,
  'invalid-token': signedOut,
  'sign-in-refused': says(401, 'wrong_email_or_password'),
  'refresh-refused': signedOut,
  'password-too-short': says(400, 'password_too_short'),
  'password-too-common': says(400, 'password_too_common'),
  'account-exists': says(409, 'email_taken'),
  'too-many-requests': says(429, 'too_many_requests'),
  unavailable: says(503, 'unavailable'),
  internal: broken,

  'unknown-organization': broken,
  'wrong-organization': broken,
  'invalid-api-key': broken,
  forbidden: broken,
  'insufficient-scope': broken,
  'email-not-verified': broken,
  'code-refused': broken,
  'id-token-refused': broken,
  'link-token-refused': broken,
  'state-refused': broken,
  'redirect-refused': broken,
  'wrong-password': broken,
  'account-not-found': broken,
  'too-many-api-keys': broken,
  'api-key-not-found': broken,
};

/**
 * docs/errors.md: every reason for which Portico says no, and how each dialect says it. Made by asking the
 * dialects themselves, so that the page cannot say anything else than they do.
 */
import type { Dialect, Reason } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { Reply } from '../contract/reply.ts';
import { loadAllDialects } from '../registry.ts';

/** What each reason means, for an operator who reads a log and an engineer who writes a dialect. */
const MEANINGS: Readonly<Record<Reason, string>> = {
  'not-found': 'The path is not served.',
  'method-not-allowed': 'The path is served, but not for this method.',
  'too-large': 'The body is longer than is read.',
  'unsupported-encoding': 'The body is compressed.',
  'unsupported-media-type': 'The body is of a type that is not read.',
  'empty-body': 'A body is needed and none came.',
  'unreadable-body': 'The body does not parse, or is not UTF-8.',
  'not-an-object': 'The body is JSON, but no object.',
  'invalid-fields': 'One or more fields are at fault; each fault names its field.',
  'unknown-organization': 'The request names no organization, or one that is not there.',
  'wrong-organization': 'What came along belongs to another organization than the request names.',
  'no-credential': 'A credential is needed and none came.',
  'invalid-token': 'The token is unknown, expired, revoked, or of another client, organization or dialect.',
  'invalid-api-key': 'The API key is unknown, deleted, or not for this.',
  forbidden: 'The caller may not do this.',
  'insufficient-scope': 'The API key has not the scope.',
  'email-not-verified': 'The address must be confirmed first.',
  'sign-in-refused': 'Unknown name, wrong password, no password, blocked: one answer for all.',
  'code-refused': 'The one-time code is wrong, used, expired or dead.',
  'refresh-refused': 'The refresh token is unknown, used, expired or ended.',
  'id-token-refused': 'The upstream ID token has a defect, or was used.',
  'link-token-refused': 'The link is unknown, used or expired.',
  'state-refused': 'The redirect sign-in was not begun in this browser, or is over.',
  'redirect-refused': 'The redirect URI is not listed.',
  'wrong-password': 'The present password, asked for again, is wrong.',
  'password-too-short': 'The new password is too short.',
  'password-too-common': 'The new password is on the list of common ones.',
  'account-exists': 'The address or identity belongs to an account already.',
  'account-not-found': 'There is no account for this identity.',
  'too-many-api-keys': 'The account has as many keys as it may.',
  'api-key-not-found': 'The account has no such key.',
  'too-many-requests': 'A limit is reached; Retry-After says for how long.',
  unavailable:
    'A store, a provider or the password queue is out of reach or full; Retry-After says when to come again.',
  internal: 'A defect of ours. The log has it under the request id.',
};

const REQUEST: RequestView = {
  method: 'POST',
  path: '/path',
  base: '',
  query: new URLSearchParams(),
  header: () => undefined,
  host: '',
  address: '',
  issuer: 'https://id.example.org',
  arrivedAt: new Date(0),
};

/** `commonErrors`: the chapter about OpenID Connect. */
export async function describeErrors(commonErrors: string): Promise<string> {
  const dialects = await loadAllDialects();
  const reasons = Object.keys(MEANINGS) as Reason[];
  return [
    '# Errors',
    '',
    '<!-- Made by `npm run docs` from src/oidc/provider/common-errors.ts and src/dialects. Do not edit. -->',
    '',
    commonErrors,
    '## Refusals of the vendors’ APIs',
    '',
    'Why Portico says no, and how each vendor’s API says it. A reason stands in the log and in the audit trail; a client sees the vendor’s own words. `field` and `message` stand for the field at fault and what is wrong with it. A dash: no endpoint of that dialect can be refused for it.',
    '',
    ...reasons.flatMap((reason) => section(reason, dialects)),
  ].join('\n');
}

function section(reason: Reason, dialects: readonly Dialect[]): string[] {
  const rows = dialects.map((dialect) => `| ${dialect.name} | ${said(dialect, reason)} |`);
  return [`### ${reason}`, '', MEANINGS[reason], '', '| Dialect | Reply |', '|---|---|', ...rows, ''];
}

function said(dialect: Dialect, reason: Reason): string {
  const reply = dialect.refusals[reason]({
    reason,
    issues: [{ path: ['field'], message: 'message', code: 'type' }],
    retryAfter: 5,
    allow: ['GET'],
    request: REQUEST,
    settings: dialect.settings.parse({}),
    endpoint: undefined,
    credential: undefined,
  });
  if (reply.status === 500 && reason !== 'internal') return '-';
  return `${reply.status} ${bodyOf(reply)}`;
}

function bodyOf({ body }: Reply): string {
  if ('json' in body) return `\`${JSON.stringify(body.json).replaceAll('|', '\\|')}\``;
  return 'page' in body ? 'a page' : '';
}

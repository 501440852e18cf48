/** The parameters of a token exchange (RFC 8693, 2.1). */
import { errors } from 'oidc-provider';
import { JWT_FORM } from '../tokens/token-handle.ts';

const TYPES = 'urn:ietf:params:oauth:token-type:';
export const ACCESS_TOKEN = `${TYPES}access_token`;
export const JWT = `${TYPES}jwt`;

/** `audience` is read by extensions/implied-resource.ts: it means the same as `resource`. */
export const PARAMETERS: readonly string[] = [
  ...['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type', 'requested_token_type'],
  ...['resource', 'audience', 'scope'],
];

export interface ExchangeRequest {
  readonly subjectToken: string;
  /** Of the token that is asked for: ACCESS_TOKEN or JWT. */
  readonly type: string;
}

export function readRequest(params: Readonly<Record<string, unknown>>): ExchangeRequest {
  const {
    subject_token: token,
    subject_token_type: type,
    requested_token_type: requested = ACCESS_TOKEN,
  } = params;
  if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
    throw new errors.InvalidRequest('actor_token is not supported: the new token says client_id, and no act');
  }
  if (typeof token !== 'string' || token === '') throw new errors.InvalidRequest('send subject_token');
  if (type !== ACCESS_TOKEN && type !== JWT) {
    throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN} or ${JWT}`);
  }
  if (type === JWT && !JWT_FORM.test(token)) {
    throw new errors.InvalidRequest('subject_token is no JWT: send the subject_token_type that it has');
  }
  if (requested !== ACCESS_TOKEN && requested !== JWT) {
    throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN} or ${JWT}`);
  }
  return { subjectToken: token, type: requested };
}

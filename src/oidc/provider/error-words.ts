/**
 * What a client reads of an error: the provider's words where they say what to do, ours where they do not. A
 * description is the same for everything that an attacker must not tell apart (which part of a credential is wrong,
 * whether a code was known); the audit trail has the reason.
 */
import type { ProviderMiddleware, StepContext } from './context.ts';

/** By the provider's words, which it has for one thing each. */
const BETTER: Readonly<Record<string, string>> = {
  'client is invalid': 'there is no client with this client_id: compare it with the one that is registered',
  "redirect_uri did not match any of the client's registered redirect_uris":
    'redirect_uri must equal one that the client has registered, to the character: scheme, host, port, path, a slash at the end',
  'Authorization Server policy requires PKCE to be used for this request':
    'PKCE is required: send code_challenge and code_challenge_method=S256',
  'code_challenge_method must be provided': 'send code_challenge_method=S256 beside code_challenge',
  'not supported value of code_challenge_method': 'code_challenge_method must be S256',
  'unsupported response_type requested': 'response_type must be code',
  'unsupported response_mode requested':
    'response_mode must be one of response_modes_supported of the discovery document',
  'requested response_mode is not allowed for this client or request':
    'response_type must be code, and response_mode one of response_modes_supported of the discovery document',
  'unsupported prompt value requested': 'prompt must be none, login, consent, select_account or create',
  'requested scope is not allowed':
    'the client has not registered this scope: change its registration or ask for less',
  'unsupported signed request alg':
    'a request object must be signed with one of request_object_signing_alg_values_supported of the discovery document',
  'could not validate Request Object':
    'no registered key of the client fits the signature of the request object: compare kid and alg with jwks',
  'Request Object claims are invalid':
    'iss of the request object must be the client_id, aud the issuer of the discovery document, and exp and nbf must fit the time',
  'client JSON Web Key Set failed to be refreshed':
    'the keys of the client could not be read: jwks_uri must answer with a JSON Web Key Set, from a public address',
  'Request Object must be used by this client':
    'this client signs its requests (require_signed_request_object): send request, at /authorize or /par',
  'could not decode id_token_hint': 'id_token_hint must be an ID token of this server',
  'could not validate id_token_hint':
    'id_token_hint must be an ID token that this server gave to this client',
  'unrecognized id_token_hint audience':
    'id_token_hint must be an ID token that this server gave to this client',
  'post_logout_redirect_uri not registered':
    'post_logout_redirect_uri must equal one that the client has registered, to the character',
  'End-User authentication is required':
    'no person is signed in with this browser: send the person here without prompt=none',
  'requested scopes not granted':
    'the person has not allowed this yet: send the person here without prompt=none',
  'request_uri is invalid, expired, or was already used':
    'request_uri is unknown, older than 60 seconds or was used before: push the request again',
  'no client authentication mechanism provided':
    'name the client: client_id, and its secret as token_endpoint_auth_method says, in the header Authorization (Basic) or in the form',
  'client authentication failed':
    'client authentication failed: compare client_id, secret or key, and the way they are sent with what is registered (token_endpoint_auth_method); the audit trail of the server has the reason',
  'unsupported grant_type requested':
    'grant_type must be one of grant_types_supported of the discovery document',
  'grant request is invalid':
    'the code or token is unknown, expired, used before or of another client, or redirect_uri, code_verifier or DPoP key is not that of its request: begin a new sign-in; the audit trail of the server has the reason',
  'device code is expired': 'the device code has expired: begin again at /device_authorization',
  'refresh token missing requested scope':
    'a refresh cannot add a scope: ask for it in a new authorization request',
  'DPoP proof htm mismatch': 'htm of the DPoP proof must be the method of the request',
  'DPoP proof htu mismatch':
    'htu of the DPoP proof must be the URL of this endpoint as the discovery document has it',
  'DPoP proof iat is not recent enough':
    'iat of the DPoP proof is too long ago or in the future: make a new proof, and set the clock of the client',
  'invalid token provided':
    'the access token is unknown, expired, revoked or not for this: refresh it, or sign in again',
  'access token missing openid scope': 'userinfo needs an access token with the scope openid',
  'oops! something went wrong': 'something went wrong on our side; the log has it under the request id',
};

/** Where the provider says nothing but the code. */
const SAID_BY_CODE: Readonly<Record<string, string>> = {
  request_not_supported:
    'a request object is read where the client has registered its keys (jwks): send the parameters themselves, or push them to /par',
  request_uri_not_supported: 'request_uri must come from /par',
  registration_not_supported: 'clients are registered by the operator',
  server_error: 'something went wrong on our side; the log has it under the request id',
  temporarily_unavailable:
    'the server takes no such request now: wait as long as Retry-After says, then try again',
};

/** A code that no registry has. */
const REGISTERED: Readonly<Record<string, string>> = { unsupported_response_mode: 'invalid_request' };

/** The words for a description, if there are any. */
export function inBetterWords(error: string, description: string | undefined): string | undefined {
  if (description === undefined) return SAID_BY_CODE[error];
  return Object.hasOwn(BETTER, description) ? BETTER[description] : description;
}

/** In JSON. A page asks for the words itself, and so does the answer to an authorization request. */
export const explainErrors: ProviderMiddleware = async (ctx, next) => {
  await next();
  explainBody(ctx);
};

function explainBody(ctx: StepContext): void {
  const body: unknown = ctx.body;
  if (typeof body !== 'object' || body === null || !('error' in body) || typeof body.error !== 'string')
    return;
  const description = 'error_description' in body ? String(body.error_description) : undefined;
  Object.assign(body, explained(body.error, description));
}

/** The answer to an authorization request, before it is sent or signed. */
export function refusalInWords(answer: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { error, error_description: description } = answer;
  if (typeof error !== 'string') return answer;
  return { ...answer, ...explained(error, typeof description === 'string' ? description : undefined) };
}

function explained(error: string, description: string | undefined): Record<string, string> {
  const words = inBetterWords(error, description);
  return { error: REGISTERED[error] ?? error, ...(words !== undefined && { error_description: words }) };
}

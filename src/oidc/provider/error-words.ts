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
  'unsupported response_mode requested': 'response_mode must be query or form_post',
  'requested response_mode is not allowed for this client or request':
    'response_type must be code, and response_mode query or form_post',
  'unsupported prompt value requested': 'prompt must be none, login, consent, select_account or create',
  'requested scope is not allowed':
    'the client has not registered this scope: change its registration or ask for less',
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
  request_not_supported: 'no request objects are read: send the parameters themselves, or push them to /par',
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

/** In JSON and in redirects. A page asks for the words itself. */
export const explainErrors: ProviderMiddleware = async (ctx, next) => {
  await next();
  explainBody(ctx);
  explainRedirect(ctx);
};

function explainBody(ctx: StepContext): void {
  const body: unknown = ctx.body;
  if (typeof body !== 'object' || body === null || !('error' in body) || typeof body.error !== 'string')
    return;
  const description = 'error_description' in body ? String(body.error_description) : undefined;
  Object.assign(body, explained(body.error, description));
}

function explainRedirect(ctx: StepContext): void {
  const target = URL.parse(ctx.response.get('Location'));
  if (!target || ctx.oidc?.params?.redirect_uri === undefined) return;
  // The answers to response types with tokens go into the fragment, refusals too.
  const fragment = new URLSearchParams(target.hash.slice(1));
  const answer = fragment.has('error') ? fragment : target.searchParams;
  const error = answer.get('error');
  if (!error) return;
  const said = explained(error, answer.get('error_description') ?? undefined);
  for (const [name, value] of Object.entries(said)) answer.set(name, value);
  if (answer === fragment) target.hash = fragment.toString();
  ctx.set('Location', target.href);
}

function explained(error: string, description: string | undefined): Record<string, string> {
  const words = inBetterWords(error, description);
  return { error: REGISTERED[error] ?? error, ...(words !== undefined && { error_description: words }) };
}

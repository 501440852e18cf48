/**
 * The commonest errors of applications, and what the server answers to each. docs/errors.md is made from this list,
 * and test/oidc/common-errors.test.ts makes every one of them happen.
 */

export interface CommonError {
  readonly cause: string;
  readonly at: string;
  /** 'page': the person reads it; 'redirect': the application reads it at its redirect URI; else JSON. */
  readonly answer: 'page' | 'redirect' | number;
  /** Absent: the page has no code. */
  readonly error?: string;
  /** Part of the description. */
  readonly says: string;
  readonly todo: string;
}

const GRANT = { answer: 400, error: 'invalid_grant', says: 'begin a new sign-in' } as const;
const CLIENT = { answer: 401, error: 'invalid_client', says: 'compare client_id, secret or key' } as const;
const AT_TOKEN = { at: '/token' } as const;
const AT_AUTHORIZE = { at: '/authorize', answer: 'redirect' } as const;
const INVALID = { error: 'invalid_request' } as const;

export const COMMON_ERRORS = {
  'unknown-client': {
    cause: 'The client is unknown',
    ...{ at: '/authorize', answer: 'page', error: 'invalid_client', says: 'no client with this client_id' },
    todo: 'Compare `client_id` with `portico client list`. It may belong to another installation.',
  },
  'wrong-redirect-uri': {
    cause: 'The redirect URI is not registered',
    ...{ at: '/authorize', answer: 'page', error: 'invalid_redirect_uri', says: 'to the character' },
    todo: 'Register the URI that the application sends, or send the one that is registered. In development the page shows both; the audit trail has what came (`uri`).',
  },
  'no-redirect-uri': {
    cause: 'The redirect URI is missing',
    ...{ at: '/authorize', answer: 'page', ...INVALID, says: 'redirect_uri' },
    todo: 'Send `redirect_uri`, also where the client has registered only one.',
  },
  'no-pkce': {
    cause: 'PKCE is missing',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'send code_challenge and code_challenge_method=S256' },
    todo: 'Switch PKCE on in the library. Public clients must use it; with `oidc.pkce: all-clients` all must.',
  },
  'plain-pkce': {
    cause: 'PKCE is used with `plain`',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'code_challenge_method must be S256' },
    todo: 'Send the SHA-256 of the verifier, in base64url, as `code_challenge`.',
  },
  'wrong-response-type': {
    cause: 'The response type is that of the implicit or a hybrid flow',
    ...{ ...AT_AUTHORIZE, error: 'unsupported_response_type', says: 'response_type must be code' },
    todo: 'Use the code flow (`response_type=code`) with PKCE, in browsers too.',
  },
  'wrong-response-mode': {
    cause: 'The response mode does not exist',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'response_mode must be one of response_modes_supported' },
    todo: 'Leave `response_mode` out, or use one of those.',
  },
  'no-response-type': {
    cause: 'The response type is missing',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'missing required parameter' },
    todo: 'Send `response_type=code`.',
  },
  'unknown-scope': {
    cause: 'The client asks for a scope that it has not registered',
    ...{ ...AT_AUTHORIZE, error: 'invalid_scope', says: 'change its registration or ask for less' },
    todo: 'Add the scope to the client (`portico client set --scope`), or do not ask for it.',
  },
  'unknown-resource': {
    cause: 'The API (`resource`) is unknown, or not granted to the client',
    ...{ ...AT_AUTHORIZE, error: 'invalid_target', says: 'there is no such API' },
    todo: 'Compare `resource` with `portico api list`, and grant the API to the client: `portico api grant`.',
  },
  'no-openid': {
    cause: 'A parameter of OpenID Connect comes without the scope `openid`',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'openid scope must be requested' },
    todo: 'Ask for `openid`: without it there is no ID token and no userinfo.',
  },
  'prompt-none': {
    cause: 'A silent request (`prompt=none`), and no person is signed in',
    ...{ ...AT_AUTHORIZE, error: 'login_required', says: 'without prompt=none' },
    todo: 'This is no fault: begin a sign-in that the person sees. In an iframe, browsers send no cookies to another site; use refresh tokens instead.',
  },
  'wrong-prompt': {
    cause: '`prompt` has a value that does not exist',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'prompt must be none, login, consent, select_account or create' },
    todo: 'Send one of the five.',
  },
  'parameter-twice': {
    cause: 'A parameter comes twice',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'must not be provided twice' },
    todo: 'Look for a parameter that the library adds and the application too.',
  },
  'request-object': {
    cause: 'The request is a JWT (`request`), and its client has registered no keys',
    ...{ ...AT_AUTHORIZE, error: 'request_not_supported', says: 'send the parameters themselves' },
    todo: 'Register the public key in `jwks`, send plain parameters, or push them to `/par`.',
  },
  'foreign-request-uri': {
    cause: '`request_uri` is an address of the client',
    ...{ ...AT_AUTHORIZE, error: 'request_uri_not_supported', says: 'must come from /par' },
    todo: 'Push the request to `/par`, and send the `request_uri` of the reply.',
  },
  'foreign-id-token-hint': {
    cause: '`id_token_hint` is of another server or client',
    ...{ ...AT_AUTHORIZE, ...INVALID, says: 'that this server gave to this client' },
    todo: 'Send the last ID token of this client, or none. An expired one is accepted.',
  },
  'wrong-client-type': {
    cause: 'The client may not use the response type or grant type',
    ...{ ...AT_AUTHORIZE, error: 'unauthorized_client', says: 'the client may not use' },
    todo: 'Register the grant type of the flow that the client uses (`portico client set --grant`).',
  },
  'no-client-at-token': {
    cause: 'The client does not say who it is',
    ...{ ...AT_TOKEN, answer: 400, ...INVALID, says: 'name the client' },
    todo: 'Send `client_id` in the form (public clients), or the credentials (confidential ones).',
  },
  'wrong-secret': {
    cause: 'The secret is wrong',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'Compare the secret without printing it: `portico client rotate-secret` makes a new one. In the header, both parts are form-encoded before base64 (RFC 6749, 2.3.1).',
  },
  'unknown-client-at-token': {
    cause: 'The client is unknown',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'As for a wrong secret: the answer does not say which of the two it is; the audit trail does.',
  },
  'public-with-secret': {
    cause: 'A public client sends a secret',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'Send `client_id` alone in the form (`token_endpoint_auth_method: none`), or register the client with a secret.',
  },
  'no-secret': {
    cause: 'A confidential client sends no secret',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'Send the secret as `token_endpoint_auth_method` says. An application in a browser has none: register it as public.',
  },
  'two-secrets': {
    cause: 'The secret comes in the header and in the form',
    ...{ ...AT_TOKEN, answer: 400, ...INVALID, says: 'only be provided using one mechanism' },
    todo: 'Choose one of the two in the library.',
  },
  'wrong-audience-in-assertion': {
    cause: 'A client assertion is for another issuer (also: http for https)',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'Set `aud` to the issuer as the discovery document has it, to the character.',
  },
  'assertion-clock': {
    cause: 'A client assertion has expired (also: the clock of the client is wrong)',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'Set the clock by NTP; make an assertion for each request, valid for a minute. Five seconds are tolerated.',
  },
  'assertion-key': {
    cause: 'A client assertion is signed with a key that is not registered (unknown `kid`)',
    ...{ ...AT_TOKEN, ...CLIENT },
    todo: 'Register the public key in `jwks`, or publish it under `jwks_uri` before it signs.',
  },
  'json-at-token': {
    cause: 'The request is JSON, not a form',
    ...{ ...AT_TOKEN, answer: 400, ...INVALID, says: 'only application/x-www-form-urlencoded' },
    todo: 'Send a form, with its `Content-Type`.',
  },
  'get-at-token': {
    cause: 'The request is a GET',
    ...{ ...AT_TOKEN, answer: 405, ...INVALID, says: 'the header Allow names' },
    todo: 'Send a POST with a form. A redirect from http to https also turns a POST into a GET: use the https address.',
  },
  'no-grant-type': {
    cause: 'The grant type is missing',
    ...{ ...AT_TOKEN, answer: 400, ...INVALID, says: 'missing required parameter' },
    todo: 'Send `grant_type` in the form; parameters in the query are not read.',
  },
  'wrong-grant-type': {
    cause: 'The grant type does not exist here (`password`)',
    ...{ ...AT_TOKEN, answer: 400, error: 'unsupported_grant_type', says: 'grant_types_supported' },
    todo: 'Use the code flow. There is no password grant.',
  },
  'grant-type-not-registered': {
    cause: 'The client has not registered the grant type',
    ...{ ...AT_TOKEN, answer: 400, error: 'unauthorized_client', says: 'may not use the grant type' },
    todo: 'Add it to `grant_types` of the client.',
  },
  'code-twice': {
    cause: 'A code is redeemed twice',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Redeem the code once: look for a callback that runs twice (reload, React StrictMode, two workers).',
  },
  'unknown-code': {
    cause: 'A code is unknown or has expired',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Redeem the code at once: it lives 60 seconds. The audit trail tells expired from unknown and used.',
  },
  'wrong-verifier': {
    cause: 'The PKCE verifier is not that of the request',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Keep one verifier for each request. Two tabs or two nodes of an application often overwrite it.',
  },
  'no-verifier': {
    cause: 'The PKCE verifier is missing',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Send `code_verifier` where `code_challenge` was sent.',
  },
  'other-redirect-uri': {
    cause: 'The redirect URI is another one than at /authorize',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Send the same `redirect_uri` in both requests.',
  },
  'refresh-of-another': {
    cause: 'A refresh token of another client',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Refresh with the client that got the token; a new `client_id` needs a new sign-in.',
  },
  'refresh-adds-scope': {
    cause: 'A refresh asks for more scopes',
    ...{ ...AT_TOKEN, answer: 400, error: 'invalid_scope', says: 'a refresh cannot add a scope' },
    todo: 'Ask for the scope in a new authorization request.',
  },
  'dpop-twice': {
    cause: 'A DPoP proof is used twice',
    ...{ ...AT_TOKEN, answer: 400, error: 'invalid_dpop_proof', says: 'a jti of its own for each request' },
    todo: 'Make a proof for each request, also for a retry.',
  },
  'dpop-elsewhere': {
    cause: 'A DPoP proof names another URL (also: http for https)',
    ...{ ...AT_TOKEN, answer: 400, error: 'invalid_dpop_proof', says: 'htu of the DPoP proof must be' },
    todo: 'Set `htu` to the endpoint as the discovery document has it, not to the address behind a proxy.',
  },
  'dpop-clock': {
    cause: 'A DPoP proof is too old (also: the clock of the client is wrong)',
    ...{ ...AT_TOKEN, answer: 400, error: 'invalid_dpop_proof', says: 'set the clock of the client' },
    todo: 'Set the clock by NTP; make a proof for each request. Five minutes are tolerated.',
  },
  'no-dpop': {
    cause: 'A client with `dpop_bound_access_tokens` sends no DPoP proof',
    ...{ ...AT_TOKEN, ...GRANT },
    todo: 'Switch DPoP on in the library, or the setting of the client off.',
  },
  'too-large': {
    cause: 'The body is too large',
    ...{ ...AT_TOKEN, answer: 413, ...INVALID, says: '56 kB' },
    todo: 'Send less: a long `state` or `claims` belongs in the session of the application.',
  },
  'pushed-twice': {
    cause: 'A pushed request has expired, or was used',
    ...{ at: '/authorize', answer: 'page', error: 'invalid_request_uri', says: 'push the request again' },
    todo: 'Push a request for each sign-in, right before the redirect. Back and reload need a new one.',
  },
  'wrong-access-token': {
    cause: 'The access token is unknown, expired or revoked',
    ...{ at: '/userinfo', answer: 401, error: 'invalid_token', says: 'refresh it, or sign in again' },
    todo: 'Refresh the token. A token for an API (`aud`) is not for userinfo either.',
  },
  'introspection-without-client': {
    cause: 'An API introspects without its own credentials',
    ...{ at: '/introspect', answer: 400, ...INVALID, says: 'name the client' },
    todo: 'Send the id and secret of the API (`portico api set --new-secret`), or those of a client. For a token that it may not ask about the answer is `{"active": false}`.',
  },
  'device-not-registered': {
    cause: 'A client that has not registered the device flow',
    ...{ at: '/device_authorization', answer: 400, error: 'unauthorized_client', says: 'may not use' },
    todo: 'Add `urn:ietf:params:oauth:grant-type:device_code` to `grant_types` of the client.',
  },
  'wrong-user-code': {
    cause: 'The person enters a user code that is wrong',
    ...{ at: '/device', answer: 'page', says: 'We do not know this code.' },
    todo: 'The person reads it again. The code has eight letters and no vowels.',
  },
  'post-logout-uri': {
    cause: '`post_logout_redirect_uri` is not registered',
    ...{ at: '/logout', answer: 'page', ...INVALID, says: 'to the character' },
    todo: 'Register it (`post_logout_redirect_uris`). In development the page shows both.',
  },
  'foreign-logout-hint': {
    cause: '`id_token_hint` is no ID token of this server',
    ...{ at: '/logout', answer: 'page', ...INVALID, says: 'must be an ID token of this server' },
    todo: 'Send the ID token itself, not the access token, or send `client_id` instead: the person is asked then.',
  },
} as const satisfies Readonly<Record<string, CommonError>>;

/** The chapter of docs/errors.md. */
export function describeCommonErrors(): string {
  const rows = Object.values<CommonError>(COMMON_ERRORS).map(
    ({ cause, at, answer, error, says, todo }) =>
      `| ${cause} | \`${at}\` | ${inWords(answer)}${error === undefined ? '' : ` \`${error}\``} | ${says} | ${todo} |`,
  );
  return [
    '## Which error means what',
    '',
    'The commonest errors of applications that sign people in by OpenID Connect. The answer is JSON with its status, a redirect to the application, or a page where no application can be told. Some answers are the same for several causes, so that an attacker learns nothing from them; `portico audit list` has the reason.',
    '',
    '| Cause | At | Answer | It says | What to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function inWords(answer: CommonError['answer']): string {
  return typeof answer === 'number' ? String(answer) : `a ${answer}`.replace('a redirect', 'redirect');
}

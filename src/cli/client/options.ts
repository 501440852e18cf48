/** What a client can be given on the command line: one table for `client create` and `client set`. */
import { Option } from 'commander';
import { changedMembers, FACTORS, oneOf } from '../options.ts';
import { certificateInFile, keysInFile } from './key-files.ts';
import {
  asMembers,
  type ClientOption,
  certificateSubject,
  choice,
  claimEntry,
  credential,
  encryption,
  filled,
  flag,
  list,
  type Members,
  text,
} from './option-kinds.ts';

/** Options as Commander read them. */
export type Given = Readonly<Record<string, unknown>>;

const TABLE: readonly ClientOption[] = [
  text('--name <name>', 'client_name', 'what people read at consent'),
  list('--redirect-uri <uri>', 'redirect_uris', 'exact; may be given again'),
  list(
    '--logout-uri <uri>',
    'post_logout_redirect_uris',
    'where people go after signing out; may be given again',
  ),
  text(
    '--backchannel-logout-uri <uri>',
    'backchannel_logout_uri',
    'where it is told that a session has ended',
  ),
  flag(
    '--backchannel-logout-session',
    'its ID and logout tokens name the session (sid), so that a sign-out ends one session and not all',
    (named) => ({ backchannel_logout_session_required: named ? true : undefined }),
  ),
  {
    ...list(
      '--grant <type>',
      'grant_types',
      'grant type; may be given again (new: authorization_code refresh_token)',
    ),
    change(value) {
      const grants = filled(value);
      return { grant_types: grants, response_types: grants.includes('authorization_code') ? ['code'] : [] };
    },
  },
  text('--scope <scopes>', 'scope', 'scopes that it may ask for, in one text'),
  text('--default-scope <scopes>', 'default_scope', 'what a request without scope asks for'),
  flag('--native', 'a mobile or desktop application: any port on a loopback redirect URI', (native) => ({
    application_type: native ? 'native' : 'web',
  })),
  flag(
    '--secret-in-body',
    'sends its secret in the body instead of the Authorization header',
    (inBody, { token_endpoint_auth_method: method }) => {
      if (inBody) return { token_endpoint_auth_method: 'client_secret_post' };
      return { token_endpoint_auth_method: method === 'client_secret_post' ? 'client_secret_basic' : method };
    },
  ),
  flag(
    '--public',
    'has no secret: browser and mobile applications',
    (isPublic, { token_endpoint_auth_method: method }) => {
      if (isPublic) return { token_endpoint_auth_method: 'none' };
      return { token_endpoint_auth_method: method === 'none' ? 'client_secret_basic' : method };
    },
  ),
  {
    option: oneOf(
      '--profile <fapi2|none>',
      'security profile, which sets all else that it asks for: see docs/fapi2.md',
    ),
    change: (profile, { id_token_signed_response_alg: alg }) =>
      profile === 'none'
        ? { profile: undefined }
        : { profile, id_token_signed_response_alg: alg === 'RS256' ? 'ES256' : alg },
  },
  credential(
    '--jwks-file <file>',
    'public keys with which it signs assertions (private_key_jwt)',
    (file) => ({
      jwks: keysInFile(file),
      token_endpoint_auth_method: 'private_key_jwt',
    }),
  ),
  credential('--jwks-uri <url>', 'where the server fetches these keys', (jwks_uri) => ({
    jwks_uri,
    token_endpoint_auth_method: 'private_key_jwt',
  })),
  credential(
    '--certificate-file <pem>',
    'certificate that it signed itself (self_signed_tls_client_auth)',
    (file) => ({
      jwks: certificateInFile(file),
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
    }),
  ),
  credential(
    '--certificate-subject <name=value>',
    'whose certificate of an authority it is (tls_client_auth): san_dns, san_uri, san_ip, san_email or subject_dn',
    (value) => ({ ...certificateSubject(value), token_endpoint_auth_method: 'tls_client_auth' }),
  ),
  flag('--certificate-bound', 'its access tokens are bound to its certificate', (bound) => ({
    tls_client_certificate_bound_access_tokens: bound || undefined,
    dpop_bound_access_tokens: undefined,
  })),
  flag('--first-party', 'your own: people are not asked for consent', (first_party) => ({ first_party })),
  {
    option: new Option(
      '--organizations <ids>',
      'whose people sign in to it besides, in one text with blanks; all: everyone’s',
    ),
    change(value) {
      const ids = filled(String(value).split(/[\s,]+/));
      if (value === 'all') return { organizations: value };
      return { organizations: ids.length === 0 ? undefined : ids };
    },
  },
  choice(
    '--choose-organization <email|list|inherit>',
    'choose_organization',
    'how people of several organizations say theirs (inherit: email)',
  ),
  flag('--all-organizations', 'introspects and revokes in every organization', (all_organizations) => ({
    all_organizations,
  })),
  list('--introspects <client>', 'introspects', 'whose tokens it may look at; may be given again'),
  list('--revokes <client>', 'revokes', 'whose tokens it may revoke; may be given again'),
  {
    ...list(
      '--exchanges <dialect or API>',
      'exchanges',
      'whose tokens it may exchange for its own: the name of a dialect, or the identifier of an API; may be given again',
    ),
    change: (value) => ({ exchanges: filled(value).length > 0 ? filled(value) : undefined }),
  },
  {
    ...list(
      '--exchanges-to <dialect>',
      'exchanges_to',
      'for whose tokens it may exchange its own, which is a downgrade; may be given again',
    ),
    change: (value) => ({ exchanges_to: filled(value).length > 0 ? filled(value) : undefined }),
  },
  flag('--exchanges-offline', 'gets a refresh token for a dialect’s token too', (exchanges_offline) => ({
    exchanges_offline: exchanges_offline ? true : undefined,
  })),
  flag('--ends-parent', 'ending what it exchanged ends the sign-in that the token was of', (ends_parent) => ({
    ends_parent: ends_parent ? true : undefined,
  })),
  choice(
    '--id-token-alg <RS256|ES256|inherit>',
    'id_token_signed_response_alg',
    'what signs its ID tokens (inherit: oidc.idTokenAlgorithm)',
  ),
  choice(
    '--subject-type <public|pairwise|inherit>',
    'subject_type',
    'pairwise: a subject of its own for each person (inherit: public)',
  ),
  text(
    '--sector-uri <uri>',
    'sector_identifier_uri',
    'JSON list of redirect URIs that share pairwise subjects',
  ),
  choice(
    '--userinfo-alg <RS256|ES256|inherit>',
    'userinfo_signed_response_alg',
    'what signs userinfo (inherit: plain JSON)',
  ),
  choice(
    '--introspection-alg <RS256|ES256|inherit>',
    'introspection_signed_response_alg',
    'what signs introspection where the client asks for a JWT (inherit: RS256)',
  ),
  choice(
    '--answer-alg <RS256|ES256|inherit>',
    'authorization_signed_response_alg',
    'what signs answers of the response modes with jwt (inherit: RS256)',
  ),
  {
    option: new Option(
      '--encrypt <answer=alg>',
      'encrypts id_token, userinfo or introspection, such as id_token=ECDH-ES+A256KW/A256GCM; may be given again; <answer>=null takes it away',
    ).argParser(encryption),
    change: (value) => asMembers(value),
  },
  text('--keys-uri <uri>', 'jwks_uri', 'public keys for --encrypt and --request-alg, beside its secret'),
  text('--request-alg <alg>', 'request_object_signing_alg', 'the only algorithm of its request objects'),
  flag(
    '--require-signed-requests',
    'the server refuses authorization requests of it that are not signed',
    (signed) => ({
      require_signed_request_object: signed ? true : undefined,
    }),
  ),
  {
    ...list(
      '--allowed-origin <origin>',
      'allowed_origins',
      'web origin that may read answers to it, such as capacitor://localhost; may be given again',
    ),
    change: (value) => ({ allowed_origins: filled(value).length > 0 ? filled(value) : undefined }),
  },
  flag('--id-token-claims', 'claims of the granted scopes stand in the ID token too', (whole) => ({
    id_token_claims: whole ? true : undefined,
  })),
  {
    option: new Option(
      '--claim <name=member>',
      'claim that shows a member of the account, such as upn=email; may be given again; <name>=null takes it away',
    ).argParser(claimEntry),
    change: (value, { claims }) => ({ claims: changedMembers(asMembers(claims), asMembers(value)) }),
  },
  choice(
    '--refresh-rotation <on|off|inherit>',
    'rotate_refresh_tokens',
    'is each refresh token good for one use (inherit: on)',
    { on: true, off: false },
  ),
  choice('--registration <on|off|inherit>', 'registration', 'may people open accounts on the way to it', {
    on: true,
    off: false,
  }),
  choice('--sign-in <password|name-first|inherit>', 'sign_in', 'what its sign-in begins with'),
  {
    option: FACTORS,
    change: (value, { factors }) => ({ factors: changedMembers(asMembers(factors), asMembers(value)) }),
  },
];

export const CREATE_OPTIONS = TABLE.map(({ option }) => option);
export const SET_OPTIONS = TABLE.flatMap(({ option, negation }) =>
  negation ? [option, negation] : [option],
);

/** The client with what was given laid over it. */
export function withOptions(client: Members, given: Given): Members {
  let present = client;
  for (const { option, change } of TABLE) {
    const value = given[option.attributeName()];
    if (value !== undefined) present = { ...present, ...change(value, present) };
  }
  return present;
}

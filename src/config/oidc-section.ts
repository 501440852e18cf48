/** The settings under `oidc`. */
import { z } from 'zod';
import { issueOfRolesAlias } from '../model/claim-mapping.ts';
import { DEVICE_CODE } from '../model/client.ts';
import { because, count, duration, key, section, text } from './kinds.ts';

/** As it stands in a URL, which it is compared with. */
const issueOfHost = (value: string) =>
  URL.parse(`https://${value}/`)?.host === value
    ? undefined
    : 'must be a host as a URL has it, such as claude.ai: in lower case, without scheme and path';

export const oidc = section('The OAuth 2 / OpenID Connect server.', {
  lifetimes: section('How long things live.', {
    authorizationCode: key(duration.default(60), 'Authorization code; at most 60 s (RFC 9700).'),
    accessToken: key(duration.default(3600), 'Access token of an OIDC client.'),
    idToken: key(duration.default(3600), 'ID token.'),
    refreshToken: key(duration.default(30 * 86_400), 'Refresh token, from its last rotation.'),
    grant: key(
      duration.default(60 * 86_400),
      'Grant; at least as long as the refresh token, which dies with it.',
    ),
    consent: key(
      duration.default(365 * 86_400),
      'How long it is remembered what a person has allowed an app, from the last time; see oidc.rememberConsent.',
    ),
    interaction: key(duration.default(3600), 'Time a person has to finish signing in.'),
    clientCredentials: key(duration.default(600), 'Access token of the client credentials grant.'),
    deviceCode: key(duration.default(600), 'Device code.'),
  }),
  rememberConsent: key(
    z.enum(['account', 'session']).default('account'),
    'Where it is remembered what a person has allowed an app that is not first-party: with the account, so that it is not asked again in any browser until the person ends it on my account; or in the browser session alone.',
  ),
  deviceInterval: key(
    z.union([z.literal(0), duration]).default(5),
    'How often a device that waits for a person may ask for its tokens; faster ones hear slow_down (RFC 8628). 0: as often as they like.',
  ),
  refreshReuse: section('Rotation of refresh tokens.', {
    policy: key(
      z.literal('replay').default('replay'),
      'A refresh token that is used again within the leeway gets the one successor again; later use ends the family.',
    ),
    leeway: key(duration.default(10), 'How long a retry counts as a retry.'),
  }),
  backchannelLogout: section(
    'How clients with a backchannel_logout_uri are told that a session has ended (docs/back-channel-logout.md).',
    {
      concurrency: key(
        count.default(32),
        'How many logouts one process sends at once; one client gets a quarter of them at most.',
      ),
      timeout: key(z.int().min(1).max(5).default(5), 'Seconds that a client has to answer.'),
      maximumAge: key(
        duration.default(86_400),
        'How long the server tries again, first after seconds, then hourly. After that: portico logout retry.',
      ),
    },
  ),
  pkce: key(
    z.enum(['public-clients', 'all-clients']).default('public-clients'),
    'Who must use PKCE (S256): public clients, or every client. A client that uses it is held to it in any case. OpenID Connect 1.0 knows confidential clients without it; ask all-clients when you have none of those.',
  ),
  idTokenAlgorithm: key(
    z.enum(['RS256', 'ES256']).default('RS256'),
    'What signs the ID tokens of clients that register no id_token_signed_response_alg. OpenID Connect says RS256, and many libraries take nothing else; ES256 keeps what older versions of Portico did.',
  ),
  rolesAliases: key(
    z.array(because(issueOfRolesAlias)).default([]),
    'Further names of the claim roles, such as groups. The scope roles gives all of them; each is a scope too, which gives it alone.',
  ),
  clientIdMetadataDocuments: section(
    'Clients that no operator registered, named by the https URL of a document about them (docs/mcp.md).',
    {
      hosts: key(
        z.union([z.literal('any'), z.array(because(issueOfHost))]).default([]),
        'Hosts whose documents count, such as claude.ai (with the port where it is not 443), or any. Empty: such clients are refused.',
      ),
      organization: key(text.optional(), 'The organization whose people sign in to them.'),
      scopes: key(
        z
          .array(
            z.enum([
              'openid',
              'offline_access',
              'profile',
              'email',
              'phone',
              'address',
              'organization',
              'roles',
            ]),
          )
          .default(['openid', 'offline_access']),
        'Scopes of signing in that they may ask for. Scopes of APIs: those with `unregistered` (docs/apis.md).',
      ),
    },
  ),
  registration: section('Clients that register themselves (RFC 7591, docs/registration.md).', {
    mode: key(
      z.enum(['off', 'token', 'open']).default('off'),
      'off: operators register clients. token: a client registers with an initial access token (portico client registration-token). open: any client registers.',
    ),
    organization: key(
      text.optional(),
      'The organization of registered clients, where their initial access token names none. Required where registration is open.',
    ),
    grantTypes: key(
      z
        .array(z.enum(['authorization_code', 'refresh_token', 'client_credentials', DEVICE_CODE]))
        .default(['authorization_code', 'refresh_token']),
      'Grant types that a client may register.',
    ),
    scopes: key(
      z.array(text).min(1, 'must name a scope').default(['openid', 'profile', 'email', 'offline_access']),
      'OpenID Connect scopes that a client may register. Scopes of APIs: those with `unregistered` (docs/apis.md).',
    ),
    unusedAfter: key(
      duration.default(90 * 86_400),
      'How long after its last use (its registration, a sign-in, a token) a registered client ends.',
    ),
    most: key(count.default(1000), 'How many registered clients there may be at once.'),
  }),
  resources: key(
    z
      .array(
        z.strictObject({
          identifier: because((value) =>
            URL.canParse(value) && !value.includes('#') ? undefined : 'must be an absolute URI without #',
          ),
          scopes: z.array(text).min(1, 'must name a scope'),
          format: z.enum(['jwt', 'opaque']).default('jwt'),
          algorithm: z.enum(['ES256', 'RS256']).default('ES256'),
          lifetime: duration.optional(),
          organization: text.optional(),
          open: z.boolean().default(false),
        }),
      )
      .default([]),
    'APIs that clients may ask access tokens for (RFC 8707): identifier (the audience), scopes, format of the token (jwt or opaque), the algorithm of JWTs (ES256 or RS256), its lifetime, the one organization that may ask, and whether every client may ask (open); without open, clients that were granted it (docs/apis.md).',
  ),
});

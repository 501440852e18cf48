/**
 * Every setting of Portico in one zod schema: its type, its default, and the sentence that
 * docs/configuration.md shows. load.ts reads the layers and reports what is wrong; rules.ts holds what
 * depends on more than one key. A key marked `secret` never appears in a message, in the log or in
 * `portico config check`.
 */
import { z } from 'zod';
import { issueOfRolesAlias } from '../model/claim-mapping.ts';
import { DEVICE_CODE } from '../model/client.ts';
import {
  because,
  count,
  duration,
  headerName,
  issueOfIssuer,
  KEY_TEXT,
  key,
  origin,
  port,
  proxy,
  section,
  table,
  text,
  urlOf,
  webPage,
} from './kinds.ts';

const budget = (what: string, most: number, window: number, about: string) =>
  section(about, {
    limit: key(count.default(most), what),
    window: key(duration.default(window), 'Length of the sliding window.'),
  });

/** As it stands in a URL, which it is compared with. */
const issueOfHost = (value: string) =>
  URL.parse(`https://${value}/`)?.host === value
    ? undefined
    : 'must be a host as a URL has it, such as claude.ai: in small letters, without scheme and path';

const limit = budget.bind(undefined, 'Failures that are allowed in the window.');
/** A budget of what unauthenticated clients make the server store. */
const keeps = budget.bind(undefined, 'How many in the window.');

const redisServers = z.array(urlOf('redis', 'rediss')).min(1, 'must name at least one');

const http = section('Listening.', {
  host: key(text.default('127.0.0.1'), 'Address to listen on; 0.0.0.0 for all.'),
  port: key(port.default(3000), 'Port to listen on; 0 takes a free one.'),
  trustedProxies: key(
    z.array(proxy).default([]),
    'Addresses or ranges of the proxies whose X-Forwarded-* headers are believed. Everyone else’s are ignored. Production refuses ranges wider than an IPv4 /8 or an IPv6 /16.',
  ),
  clientCertificate: section(
    'TLS certificates of clients (RFC 8705), which a proxy of http.trustedProxies asks for and passes on. docs/fapi2.md shows it with nginx.',
    {
      header: key(
        headerName.nullable().default(null),
        'Header with the certificate, as RFC 9440 (Client-Cert) or as PEM with percent signs ($ssl_client_escaped_cert of nginx). The proxy must set or remove it in every request; from other peers it is ignored. null: certificates are not used.',
      ),
      verifiedHeader: key(
        headerName.nullable().default(null),
        'Header that has SUCCESS where an authority that the proxy knows issued the certificate ($ssl_client_verify of nginx). null: tls_client_auth is not offered.',
      ),
      origin: key(
        origin.nullable().default(null),
        'Where the proxy asks for certificates, published as mtls_endpoint_aliases; null: at the issuer.',
      ),
    },
  ),
  workers: key(z.int().min(1).max(256).default(1), 'Processes that share the port on this machine.'),
  stopDelay: key(
    z.union([z.literal(0), duration]).default(0),
    'How long a server that was told to stop goes on serving while /readyz says no, so that balancers that ask it have moved on; at most 3 s. 0 where nothing asks.',
  ),
  cors: section('The server’s general cross-origin setting; dialects may have their own.', {
    origins: key(
      z.array(origin).default([]),
      'Browser origins that may read replies, besides each client’s own.',
    ),
  }),
  hsts: section('Strict-Transport-Security, sent where the issuer is https.', {
    maxAge: key(
      z
        .union([z.literal(0), duration])
        .nullable()
        .default(730 * 86_400),
      'How long browsers insist on https. 0 tells them to forget it; null sends nothing, for a proxy that sends it.',
    ),
    includeSubDomains: key(
      z.boolean().default(false),
      'Insist on https for every host below the issuer’s too.',
    ),
  }),
  internal: section('A second listener for /metrics and the details of /readyz.', {
    host: key(text.default('127.0.0.1'), 'Address of the internal listener; keep it off the public network.'),
    port: key(port.nullable().default(null), 'Port of the internal listener; null: there is none.'),
  }),
});

const store = section('Where everything is kept.', {
  kind: key(
    z.enum(['embedded', 'distributed']).default('embedded'),
    'embedded: one SQLite file, one machine. distributed: MongoDB and Redis, any number of machines.',
  ),
  startupTimeout: key(
    duration.default(30),
    'How long a server that starts waits for MongoDB and Redis before it gives up and says which is missing.',
  ),
  embedded: section('The embedded store.', {
    file: key(text.default('data/portico.db'), 'The database file; its folder is made when absent.'),
  }),
  mongo: section('What must last: accounts, clients, grants, keys, audit.', {
    url: key(urlOf('mongodb', 'mongodb+srv').default('mongodb://127.0.0.1:27017'), 'Connection string.', {
      secret: 'url',
    }),
    database: key(text.default('portico'), 'Database name.'),
  }),
  redis: key(
    table({
      url: key(urlOf('redis', 'rediss').default('redis://127.0.0.1:6379'), 'Connection string.', {
        secret: 'url',
      }),
      sentinels: key(
        redisServers.optional(),
        'Sentinels that know which server is the primary, one URL each. Of store.redis.url then only rediss, user, password and database count.',
        { secret: 'value' },
      ),
      sentinelMaster: key(text.optional(), 'The name of the primary at the Sentinels; default: mymaster.'),
      cluster: key(
        redisServers.optional(),
        'Nodes of a Redis Cluster to begin with, one URL each; the others are found from them. Of store.redis.url then only rediss, user and password count.',
        { secret: 'value' },
      ),
      mayEvict: key(
        z.boolean().optional(),
        'Start although Redis may throw records out (a maxmemory-policy other than noeviction): used codes and counted attempts that it forgets are good again. Default: false.',
      ),
    })
      .refine(
        ({ sentinels, cluster }) => sentinels === undefined || cluster === undefined,
        'must not have both sentinels and cluster',
      )
      .prefault({}),
    'What lives shortly: sessions, codes, short-lived tokens, counters.',
  ),
});

const mail = section('Emails.', {
  kind: key(
    z.enum(['mailbox', 'smtp']).default('mailbox'),
    'mailbox: emails are kept in memory and shown at /dev/mailbox (development only). smtp: emails are sent.',
  ),
  from: key(
    text.default('Portico <no-reply@localhost>'),
    'Sender of every email. An organization with a brand puts its own name before the address.',
  ),
  smtp: section('Used when mail.kind is smtp.', {
    url: key(
      urlOf('smtp', 'smtps').default('smtp://127.0.0.1:1025'),
      'Mail server, with user and password if needed.',
      {
        secret: 'url',
      },
    ),
  }),
});

const oidc = section('The OAuth 2 / OpenID Connect server.', {
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
        'Requests at once, of one process; a quarter of them to one client.',
      ),
      timeout: key(z.int().min(1).max(5).default(5), 'Seconds that a client has to answer.'),
      maximumAge: key(
        duration.default(86_400),
        'How long it is tried again, first after seconds, then hourly; after this an operator may: portico logout retry.',
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
        'Whose documents count: hosts such as claude.ai (with the port where it is not 443), or any. Empty: such clients are unknown here.',
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
      'A registered client ends so long after it was last used: registered, signed in with, or given a token.',
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

const sessions = section('Browser sessions.', {
  idle: key(duration.default(8 * 3600), 'A browser session ends after so long without use.'),
  absolute: key(duration.default(7 * 86_400), 'It ends so long after the sign-in, however much it is used.'),
});

const keys = section('Server, cookie and signing keys.', {
  encryption: key(
    z.string().regex(KEY_TEXT, 'must be 32 bytes as base64, base64url or hex').optional(),
    'The server key, 32 bytes: tokens, codes, API keys, client secrets and signing keys are stored hashed or encrypted under it (profiles are not: docs/operations.md). `openssl rand -base64 32` makes one. Production demands it; development makes keys.encryptionFile.',
    { secret: 'value' },
  ),
  decryption: key(
    z.array(z.string().regex(KEY_TEXT, 'must be 32 bytes as base64, base64url or hex')).default([]),
    'Further server keys: they open what is stored under them, and keys.encryption alone encrypts. For changing the server key (docs/operations.md).',
    { secret: 'value' },
  ),
  encryptionFile: key(
    text.default('data/portico.key'),
    'Where development keeps the server key that it makes at the first start (mode 0600). Not read in production.',
  ),
  cookies: key(
    z.array(z.string().min(32, 'must be 32 characters or more')).default([]),
    'Keys that sign cookies; the first signs, all verify. Empty: derived from the server key.',
    { secret: 'value' },
  ),
  rotation: key(duration.default(90 * 86_400), 'How long a signing key signs.'),
  overlap: key(duration.default(86_400), 'How long a new signing key is published before it signs.'),
});

const branding = section(
  'Looks and names; an organization and a client may have their own (docs/hosted-pages.md).',
  {
    name: key(text.default('Portico'), 'Name on pages and in emails.'),
    logo: key(webPage(), 'URL of a logo.'),
    logoDark: key(webPage(), 'URL of the logo for dark schemes, where it is another one.'),
    accent: key(
      z
        .string()
        .regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #1f6f5c')
        .default('#1f6f5c'),
      'Colour of buttons and links.',
    ),
    support: key(webPage(), 'Page or form where people find help.'),
    privacy: key(webPage(), 'Privacy notice.'),
    terms: key(webPage(), 'Terms of use.'),
  },
);

/** By name; each plug-in parses its own, and load.ts judges it by the shapes that it is given. */
const plugIns = z.record(z.string(), z.record(z.string(), z.unknown()));

/** The top level, in the order of the documentation. */
export const sections = {
  environment: key(
    z.enum(['development', 'production', 'test']).default('development'),
    'Set by NODE_ENV, nowhere else.',
  ),
  issuer: key(
    because(issueOfIssuer).default('http://localhost:3000'),
    'The server’s public URL: scheme, host and port, no path. Every link and token begins with it.',
  ),
  demo: key(
    z.boolean().default(false),
    'The demo application (/demo), the mailbox page and /docs, and the demo passwords in the start block. Refused in production.',
  ),
  http,
  store,
  mail,
  federation: key(plugIns.default({}), 'Upstream identity providers.'),
  dialects: key(plugIns.default({}), 'The vendors’ sign-in APIs, by name. Each dialect has its own keys.'),
  oidc,
  attempts: section('Failed sign-ins, counted on every channel together.', {
    pair: limit(10, 900, 'One login from one client address.'),
    address: limit(100, 900, 'One client address, over all logins.'),
    login: limit(100, 3600, 'One login, over all client addresses.'),
    codes: limit(50, 86_400, 'Wrong one-time codes of one login, over all client addresses.'),
  }),
  emails: section(
    'Emails that the hosted pages send on request. All client addresses together may request four times as many to one mailbox.',
    {
      codes: keeps(5, 600, 'Sign-in codes to one mailbox that one client address may request.'),
      resets: keeps(3, 900, 'Password reset links to one mailbox that one client address may request.'),
      confirmations: keeps(
        5,
        3600,
        'Codes that confirm a registration, an email address or a deletion, to one mailbox by one client address.',
      ),
      codesPerAddress: keeps(
        100,
        900,
        'Sign-in codes that one client address may request, over all mailboxes.',
      ),
      perAddress: keeps(60, 900, 'Other emails that one client address may request, over all mailboxes.'),
    },
  ),
  strangers: section(
    'What one client address may make the server store without authentication. With more than half of Redis’ maxmemory in use the first three shrink.',
    {
      signIns: keeps(2000, 3600, 'Sign-ins that wait for a person, begun at /authorize or with an upstream.'),
      pushedRequests: keeps(2000, 3600, 'Requests that public clients push (/par).'),
      deviceCodes: keeps(600, 3600, 'Device codes of public clients (/device_authorization).'),
      clientDocuments: keeps(
        60,
        3600,
        'Documents of clients (oidc.clientIdMetadataDocuments) that one client address makes the server fetch, and documents that it fetches from one host.',
      ),
      accounts: keeps(500, 86_400, 'Accounts that people open themselves, at every place together.'),
      registrations: keeps(
        20,
        3600,
        'Clients that register themselves without a token, or change (/register).',
      ),
    },
  ),
  passwords: section('New passwords.', {
    minimum: key(
      z.int().min(8).max(64).default(12),
      'Shortest password that the hosted pages take, in characters.',
    ),
    blocklist: key(z.array(text).default([]), 'Refused as passwords, besides the built-in list and names.'),
  }),
  hashing: section('Work for password hashes.', {
    queue: key(z.int().min(0).default(256), 'Password checks that may wait; past it sign-in answers 503.'),
    concurrency: key(count.optional(), 'Password checks that run at once; default: the number of cores.'),
  }),
  sessions,
  keys,
  outbound: section('Requests that the server makes.', {
    allowPrivate: key(
      z.boolean().default(false),
      'Let URLs that clients register (jwks_uri, backchannel_logout_uri) lead to private networks. Refused in production.',
    ),
  }),
  branding,
  audit: section('The audit trail, kept in the store.', {
    log: key(z.boolean().default(true), 'Also write every audit record to the log.'),
    retention: key(
      duration.nullable().default(400 * 86_400),
      'Records older than this are removed; null: none ever is.',
    ),
  }),
  log: section('The log: one JSON object a line, on standard output.', {
    level: key(
      z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      'Least important line that is written.',
    ),
  }),
  seed: key(
    z.array(text).default([]),
    'Files in the seed format, loaded at start when not yet loaded. Looked for beside the configuration file that names them, then from the working directory.',
  ),
} as const;

export const configSchema = z.strictObject(sections);

/** The configuration as the rest of Portico sees it. Durations are whole seconds. */
export type Config = z.output<typeof configSchema>;

/** What a configuration file may say. */
export type ConfigInput = z.input<typeof configSchema>;

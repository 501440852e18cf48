/**
 * Every setting of Portico in one zod schema: its type, its default, and the sentence that
 * docs/configuration.md shows. load.ts reads the layers and reports what is wrong; rules.ts holds what
 * depends on more than one key. A key marked `secret` never appears in a message, in the log or in
 * `portico config check`.
 */

import { z } from 'zod';
import { importedHashes } from './imported-hashes.ts';
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
  text,
  urlOf,
  webPage,
} from './kinds.ts';
import { oidc } from './oidc-section.ts';
import { store } from './store-section.ts';

const budget = (what: string, most: number, window: number, about: string) =>
  section(about, {
    limit: key(count.default(most), what),
    window: key(duration.default(window), 'Length of the sliding window.'),
  });

const limit = budget.bind(undefined, 'Failures that are allowed in the window.');
/** A budget of what unauthenticated clients make the server store. */
const keeps = budget.bind(undefined, 'How many in the window.');

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
    'Further server keys: they decrypt what is stored under them; keys.encryption alone encrypts. For changing the server key (docs/operations.md).',
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
      pushedRequests: keeps(
        2000,
        3600,
        'Requests pushed to /par by public clients and by clients that no operator registered, and the client assertions of the latter.',
      ),
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
    imported: importedHashes,
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
  usage: section('Who calls the dialects, by day, in numbers.', {
    retention: key(duration.default(90 * 86_400), 'Days that are older than this are removed.'),
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

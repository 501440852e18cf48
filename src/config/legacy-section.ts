/**
 * `dialects.<name>.legacy`: the system that answered the vendor's API before Portico, and what may be done with it.
 * The same for every dialect whose API is read backwards. Where passwords go is said here and nowhere else.
 */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { parse } from 'yaml';
import { z } from 'zod';
import { systemClock } from '../core/clock.ts';
import { because, count, duration, key, table, text, upstreamIssuer } from './kinds.ts';

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;

/** A duration that may be shorter than a second. Read as milliseconds. */
const shortDuration = z.union(
  [
    z
      .int()
      .positive()
      .transform((seconds) => seconds * 1000),
    z
      .string()
      .regex(/^[1-9]\d{0,6}(?:ms|s|m|h)$/)
      .transform((written) => {
        const unit = written.replace(/\d+/, '') as keyof typeof SECONDS;
        return Math.round(Number.parseInt(written, 10) * SECONDS[unit] * 1000);
      }),
  ],
  { error: 'must be a duration: whole seconds above 0, or a number with ms, s, m or h, such as 500ms, 3s' },
);

/** '50/1s': so many calls in any stretch of that time. */
const rate = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,4}[smh]$/, 'must be a number and a duration, such as 50/1s')
  .transform((written) => {
    const [limit = '', window = ''] = written.split('/');
    const seconds = SECONDS[window.slice(-1) as 's' | 'm' | 'h'];
    return { limit: Number(limit), milliseconds: Number.parseInt(window, 10) * seconds * 1000 };
  });

/** What a legacy system is never looked for at: where clouds answer a machine about itself. */
export function isLinkLocal(address: string): boolean {
  return (
    /^(?:::ffff:)?169\.254\./i.test(address) || /^fe[89ab]/i.test(address) || /^::ffff:a9fe:/i.test(address)
  );
}

const LINK_LOCAL = 'must not be a link-local address (169.254.0.0/16, fe80::/10)';

const url = because((value) => {
  if (!URL.canParse(value)) return 'must be a URL such as https://api.vendor.example';
  const { hostname, origin, username, password } = new URL(value);
  if (username !== '' || password !== '') return 'must not contain a user or a password';
  if (isLinkLocal(hostname.replace(/^\[|\]$/g, ''))) return LINK_LOCAL;
  const issue = upstreamIssuer.safeParse(value).error?.issues[0]?.message;
  if (issue !== undefined) return issue;
  return origin === value
    ? undefined
    : `must be written as ${origin}: the path is dialects.<name>.legacy.base`;
});

/** '203.0.113.9', '203.0.113.9:8443', '[2001:db8::9]:443'. */
const ADDRESS = /^(?:\[([\da-f:.]+)\]|([\d.]+)|([\da-f:.]+))(?::(\d{1,5}))?$/i;

const address = z
  .string()
  .check((context) => {
    const [, bracketed, v4, bare, port = '443'] = ADDRESS.exec(context.value) ?? [];
    const ip = bracketed ?? v4 ?? bare ?? '';
    const fits = isIP(ip) !== 0 && Number(port) > 0 && Number(port) <= 65_535;
    const message = !fits
      ? 'must be an IP address, with a port or without, such as 203.0.113.9:443'
      : isLinkLocal(ip)
        ? LINK_LOCAL
        : undefined;
    if (message) context.issues.push({ code: 'custom', message, input: context.value });
  })
  .transform((value) => {
    const [, bracketed, v4, bare, port] = ADDRESS.exec(value) ?? [];
    return { ip: bracketed ?? v4 ?? bare ?? '', port: port === undefined ? undefined : Number(port) };
  });

const certificates = because((value) => {
  try {
    return new X509Certificate(value).ca ? undefined : 'must be the certificate of an authority';
  } catch {
    return 'must be certificates as PEM';
  }
});

/** Headers that a call has of its own. */
const OWN_HEADERS =
  /^(?:accept-encoding|connection|content-.*|host|keep-alive|te|trailer|transfer-encoding|upgrade|via|expect|x-forwarded-.*)$/i;

const headersIn = (written: string): unknown => {
  try {
    return parse(written);
  } catch {
    return undefined;
  }
};

const headersSchema = z.record(
  z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/),
  z.string().regex(/^[\t\x20-\x7e]*$/),
);

const headers = because((value) => {
  const parsed = headersSchema.safeParse(headersIn(value));
  if (!parsed.success) return 'must be a table of header names and texts, as YAML or JSON';
  const own = Object.keys(parsed.data).find((name) => OWN_HEADERS.test(name));
  return own === undefined ? undefined : `must not name ${own}, which each call has of its own`;
}).transform((value) => headersSchema.parse(headersIn(value)));

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

const jwks = because((value) =>
  jwksSchema.safeParse(headersIn(value)).success ? undefined : 'must be a JSON Web Key Set with a key in it',
).transform((value) => jwksSchema.parse(headersIn(value)));

const secret = z.string().refine((value) => Buffer.byteLength(value) >= 32, 'must be 32 bytes or more');

const until = z.iso
  .date('must be a day such as 2027-03-31')
  .refine((day) => Date.parse(day) > systemClock.now().getTime(), 'must not be in the past');

/** Judged although another key has an issue, so that one run reports everything. */
const always = { when: () => true };

type Keys = { jwksUrl?: unknown; jwks?: unknown; secret?: unknown; algorithms?: unknown; ask?: unknown };

const namesHmac = ({ algorithms }: Keys) =>
  Array.isArray(algorithms) && algorithms.some((one) => /^HS/.test(one));
const hasPublicKey = ({ jwksUrl, jwks: set }: Keys) => jwksUrl !== undefined || set !== undefined;

const tokens = table({
  ask: key(
    z.enum(['always', 'never']).default('always'),
    'always: the legacy system is asked about each token that it made. never: the signature alone decides, for a legacy system that is off already; what was revoked there lives until it ends.',
  ),
  jwksUrl: key(upstreamIssuer.optional(), 'Where the legacy system publishes the keys of its tokens.'),
  jwks: key(jwks.optional(), 'The keys themselves (jwksFile).'),
  secret: key(secret.optional(), 'The shared secret of its HS256 tokens, 32 bytes or more (secretFile).', {
    secret: 'value',
  }),
  algorithms: key(
    z
      .array(
        z.enum(
          ['ES256', 'ES384', 'ES512', 'EdDSA', 'HS256', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'],
          {
            error: 'must be an algorithm that signs (ES256, RS256, HS256 and their kin), never none',
          },
        ),
      )
      .default([]),
    'Algorithms that its tokens are signed with; no other is believed.',
  ),
  issuer: key(text.optional(), 'iss that its tokens must have.'),
  audience: key(text.optional(), 'aud that its tokens must have.'),
  subject: key(
    z.string().regex(/^\//, 'must be a JSON pointer such as /sub').default('/sub'),
    'Where in a token the person’s vendor id stands, as a JSON pointer.',
  ),
  lifetime: key(duration.default(86_400), 'How long an adopted token lives that tells no end.'),
  maximum: key(duration.default(31 * 86_400), 'The longest that an adopted token lives.'),
  recheck: key(duration.default(900), 'How often the legacy system is asked again about an adopted token.'),
  until: key(until.optional(), 'The day on which all adopted tokens end.'),
})
  .refine((keys: Keys) => keys.ask !== 'never' || hasPublicKey(keys) || keys.secret !== undefined, {
    ...{
      message: 'must be always where there is no key: set jwksUrl, jwksFile or secretFile',
      path: ['ask'],
    },
    ...always,
  })
  .refine((keys: Keys) => !(namesHmac(keys) && hasPublicKey(keys)), {
    ...{ message: 'must not hold HS256 beside a JWKS: a public key would be taken for the secret' },
    ...{ path: ['algorithms'], ...always },
  })
  .refine((keys: Keys) => keys.secret === undefined || namesHmac(keys), {
    ...{ message: 'must hold HS256 where secretFile is set', path: ['algorithms'] },
    ...always,
  })
  .refine((keys: Keys) => !namesHmac(keys) || keys.secret !== undefined, {
    ...{ message: 'must be set where algorithms holds HS256', path: ['secret'] },
    ...always,
  })
  .refine(
    (keys: Keys) => !hasPublicKey(keys) || (Array.isArray(keys.algorithms) && keys.algorithms.length > 0),
    {
      ...{ message: 'must name those of the JWKS', path: ['algorithms'] },
      ...always,
    },
  )
  .prefault({});

const share = z.number().min(0, 'must be a share from 0 to 1').max(1, 'must be a share from 0 to 1');

const shadow = table({
  sample: key(share.default(1), 'Share of the requests of stage shadow that are compared, from 0 to 1.'),
  passwords: key(share.default(0.1), 'Share of the sign-ins among them: each costs a hash.'),
  reads: key(
    share.default(0),
    'Share of the reads (GET) in stage primary that the legacy system is asked too, for a comparison.',
  ),
  ignore: key(
    z.array(text).default([]),
    'Places whose differences are known, as `portico migration diff` prints them: /data/token, header x-powered.',
  ),
}).prefault({});

/** What the API of a vendor was answered by before; its URL and the addresses are never in the store. */
export const legacySection = table({
  url: key(
    url,
    'Its origin as clients know it: Host and TLS name of each call. https, or plain http on this machine outside of production.',
  ),
  address: key(
    address.optional(),
    'Where it is now that the name leads here: an IP address, with a port or without. Default: by name.',
  ),
  base: key(
    z
      .string()
      .regex(/^(?:\/[\w.~-]+)*$/, 'must be a path such as /api/v1, without a slash at its end')
      .optional(),
    'Path below which it answers. Default: the dialect’s own.',
  ),
  ca: key(
    certificates.optional(),
    'Authority of its certificate, as PEM (caFile), in place of the well-known ones.',
  ),
  headers: key(headers.optional(), 'Sent with each call: a table of names and texts (headersFile).', {
    secret: 'value',
  }),
  stage: key(
    z.enum(['proxy', 'shadow', 'primary', 'standalone']),
    'Where to begin; it counts until the first `portico migration stage`.',
  ),
  organizations: key(
    z.array(text).min(1).optional(),
    'Whose people it is asked about. Default: every organization that the dialect serves.',
  ),
  timeout: key(shortDuration.prefault('3s'), 'For a whole call: connection, headers and body.'),
  concurrency: key(count.max(1000).default(32), 'Calls at once, on each node; it opens no more connections.'),
  rate: key(rate.prefault('50/1s'), 'Calls in any stretch of that time, on each node.'),
  floor: key(
    shortDuration.prefault('1s'),
    'Refused sign-ins are answered so long after they came, so that the time tells nothing.',
  ),
  addresses: key(
    z.enum(['verified', 'unverified']).default('unverified'),
    'verified: it proved the email addresses of its people.',
  ),
  roles: key(
    z.array(text).default([]),
    'Roles that people may bring along (at VSee: types of staff, such as 400); a person with another is not taken over.',
  ),
  learn: key(
    z.array(z.enum(['accounts', 'passwords', 'tokens'])).default(['accounts', 'passwords', 'tokens']),
    'What Portico takes along in stage proxy; [] for nothing.',
  ),
  recheck: key(
    duration.default(86_400),
    'How long a password that it confirmed is believed without asking again.',
  ),
  registration: key(
    z.enum(['hold', 'proxy', 'roster']).default('hold'),
    'hold: no person registers. proxy: it is asked first. roster: people register here, since all of its own are known here.',
  ),
  tokens: key(tokens, 'Its live tokens.'),
  shadow: key(shadow, 'What is compared with it.'),
});

/** Durations in seconds, but `timeout` and `floor`, which are milliseconds. */
export type LegacySettings = z.output<typeof legacySection>;

/** `federation.openid.<name>`: what an operator says of one upstream. */
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { key, table, text, upstreamIssuer } from '../../config/kinds.ts';
import { emailDomain } from '../../core/text.ts';
import { logoOf } from './logo.ts';
import { type PresetName, presetOf, presets, TENANT } from './presets.ts';

const names = Object.keys(presets) as [PresetName, ...PresetName[]];

const domain = text
  .regex(/^[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+$/u, 'must be a domain such as clinic.example')
  .transform((value) => emailDomain(`x@${value}`) ?? value);

function isSigningKey(pem: string): boolean {
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPrivateKey(pem);
    return type === 'rsa' || (type === 'ec' && details?.namedCurve === 'prime256v1');
  } catch {
    return false;
  }
}

/** The claim of the upstream that a member is taken from. */
const claim = (ours: string) => key(text.max(100).optional(), ours);

const entry = table({
  enabled: key(z.boolean().default(true), 'false: it is not there, as if the entry were not.'),
  preset: key(z.enum(names).optional(), 'What is known of such an upstream: docs/upstreams.md.'),
  title: key(
    text
      .max(40, 'must have 40 characters or fewer')
      .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters')
      .optional(),
    'As people know it: "Continue with ...". Default: the preset’s.',
  ),
  logo: key(
    z
      .string()
      .refine((svg) => logoOf(svg) !== undefined, {
        message:
          'must be an SVG drawing of at most 8 kB with a viewBox, of shapes (path, circle, rect, g ...) and their looks alone',
      })
      .optional(),
    'An SVG drawing for the button, usually logo_file. Default: the first letter of the title.',
  ),
  issuer: key(
    upstreamIssuer.optional(),
    'Where discovery begins, and what its ID tokens name as `iss`. Default: the preset’s.',
  ),
  tenants: key(
    z
      .array(z.guid('must be a tenant id such as 72f988bf-86f1-41af-91ab-2d7cd011db47').toLowerCase())
      .default([]),
    'Of the preset entra: the tenants whose people may sign in. There is no "all".',
  ),
  clientId: key(text.optional(), 'Client id there; needed for the redirect sign-in.'),
  clientSecret: key(text.optional(), 'Its secret; use clientSecret_file or the _FILE suffix.', {
    secret: 'value',
  }),
  privateKey: key(
    text
      .refine(isSigningKey, { message: 'must be the PEM text of a private key, RSA or of the curve P-256' })
      .optional(),
    'In place of the secret: signs what the client authenticates with (private_key_jwt, RS256 or ES256); use privateKey_file.',
    { secret: 'value' },
  ),
  keyId: key(text.optional(), 'The `kid` of privateKey, as the upstream knows it.'),
  clientSecretExpires: key(
    z.iso.date('must be a date such as 2027-01-31').optional(),
    'The day on which the secret ends there: `portico upstream check` warns 30 days before.',
  ),
  authentication: key(
    z.enum(['client_secret_basic', 'client_secret_post']).default('client_secret_basic'),
    'How the secret is presented.',
  ),
  scopes: key(
    z.array(text.regex(/^\S+$/, 'must not contain blanks')).default(['openid', 'email', 'profile']),
    'Scopes that are asked for.',
  ),
  claims: key(
    table({
      email: claim('Claim with the email address. Default: email.'),
      emailVerified: claim(
        'Claim that is true where the address is proven. Default: email_verified, of entra xms_edov.',
      ),
      name: claim('Claim with the full name. Default: name.'),
      givenName: claim('Claim with the given name. Default: given_name.'),
      familyName: claim('Claim with the family name. Default: family_name.'),
      picture: claim('Claim with the address of a picture. Default: picture.'),
    }).prefault({}),
    'What the upstream calls what we take. The subject is always `sub`.',
  ),
  trustsEmail: key(
    z.array(z.union([z.literal('*'), domain])).default([]),
    'Domains that it speaks for: such an address, where it is proven there, counts as proven here and leads to the account that has it. "*": every domain.',
  ),
  domains: key(
    z.array(domain).default([]),
    'Domains whose people sign in here: the page that asks for the name first leads them to it.',
  ),
  audiences: key(
    z.array(text).default([]),
    'Client ids, besides clientId, whose ID tokens are accepted at the dialects’ social sign-in.',
  ),
});

export type Entry = z.output<typeof entry>;

/** Other ways to sign in: an organization names them beside upstreams. */
const TAKEN = ['password', 'code', 'passkey', 'google', 'apple', 'openid'];

/** In callback addresses, and in the ways of an organization. */
const entryName = z
  .string()
  .refine((value) => !TAKEN.includes(value), { message: 'is taken by another way to sign in' })
  .regex(/^[a-z][a-z\d-]{0,31}$/, 'must be 1 to 32 lower-case letters, digits and -, a letter first');

export const settings = key(
  z.record(entryName, entry.superRefine(judge)).default({}),
  'Upstreams that speak OpenID Connect, by name.',
);

function judge(its: Entry, context: z.RefinementCtx): void {
  if (!its.enabled) return;
  const demand = (at: string, message: string) =>
    void context.addIssue({ code: 'custom', path: [at], message });
  const preset = presetOf(its.preset);
  const issuer = its.issuer ?? preset?.issuer;
  if (issuer === undefined) demand('issuer', 'must be set');
  else if (preset?.form?.pattern.test(issuer) === false)
    demand('issuer', `must be of the form ${preset.form.sample}`);
  if ((its.title ?? preset?.title) === undefined) demand('title', 'must be set where there is no preset');
  if (its.clientId === undefined && its.audiences.length === 0)
    demand('clientId', 'must be set (or audiences)');
  if (its.clientSecret !== undefined && its.privateKey !== undefined)
    demand('privateKey', 'takes the place of clientSecret: set one of them');
  if (!its.scopes.includes('openid')) demand('scopes', 'must contain openid');
  const byTenant = issuer?.includes(TENANT) === true;
  if (byTenant && its.tenants.length === 0)
    demand('tenants', 'must name the tenants whose people may sign in');
  if (byTenant && its.preset !== 'entra')
    demand('issuer', `has ${TENANT}, which belongs to the preset entra`);
  if (!byTenant && its.preset !== 'entra' && its.tenants.length > 0)
    demand('tenants', 'belongs to the preset entra');
  const { email, emailVerified } = its.claims;
  const ofOneTenant = byTenant && its.tenants.length === 1;
  if (email !== undefined && emailVerified === undefined && its.trustsEmail.length > 0 && !ofOneTenant)
    demand('claims', 'must name emailVerified beside email: the usual claim proves the usual address alone');
  if (byTenant && its.trustsEmail.includes('*'))
    demand('trustsEmail', 'must name domains: a tenant’s administrator may write any address');
}

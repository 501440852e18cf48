/**
 * Seed files: organizations, accounts, API keys, APIs and clients as an operator writes them down. This file is
 * the format; read-seed.ts reads a file and judges it by itself, plan-seed.ts compares it with the store,
 * apply-seed.ts writes, seed-at-start.ts loads what the configuration names. docs/seed.md is the guide.
 *
 * Members of accounts are OpenID Connect's standard claim names where one exists; what only one vendor
 * knows stands under `vendor`. Clients have RFC 7591 names, and what is Portico's own.
 */
import { z } from 'zod';
import { emailDomain, PASSWORD_MAX_BYTES } from '../core/text.ts';
import { readForeignHash } from '../identity/hashes/foreign-hash.ts';
import { issueOfClaimName, issueOfMember } from '../model/claim-mapping.ts';
import type { Json } from '../model/json.ts';
import { apiForm } from './apis.ts';
import { beginning, clientBranding, organizationBranding } from './branding.ts';
import { factorsForm } from './factors.ts';

const text = z.string({
  error: (issue) => (typeof issue.input === 'number' ? 'must be text: put it in quotes' : undefined),
});
const word = text.min(1, 'must not be empty').max(512, 'must have 512 characters or fewer');
const line = word.refine((value) => !/\p{Cc}/u.test(value) && value.isWellFormed(), {
  message: 'must not contain control characters',
});

const id = line.regex(/^[A-Za-z0-9._~-]{1,128}$/, 'must be 1 to 128 letters, digits, or any of . _ ~ -');
const email = line.max(254).regex(/^[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)*$/u, 'must be an e-mail address');
const host = line.regex(/^[a-z\d](?:[a-z\d.-]*[a-z\d])?$/i, 'must be a host name without scheme and port');
const time = text
  .refine((value) => /^\d{4}-\d\d-\d\d(?:T|$)/.test(value) && !Number.isNaN(Date.parse(value)), {
    message: 'must be a time such as 2030-01-15T09:00:00.000Z',
  })
  .transform((value) => new Date(value));
const json: z.ZodType<Json> = z.json();
const vendor = z.record(line, z.record(line, json));
const url = line.refine((value) => URL.canParse(value.replaceAll('{issuer}', 'https://issuer.example')), {
  message: 'must be a URL; {issuer} stands for the server’s own',
});

/** As addresses are compared. */
const domain = line
  .regex(/^[^\s@.]+(?:\.[^\s@.]+)+$/u, 'must be a domain such as north.example')
  .transform((value) => emailDomain(`x@${value}`) ?? value);

const organization = z.strictObject({
  id,
  name: line.optional(),
  hosts: z.array(host).optional(),
  /** Of its people's addresses. */
  email_domains: z.array(domain).optional(),
  branding: organizationBranding.optional(),
  registration: z.boolean().optional(),
  default_api: url.optional(),
  factors: factorsForm.optional(),
  vendor: vendor.optional(),
});

/** Members of one form, each of which may be absent. */
function optional<Name extends string, Form extends z.ZodType>(form: Form, ...names: readonly Name[]) {
  const members = names.map((name) => [name, form.optional()]);
  return Object.fromEntries(members) as Record<Name, z.ZodOptional<Form>>;
}

const claims = {
  ...optional(line, 'name', 'given_name', 'family_name', 'middle_name', 'nickname'),
  ...optional(line, 'profile', 'website', 'picture', 'gender'),
  birthdate: line.regex(/^(?:\d{4}|0000)(?:-\d\d-\d\d)?$/, 'must be a date such as 1991-05-04').optional(),
  ...optional(line, 'zoneinfo', 'locale', 'phone_number'),
  phone_number_verified: z.boolean().optional(),
  address: z
    .strictObject({
      ...optional(word, 'formatted', 'street_address'),
      ...optional(line, 'locality', 'region', 'postal_code', 'country'),
    })
    .optional(),
};

/** Members of an account that are stored as claims. */
export const CLAIM_NAMES = Object.keys(claims) as (keyof typeof claims)[];

const password = text
  .min(1, 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= PASSWORD_MAX_BYTES, {
    message: `must have ${PASSWORD_MAX_BYTES} bytes or fewer`,
  });

const account = z.strictObject({
  id: id.optional(),
  organization: id,
  email: email.optional(),
  email_verified: z.boolean().optional(),
  username: line.optional(),
  password: password.optional(),
  password_hash: line
    .check(({ value, issues }) => {
      const judged = readForeignHash(value);
      if (judged.kind === 'refused') issues.push({ code: 'custom', message: judged.reason, input: value });
    })
    .optional(),
  status: z.enum(['active', 'inactive', 'blocked']).optional(),
  ...claims,
  roles: z.array(line).optional(),
  aliases: z.record(line, line).optional(),
  vendor: vendor.optional(),
  identities: z.array(z.strictObject({ issuer: line, subject: line })).optional(),
  ...optional(time, 'created_at', 'updated_at'),
});

const apiKey = z.strictObject({
  organization: id,
  vendor: line,
  name: line,
  key: line.min(16, 'must have 16 characters or more'),
  secret: line.min(16, 'must have 16 characters or more').optional(),
  /** E-mail address or id of the owner; a key without one is the organization's. */
  account: line.optional(),
  scopes: z.array(line).optional(),
  expires_at: time.optional(),
});

const claimTable = z.record(line, line).check(({ value, issues }) => {
  for (const [claim, member] of Object.entries(value)) {
    const issue = issueOfClaimName(claim) ?? issueOfMember(member);
    if (issue) issues.push({ code: 'custom', message: issue, path: [claim], input: member });
  }
});

/** Apps in a shell have one of a scheme of their own. */
const webOrigin = line.refine(isOrigin, {
  message: 'must be an origin: https://app.example, capacitor://localhost, app://, chrome-extension://<id>',
});

function isOrigin(value: string): boolean {
  const [, scheme = ''] = /^([a-z][a-z\d+.-]*):\/\/[\w.:[\]-]*$/i.exec(value) ?? [];
  if (/^https?$/i.test(scheme)) return URL.parse(value)?.origin === value;
  return (
    scheme !== '' && !['file', 'data', 'blob', 'javascript', 'about', 'null'].includes(scheme.toLowerCase())
  );
}

const client = z.strictObject({
  client_id: id,
  client_secret: line
    .min(16, 'must have 16 characters or more')
    .regex(/^[\x20-\x7e]*$/, 'must have printable ASCII characters only')
    .optional(),
  organization: id,
  /** Whose people sign in to it besides. */
  organizations: z.array(id).or(z.literal('all')).optional(),
  choose_organization: z.enum(['email', 'list']).optional(),
  ...optional(z.boolean(), 'all_organizations', 'first_party', 'registration'),
  sign_in: beginning.optional(),
  /** Beside its organization's: the stricter of the two counts. */
  factors: factorsForm.optional(),
  /** Over its organization's, member by member. */
  branding: clientBranding.optional(),
  ...optional(z.array(id), 'introspects', 'revokes'),
  /** Dialects and APIs whose tokens it may exchange for its own. */
  exchanges: z.array(line).optional(),
  /** Dialects for whose tokens it may exchange its own. */
  exchanges_to: z.array(line).optional(),
  ...optional(z.boolean(), 'exchanges_offline', 'ends_parent'),
  /** The scopes that it is granted, by the identifier of their API. */
  apis: z.record(url, z.array(line)).optional(),
  default_api: url.optional(),
  /** ID tokens have the claims of the granted scopes too. */
  id_token_claims: z.boolean().optional(),
  /** Claim name -> member of an account (model/claim-mapping.ts). */
  claims: claimTable.optional(),
  allowed_origins: z.array(webOrigin).optional(),
  /** Each refresh token is good for one use; the default. */
  rotate_refresh_tokens: z.boolean().optional(),
  /** What a request without scope asks for. */
  default_scope: line.optional(),
  /** Sets other members (oidc/profiles). */
  profile: z.literal('fapi2').optional(),
  // RFC 7591, OpenID Connect Registration and the logout specifications.
  client_name: line.optional(),
  ...optional(url, 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri'),
  contacts: z.array(line).optional(),
  application_type: z.enum(['web', 'native']).optional(),
  ...optional(z.array(url), 'redirect_uris', 'post_logout_redirect_uris'),
  ...optional(url, 'initiate_login_uri', 'backchannel_logout_uri'),
  backchannel_logout_session_required: z.boolean().optional(),
  grant_types: z.array(line).optional(),
  response_types: z.array(line.or(z.literal(''))).optional(),
  scope: line.optional(),
  token_endpoint_auth_method: z
    .enum([
      ...(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] as const),
      ...(['tls_client_auth', 'self_signed_tls_client_auth'] as const),
    ])
    .optional(),
  token_endpoint_auth_signing_alg: line.optional(),
  jwks: z.looseObject({ keys: z.array(z.record(z.string(), json)) }).optional(),
  jwks_uri: url.optional(),
  ...optional(line, 'id_token_signed_response_alg', 'userinfo_signed_response_alg'),
  ...optional(line, 'introspection_signed_response_alg', 'authorization_signed_response_alg'),
  ...optional(line, 'id_token_encrypted_response_alg', 'id_token_encrypted_response_enc'),
  ...optional(line, 'userinfo_encrypted_response_alg', 'userinfo_encrypted_response_enc'),
  ...optional(line, 'introspection_encrypted_response_alg', 'introspection_encrypted_response_enc'),
  request_object_signing_alg: line.optional(),
  require_signed_request_object: z.boolean().optional(),
  subject_type: z.enum(['public', 'pairwise']).optional(),
  sector_identifier_uri: url.optional(),
  default_max_age: z.int().min(0).optional(),
  require_auth_time: z.boolean().optional(),
  default_acr_values: z.array(line).optional(),
  ...optional(z.boolean(), 'require_pushed_authorization_requests', 'dpop_bound_access_tokens'),
  ...optional(z.boolean(), 'tls_client_certificate_bound_access_tokens', 'use_mtls_endpoint_aliases'),
  ...optional(line, 'tls_client_auth_subject_dn', 'tls_client_auth_san_dns', 'tls_client_auth_san_uri'),
  ...optional(line, 'tls_client_auth_san_ip', 'tls_client_auth_san_email'),
  ...optional(line, 'software_id', 'software_version'),
});

export const seedSchema = z.strictObject({
  /** A file whose passwords are published: refused in production. */
  demo: z.boolean().optional(),
  organizations: z.array(organization).optional(),
  accounts: z.array(account).optional(),
  api_keys: z.array(apiKey).optional(),
  apis: z.array(apiForm({ id, line, url, claimTable })).optional(),
  clients: z.array(client).optional(),
});

export type Seed = z.output<typeof seedSchema>;
export type SeedOrganization = z.output<typeof organization>;
export type SeedAccount = z.output<typeof account>;
export type SeedApiKey = z.output<typeof apiKey>;
export type SeedClient = z.output<typeof client>;

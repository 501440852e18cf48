/** Entries of a seed file as records of the store, alone or laid over a record that is there. */

import type { Clock } from '../core/clock.ts';
import { randomToken, randomUUID, type Secrets } from '../core/crypto.ts';
import { normalizeEmail, takeName } from '../core/text.ts';
import type { AccountRecord, ProfileClaims } from '../model/account.ts';
import type { ApiKeyRecord } from '../model/api-key.ts';
import type { ClientRecord } from '../model/client.ts';
import { policyIn } from '../model/factors.ts';
import type { Json } from '../model/json.ts';
import type { OrganizationRecord } from '../model/organization.ts';
import { policyOf } from './factors.ts';
import { authMethodOf } from './judge-seed.ts';
import {
  CLAIM_NAMES,
  type SeedAccount,
  type SeedApiKey,
  type SeedClient,
  type SeedOrganization,
} from './schema.ts';

type Vendor = Record<string, Record<string, Json>>;

export function organizationRecord(
  seed: SeedOrganization,
  present: OrganizationRecord | undefined,
  { issuer, clock }: { issuer: string; clock: Clock },
): OrganizationRecord {
  const factors = seed.factors ? policyOf(seed.factors, present?.factors, clock.now()) : present?.factors;
  const branding = seed.branding ?? present?.branding;
  const registration = seed.registration ?? present?.registration;
  const emailDomains = seed.email_domains ?? present?.emailDomains;
  const defaultApi = seed.default_api?.replaceAll('{issuer}', issuer) ?? present?.defaultApi;
  return {
    id: seed.id,
    name: seed.name ?? present?.name ?? seed.id,
    hosts: seed.hosts?.map((host) => host.toLowerCase()) ?? present?.hosts ?? [],
    ...(emailDomains === undefined ? {} : { emailDomains }),
    ...(branding ? { branding: branding as Record<string, Json> } : {}),
    ...(registration === undefined ? {} : { registration }),
    ...(defaultApi === undefined ? {} : { defaultApi }),
    ...(factors === undefined ? {} : { factors }),
    vendor: mergeVendor(present?.vendor, seed.vendor),
  };
}

/** Members that the file does not name stay; of `vendor` likewise, member by member. */
function mergeVendor(present: Vendor = {}, input: Vendor = {}): Vendor {
  const merged: Vendor = { ...present };
  for (const [name, members] of Object.entries(input)) merged[name] = { ...present[name], ...members };
  return merged;
}

/** A new account. The password is set by the caller: hashing takes its time. */
export function newAccount(seed: SeedAccount, now: Date): AccountRecord {
  const createdAt = seed.created_at ?? now;
  return withSeed(
    {
      id: seed.id ?? randomToken('acc_'),
      organization: seed.organization,
      status: 'active',
      emailVerified: false,
      claims: {},
      roles: [],
      aliases: {},
      vendor: {},
      createdAt,
      updatedAt: seed.updated_at ?? createdAt,
      version: 1,
    },
    seed,
  );
}

/** The account as the file wants it. An address that its owner has proved meanwhile stays proved. */
export function withSeed(present: AccountRecord, seed: SeedAccount): AccountRecord {
  const email = seed.email === undefined ? present.email : normalizeEmail(seed.email);
  const proved = present.emailVerified && email === present.email;
  const username = seed.username === undefined ? present.username : takeName(seed.username);
  return {
    ...present,
    ...(email === undefined ? {} : { email }),
    emailVerified: proved || (seed.email_verified ?? (email === present.email && present.emailVerified)),
    ...(username === undefined ? {} : { username }),
    status: seed.status ?? present.status,
    claims: { ...present.claims, ...claimsOf(seed) },
    roles: seed.roles ?? present.roles,
    aliases: { ...present.aliases, ...seed.aliases },
    vendor: mergeVendor(present.vendor, seed.vendor),
    createdAt: seed.created_at ?? present.createdAt,
  };
}

function claimsOf(seed: SeedAccount): ProfileClaims {
  const input = CLAIM_NAMES.filter((name) => seed[name] !== undefined).map((name) => [name, seed[name]]);
  return Object.fromEntries(input) as ProfileClaims;
}

export function apiKeyRecord(
  seed: SeedApiKey,
  context: { secrets: Secrets; accountId: string | undefined; now: Date },
): ApiKeyRecord {
  const { secrets, accountId, now } = context;
  return {
    id: randomUUID(),
    organization: seed.organization,
    vendor: seed.vendor,
    name: seed.name,
    keyHash: apiKeyHash(secrets, seed.key),
    ...(seed.secret === undefined ? {} : { secretHash: secrets.hmac('api-secret', seed.secret) }),
    ...(accountId === undefined ? {} : { accountId }),
    scopes: seed.scopes ?? [],
    createdAt: now,
    ...(seed.expires_at === undefined ? {} : { expiresAt: seed.expires_at }),
  };
}

export function apiKeyHash(secrets: Secrets, key: string): string {
  return secrets.hmac('api-key', key);
}

/** `{issuer}` in URIs becomes the server's own. */
export function clientRecord(
  seed: SeedClient,
  context: { secrets: Secrets; issuer: string; clock: Clock; present: ClientRecord | undefined },
): ClientRecord {
  const {
    client_id,
    client_secret,
    organization,
    all_organizations,
    first_party,
    introspects,
    revokes,
    factors,
    ...metadata
  } = seed;
  const before = policyIn(context.present?.metadata);
  const complete = {
    ...metadata,
    ...(factors && { factors: policyOf(factors, before, context.clock.now()) }),
    token_endpoint_auth_method: authMethodOf(seed),
  };
  return {
    clientId: client_id,
    organization,
    ...(client_secret === undefined
      ? {}
      : { secretHash: context.secrets.hmac('client-secret', client_secret) }),
    allOrganizations: all_organizations ?? false,
    firstParty: first_party ?? false,
    introspects: introspects ?? [],
    revokes: revokes ?? [],
    metadata: JSON.parse(JSON.stringify(complete).replaceAll('{issuer}', context.issuer)) as Record<
      string,
      Json
    >,
  };
}

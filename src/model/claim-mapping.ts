/**
 * Claims under names of the operator's choice: a table from claim name to the member of an account that it shows,
 * for a client (in ID tokens and at UserInfo) or for an API (in its access tokens). Data only: no expressions.
 */
export type ClaimMapping = Readonly<Record<string, string>>;

/** What the server itself says in a token, and what clients take for verified: no table may say it otherwise. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'azp', 'nonce', 'at_hash', 'c_hash', 's_hash', 'sid'],
  ...['acr', 'amr', 'auth_time', 'client_id', 'scope', 'cnf', 'act', 'may_act', 'sub_id', 'events', 'typ'],
  ...['active', 'token_type', 'authorization_details', '_claim_names', '_claim_sources'],
  ...['email', 'email_verified', 'phone_number', 'phone_number_verified', 'organization', 'roles'],
]);

/** The members of an account that a claim may show, besides those of vendors. */
export const ACCOUNT_MEMBERS = [
  ...['id', 'username', 'email', 'email_verified', 'organization', 'roles', 'updated_at'],
  ...['name', 'given_name', 'family_name', 'middle_name', 'nickname', 'preferred_username'],
  ...['profile', 'website', 'picture', 'gender', 'birthdate', 'zoneinfo', 'locale', 'address'],
  ...['phone_number', 'phone_number_verified'],
] as const;

const MEMBERS: ReadonlySet<string> = new Set(ACCOUNT_MEMBERS);

/** `vendor.medisync.department`; `aliases.medisync` is the id by which the vendor knows the account. */
const OF_VENDOR = /^(?:vendor\.[a-z][\w-]{0,63}\.(?!__proto__$)\w{1,128}|aliases\.[a-z][\w-]{0,63})$/;

/** Why a claim cannot have the name; undefined: it can. */
export function issueOfClaimName(name: string): string | undefined {
  if (RESERVED.has(name)) return 'is a claim that the server itself makes';
  // A namespace is usual: https://app.example/department.
  if (!/^[A-Za-z](?:[\w.:/#-]{0,255})$/.test(name) || name === 'constructor') {
    return 'must begin with a letter, and have letters, digits or any of _ . : / # - only';
  }
  return undefined;
}

/** Why a claim cannot show the member; undefined: it can. */
export function issueOfMember(member: string): string | undefined {
  if (MEMBERS.has(member) || OF_VENDOR.test(member)) return undefined;
  const known = ACCOUNT_MEMBERS.join(', ');
  return `must be a member of an account: ${known}, vendor.<vendor>.<member> or aliases.<vendor>`;
}

/** Why a further name of the claim `roles` is none; undefined: it is one. It is the name of a scope too. */
export function issueOfRolesAlias(name: string): string | undefined {
  const taken = MEMBERS.has(name) || ['openid', 'phone', 'offline_access'].includes(name);
  return taken ? 'is the name of another claim or scope' : issueOfClaimName(name);
}

/** The table as a client or an API has it; what is no entry of one is left out. */
export function claimMapping(value: unknown): ClaimMapping {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && !issueOfClaimName(entry[0]) && !issueOfMember(entry[1]),
    ),
  );
}

/** Scopes in plain words; the words are in the catalogue under `pages.consent.scopes`. */

/** Scopes that have words of their own. */
const KNOWN = new Set([
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'organization',
  'roles',
  'offline_access',
]);

export interface ScopeInWords {
  readonly name: string;
  readonly key: string;
}

/** The usual other name of the roles (oidc.rolesAliases). */
const ROLES_TOO = 'groups';

export function scopesInWords(names: readonly string[]): ScopeInWords[] {
  return names.map((name) => ({
    name,
    key: name === ROLES_TOO ? 'roles' : KNOWN.has(name) ? name : 'other',
  }));
}

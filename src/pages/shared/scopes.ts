/** Scopes in plain words; the words are in the catalogue under `pages.consent.scopes`. */
import { textIn } from '../../model/api.ts';
import type { ScopesOfApi } from '../../oidc/contract.ts';

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
  /** The name of the API that has it. */
  readonly api?: string;
}

/** The usual other name of the roles (oidc.rolesAliases). */
const ROLES_TOO = 'groups';

/** `apis`: those that have some of the scopes; `languages`: of the person, by preference. */
export function scopesInWords(
  names: readonly string[],
  { apis, languages }: { apis: readonly ScopesOfApi[]; languages: readonly string[] } = NO_APIS,
): ScopeInWords[] {
  const ofApis = new Set(apis.flatMap(({ scopes }) => Object.keys(scopes)));
  const others = names.filter((name) => !ofApis.has(name));
  return [
    ...others.map((name) => ({
      name,
      key: name === ROLES_TOO ? 'roles' : KNOWN.has(name) ? name : 'other',
    })),
    ...apis.flatMap(({ name, scopes }) =>
      Object.values(scopes).map((words) => ({
        ...{ name: textIn(words, languages), api: textIn(name, languages), key: 'of-api' },
      })),
    ),
  ];
}

const NO_APIS = { apis: [], languages: [] };

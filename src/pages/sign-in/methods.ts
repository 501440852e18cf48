/**
 * Which ways to sign in a page offers, and how it begins (docs/hosted-pages.md). An organization's branding may say
 * `sign_in: name-first` and `ways: [password, code, google, apple]`; a client may say sign_in for itself.
 * By default both fields are on one page and everything is offered that works.
 */
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageParts } from '../shared/deps.ts';

export interface Ways {
  /** The name alone comes first, and then how to prove it. */
  readonly nameFirst: boolean;
  readonly password: boolean;
  readonly code: boolean;
  /** Upstreams by name. */
  readonly upstreams: readonly string[];
}

/** As people know them; no language changes these. */
const NAMES: Readonly<Record<string, string>> = { google: 'Google', apple: 'Apple' };

export function upstreamName(name: string): string {
  return NAMES[name] ?? name;
}

export async function waysOf(parts: PageParts, view: InteractionView): Promise<Ways> {
  const organization = await findOrganization(parts.identity, view.organization);
  const { sign_in: first, ways } = organization?.branding ?? {};
  const allowed = (way: string) => !Array.isArray(ways) || ways.length === 0 || ways.includes(way);
  return {
    nameFirst: (view.client.signIn ?? first) === 'name-first',
    password: allowed('password'),
    code: allowed('code'),
    upstreams: [...parts.upstreams.values()]
      .filter(({ name, redirects }) => redirects && allowed(name))
      .map(({ name }) => name),
  };
}

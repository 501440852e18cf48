/**
 * Which ways to sign in a page offers, in which order, and how it begins (docs/hosted-pages.md). An organization's
 * branding may say `sign_in: name-first` and `ways: [google, password, code]`; a client may say sign_in for itself.
 * By default both fields are on one page and everything is offered that works.
 */
import { emailDomain } from '../../core/text.ts';
import type { Upstream } from '../../federation/protocol/upstream.ts';
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import { relyingPartyOf } from '../../identity/factors/webauthn.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { namedWays, upstreamsOf } from '../shared/upstream-trip.ts';

export interface SignInMethods {
  /** As it was read for them. */
  readonly organization: OrganizationRecord | undefined;
  /** The name alone comes first, and then how to prove it. */
  readonly nameFirst: boolean;
  readonly password: boolean;
  readonly code: boolean;
  readonly passkey: boolean;
  /** The code comes before the password, or there is no password. */
  readonly codeFirst: boolean;
  readonly upstreams: readonly Upstream[];
  /** People may open accounts on the way to the app: its own word counts, else its organization's; else they may not. */
  readonly registers: boolean;
  /** What is on the page, from top to bottom. */
  readonly blocks: readonly Block[];
}

/** Neighbours of one kind are one block, and so are all fields. A passkey needs no field. */
export interface Block {
  readonly kind: 'fields' | 'passkey' | 'upstreams';
  readonly upstreams: Upstream[];
}

export async function signInMethodsOf(deps: PageDeps, view: InteractionView): Promise<SignInMethods> {
  const organization = await findOrganization(deps.identity, view.organization);
  const upstreams = upstreamsOf(deps, organization);
  const ways = namedWays(organization) ?? [
    'password',
    'code',
    'passkey',
    ...upstreams.map(({ name }) => name),
  ];
  const passkey = ways.includes('passkey') && relyingPartyOf(deps.identity) !== undefined;
  const [password, code] = [ways.includes('password'), ways.includes('code')];
  return {
    organization,
    nameFirst: (view.client.signIn ?? organization?.branding?.sign_in) === 'name-first',
    ...{ password, code, passkey, upstreams },
    codeFirst: code && (!password || ways.indexOf('code') < ways.indexOf('password')),
    registers: view.client.registration ?? organization?.registration === true,
    blocks: blocksOf(passkey ? ways : ways.filter((way) => way !== 'passkey'), upstreams),
  };
}

function blocksOf(ways: readonly string[], upstreams: readonly Upstream[]): Block[] {
  const blocks: Block[] = [];
  for (const way of ways) {
    const upstream = upstreams.find(({ name }) => name === way);
    const last = blocks.at(-1);
    if (upstream !== undefined && last?.kind === 'upstreams') last.upstreams.push(upstream);
    else if (upstream !== undefined) blocks.push({ kind: 'upstreams', upstreams: [upstream] });
    else if (way === 'passkey') blocks.push({ kind: 'passkey', upstreams: [] });
    else if (OWN.has(way) && !blocks.some(({ kind }) => kind === 'fields'))
      blocks.push({ kind: 'fields', upstreams: [] });
  }
  return blocks;
}

const OWN: ReadonlySet<string> = new Set(['password', 'code']);

export function leadsByDomain({ upstreams }: SignInMethods): boolean {
  return upstreams.some(({ domains }) => domains.length > 0);
}

/** Whose people sign in elsewhere: the domain of the address says so, and not whether there is such a person. */
export function upstreamOfDomain({ upstreams }: SignInMethods, login: string): Upstream | undefined {
  const domain = emailDomain(login);
  return domain === undefined ? undefined : upstreams.find(({ domains }) => domains.includes(domain));
}

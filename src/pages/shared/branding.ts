/**
 * Whose name is over a page: the client's own branding where it has one, then its organization's, then the
 * server's, member by member. Nothing but a client's own pages and its organization's changes with it.
 */
import type { Config } from '../../config/schema.ts';
import type { Brand, Views } from '../../http/views/render.ts';
import type { Identity } from '../../identity/context.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { Json } from '../../model/json.ts';
import type { OrganizationRecord } from '../../model/organization.ts';

const LINKS = ['support', 'privacy', 'terms'] as const;

type Branding = Readonly<Record<string, Json | undefined>>;

/** An interaction is such a one. */
export interface Branded {
  readonly organization: string;
  readonly client?: { readonly clientId: string };
  /** The organization's, where it was read already. */
  readonly record?: OrganizationRecord | undefined;
}

export function serverBrand(branding: Config['branding']): Brand {
  return brandFrom(branding, { name: branding.name, links: [] });
}

export async function brandOf(
  { stores }: Pick<Identity, 'stores'>,
  views: Views,
  { organization, client, record }: Branded,
): Promise<Brand> {
  const [theirs, own] = await Promise.all([
    record ?? stores.organizations.byId(organization),
    client === undefined ? undefined : stores.clients.byId(client.clientId),
  ]);
  const brand = theirs?.branding === undefined ? views.brand : brandFrom(theirs.branding, views.brand);
  // The name of a client may come from an address (/forgot): it never dresses another organization's page.
  const branding = own?.organization === organization ? brandingOfClient(own) : undefined;
  return branding === undefined ? brand : brandFrom(branding, brand);
}

/**
 * A client with a brand under a name of its own also wears what it registered (OpenID Connect Registration
 * 2). Without such a name it does not: an app's logo beside its organization's name is neither's brand.
 */
function brandingOfClient({ metadata }: ClientRecord): Branding | undefined {
  const { branding } = metadata;
  if (typeof branding !== 'object' || branding === null || Array.isArray(branding)) return undefined;
  if (!isName(branding.name)) return branding;
  const { logo_uri: logo, policy_uri: privacy, tos_uri: terms } = metadata;
  return { logo, privacy, terms, ...branding };
}

function brandFrom(branding: Branding, otherwise: Brand): Brand {
  const own = webAddress(branding.logo);
  const dark = webAddress(branding.logoDark) ?? webAddress(branding.logo_dark);
  // A layer's logo never stands beside another layer's dark logo.
  const logos = own === undefined ? otherwise : { logo: own, ...(dark !== undefined && { logoDark: dark }) };
  const links = LINKS.flatMap((key) => {
    const href = webAddress(branding[key]) ?? otherwise.links.find((link) => link.key === key)?.href;
    return href === undefined ? [] : [{ key, href }];
  });
  const name = isName(branding.name) ? branding.name : otherwise.name;
  const accent = colour(branding.accent) ?? otherwise.accent;
  return {
    name,
    links,
    ...(logos.logo !== undefined && { logo: logos.logo }),
    ...(logos.logoDark !== undefined && { logoDark: logos.logoDark }),
    ...(accent !== undefined && { accent }),
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function colour(value: unknown): string | undefined {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : undefined;
}

/** Only addresses of the web may stand in a link: 'javascript:' is a URL too. */
export function webAddress(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

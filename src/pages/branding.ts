/** Whose name is over a page: the organization's own branding where it has one, else the server's. */
import type { Config } from '../config/schema.ts';
import type { Brand, Views } from '../http/views.ts';
import type { Identity } from '../identity/identity.ts';
import type { Json } from '../store/ports.ts';

const LINKS = ['support', 'privacy', 'terms'] as const;

export function serverBrand(branding: Config['branding']): Brand {
  return brandFrom(branding, { name: branding.name, links: [] });
}

export async function brandOf(
  { stores }: Pick<Identity, 'stores'>,
  views: Views,
  organization: string,
): Promise<Brand> {
  const record = await stores.organizations.byId(organization);
  return record?.branding === undefined ? views.brand : brandFrom(record.branding, views.brand);
}

function brandFrom(branding: Readonly<Record<string, Json | undefined>>, otherwise: Brand): Brand {
  const own = webAddress(branding.logo);
  const dark = webAddress(branding.logoDark) ?? webAddress(branding.logo_dark);
  // Somebody else's dark logo beside one's own light one would be a mistake.
  const logos = own === undefined ? otherwise : { logo: own, ...(dark !== undefined && { logoDark: dark }) };
  const links = LINKS.flatMap((key) => {
    const href = webAddress(branding[key]) ?? otherwise.links.find((link) => link.key === key)?.href;
    return href === undefined ? [] : [{ key, href }];
  });
  const name = typeof branding.name === 'string' && branding.name !== '' ? branding.name : otherwise.name;
  const accent = colour(branding.accent) ?? otherwise.accent;
  return {
    name,
    links,
    ...(logos.logo !== undefined && { logo: logos.logo }),
    ...(logos.logoDark !== undefined && { logoDark: logos.logoDark }),
    ...(accent !== undefined && { accent }),
  };
}

function colour(value: unknown): string | undefined {
  return typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) ? value : undefined;
}

/** Only addresses of the web may stand in a link: 'javascript:' is a URL too. */
export function webAddress(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

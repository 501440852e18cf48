/** Whose name is over a page: the organization's own branding where it has one, else the server's. */
import type { Config } from '../config/schema.ts';
import type { Brand, Views } from '../http/views.ts';
import type { Identity } from '../identity/identity.ts';
import { findOrganization } from '../identity/organizations.ts';
import type { Json } from '../store/ports.ts';

const LINKS = ['support', 'privacy', 'terms'] as const;

export function serverBrand(branding: Config['branding']): Brand {
  return brandFrom(branding, { name: branding.name, links: [] });
}

export async function brandOf(identity: Identity, views: Views, organization: string): Promise<Brand> {
  const record = await findOrganization(identity, organization);
  return record?.branding === undefined ? views.brand : brandFrom(record.branding, views.brand);
}

function brandFrom(branding: Readonly<Record<string, Json | undefined>>, otherwise: Brand): Brand {
  const logo = webAddress(branding.logo) ?? otherwise.logo;
  const links = LINKS.flatMap((key) => {
    const href = webAddress(branding[key]) ?? otherwise.links.find((link) => link.key === key)?.href;
    return href === undefined ? [] : [{ key, href }];
  });
  const name = typeof branding.name === 'string' && branding.name !== '' ? branding.name : otherwise.name;
  return { name, links, ...(logo !== undefined && { logo }) };
}

/** Only addresses of the web may stand in a link: 'javascript:' is a URL too. */
export function webAddress(value: unknown): string | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url.href : undefined;
}

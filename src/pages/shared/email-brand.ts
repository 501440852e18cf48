/** What an email wears: the same layers of branding as a page, in colours that stand in the email itself. */
import { shadesOf } from '../../http/views/brand-stylesheet.ts';
import type { Brand, Views } from '../../http/views/render.ts';
import type { Identity } from '../../identity/context.ts';
import { brandOf } from './branding.ts';

/** The accent of public/portico.css. */
const ACCENT = '#1f6f5c';

export function emailBrand({ name, logo, logoDark, accent = ACCENT }: Brand) {
  return {
    name,
    ...(logo !== undefined && { logo }),
    ...(logoDark !== undefined && { logoDark }),
    colours: shadesOf(accent),
  };
}

/** `sender`: an organization's own name, also where the email wears a client's brand. */
export function createEmailBrands(deps: Pick<Identity, 'stores'> & { views: Views }) {
  return async ({ organization, client }: { organization: string; client?: string }) => {
    const theirs = await brandOf(deps, deps.views, { organization });
    const worn =
      client === undefined
        ? theirs
        : await brandOf(deps, deps.views, { organization, client: { clientId: client } });
    const { name: sender } = theirs;
    return { ...emailBrand(worn), ...(sender !== deps.views.brand.name && { sender }) };
  };
}

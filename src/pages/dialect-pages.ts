/** The few pages that a vendor's API answers with: in the person's language, with the organization's brand. */
import type { Context } from 'koa';
import { sendPage } from '../http/send-page.ts';
import type { Views } from '../http/views.ts';
import type { Identity } from '../identity/identity.ts';
import { brandOf } from './branding.ts';

export interface DialectPage {
  readonly status: number;
  readonly view: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Undefined: none was named, or none is known. */
  readonly organization: string | undefined;
}

export function createDialectPages(parts: Pick<Identity, 'stores'> & { views: Views }) {
  return async (ctx: Context, { organization, data, ...page }: DialectPage): Promise<void> => {
    sendPage(ctx, parts.views, {
      ...page,
      data: { organization: organization ?? '', ...data },
      brand: organization === undefined ? undefined : await brandOf(parts, parts.views, { organization }),
    });
  };
}

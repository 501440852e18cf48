/** The few pages that a vendor's API answers with: in the person's language, with the organization's brand. */
import type { Context } from 'koa';
import type { Views } from '../../http/views/render.ts';
import { sendPage } from '../../http/views/send-page.ts';
import type { Identity } from '../../identity/context.ts';
import { brandOf } from '../shared/branding.ts';

export interface DialectPage {
  readonly status: number;
  readonly view: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Undefined: none was named, or none is known. */
  readonly organization: string | undefined;
}

export function createDialectPages(deps: Pick<Identity, 'stores'> & { views: Views }) {
  return async (ctx: Context, { organization, data, ...page }: DialectPage): Promise<void> => {
    sendPage(ctx, deps.views, {
      ...page,
      data: { organization: organization ?? '', ...data },
      brand: organization === undefined ? undefined : await brandOf(deps, deps.views, { organization }),
    });
  };
}

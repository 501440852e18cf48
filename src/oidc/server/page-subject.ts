/** What the request tells of the page's organization, client and languages: for its brand and its language. */
import type { Client } from 'oidc-provider';
import { traitsOf } from '../clients/clients.ts';
import type { PageSubject } from '../page-contract.ts';
import type { StepContext } from '../provider/context.ts';

/** `client`: the one to go by where the provider does not know it yet. */
export function subjectOf(ctx: StepContext, client?: Client): PageSubject {
  const { oidc } = ctx;
  const known = client ?? oidc?.client;
  const code = oidc?.entities.DeviceCode?.params;
  const locales = code?.ui_locales ?? oidc?.params?.ui_locales ?? ctx.query.ui_locales;
  return {
    ...(known && { organization: traitsOf(known).organization, clientId: known.clientId }),
    ...(typeof locales === 'string' && { languages: locales.split(' ', 10) }),
  };
}

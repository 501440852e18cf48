/** The provider's own pages in our words: what cannot be told to a client, signing out, and devices. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Views } from '../../http/views/render.ts';
import { type PageReply, pageText } from '../../http/views/send-page.ts';
import type { Identity } from '../../identity/context.ts';
import type { PageSubject, ProviderPages } from '../../oidc/page-contract.ts';
import { brandOf, webAddress } from '../shared/branding.ts';
import { scopesInWords } from '../shared/scopes.ts';

export function createProviderPages(deps: Pick<Identity, 'stores'> & { views: Views }): ProviderPages {
  const show = async (
    request: IncomingMessage,
    response: ServerResponse,
    { organization, clientId, languages }: PageSubject,
    reply: PageReply,
  ) => {
    const brand =
      organization === undefined
        ? deps.views.brand
        : await brandOf(deps, deps.views, { organization, ...(clientId && { client: { clientId } }) });
    return pageText(request, response, deps.views, { ...reply, brand, ...(languages && { languages }) });
  };

  return {
    error: async (request, response, context) => {
      const { status, error, description } = context;
      const data = {
        kind: kindOf(status, error),
        code: error,
        description,
        requestId: requestIdOf(response),
      };
      // A page about a store that is down must not ask the store whose brand to wear.
      return show(request, response, status >= 500 ? {} : context, { view: 'error', data });
    },
    confirmLogout: (request, response, context) =>
      show(request, response, context, {
        view: 'confirm-logout',
        formTargets: [context.redirectUri],
        // The provider's address has the host of the request in it; ours does not need one.
        data: {
          action: URL.parse(context.action)?.pathname ?? context.action,
          xsrf: context.xsrf,
          client: context.clientName,
        },
      }),
    signedOut: (request, response, context) =>
      show(request, response, context, {
        view: context.stayed ? 'still-signed-in' : 'signed-out',
        data: {
          client: context.client?.name,
          href: webAddress(context.client?.uri),
          organization: context.organization ?? '',
        },
      }),
    enterDeviceCode: (request, response, context) =>
      context.issue === 'device-stopped'
        ? show(request, response, context, { view: 'device-stopped', data: {} })
        : show(request, response, context, {
            view: 'device',
            data: {
              action: context.action,
              xsrf: context.xsrf,
              userCode: context.userCode ?? '',
              alert: context.issue && { kind: context.issue },
            },
          }),
    confirmDevice: (request, response, context) =>
      show(request, response, context, {
        view: 'device-confirm',
        data: {
          action: context.action,
          xsrf: context.xsrf,
          userCode: context.userCode,
          client: context.client,
          scopes: scopesInWords(context.scopes),
        },
      }),
    deviceConnected: (request, response, context) =>
      show(request, response, context, {
        view: 'device-connected',
        data: { client: context.client, organization: context.organization ?? '' },
      }),
  };
}

function kindOf(status: number, error: string): string {
  if (status >= 500) return status === 503 ? 'unavailable' : 'internal';
  if (status === 429) return 'too-many-requests';
  if (status === 404) return 'not-found';
  return error === 'invalid_client' || error === 'invalid_redirect_uri' ? error : 'request-refused';
}

function requestIdOf(response: ServerResponse): string {
  return String(response.getHeader('x-request-id') ?? '');
}

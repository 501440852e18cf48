/** The provider's own pages in our words: what cannot be told to a client, signing out, and devices. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { acceptedLanguages } from '../../http/views/i18n.ts';
import type { Views } from '../../http/views/render.ts';
import { type PageReply, pageText } from '../../http/views/send-page.ts';
import type { Identity } from '../../identity/context.ts';
import type { PageSubject, ProviderPages } from '../../oidc/page-contract.ts';
import { brandOf, webAddress } from '../shared/branding.ts';
import { leadingTo } from '../shared/lead-on.ts';
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

  const page =
    <Subject extends PageSubject>(replyTo: (context: Subject, languages: readonly string[]) => PageReply) =>
    (request: IncomingMessage, response: ServerResponse, context: Subject) => {
      const accepted = acceptedLanguages(request.headers['accept-language']);
      return show(request, response, context, replyTo(context, [...(context.languages ?? []), ...accepted]));
    };

  return {
    error: async (request, response, context) => {
      const { status, error: code, description, uri } = context;
      const requestId = String(response.getHeader('x-request-id') ?? '');
      const data = { kind: kindOf(status, code), code, description, requestId, uri };
      // A page about a store that is down must not ask the store whose brand to wear.
      return show(request, response, status >= 500 ? {} : context, { view: 'error', data });
    },
    confirmLogout: page(({ action, xsrf, clientName: client }) => ({
      view: 'confirm-logout',
      // The provider's address has the host of the request in it; ours does not need one.
      data: { action: URL.parse(action)?.pathname ?? action, xsrf, client },
    })),
    leadingOn: page(({ url, client }) => leadingTo(url, client)),
    formPost: page(({ url, fields, client: name }) => ({
      view: 'form-post',
      formsLeave: true,
      data: { url, name, answer: Object.entries(fields).map(([name, value]) => ({ name, value })) },
    })),
    signedOut: page(({ stayed, client, organization = '' }) => ({
      view: stayed ? 'still-signed-in' : 'signed-out',
      data: { client: client?.name, href: webAddress(client?.uri), organization },
    })),
    enterDeviceCode: page(({ issue, action, xsrf, userCode = '' }) =>
      issue === 'device-stopped'
        ? { view: 'device-stopped', data: {} }
        : { view: 'device', data: { action, xsrf, userCode, alert: issue && { kind: issue } } },
    ),
    confirmDevice: page(({ action, xsrf, userCode, client, scopes, apis }, languages) => ({
      view: 'device-confirm',
      data: { action, xsrf, userCode, client, scopes: scopesInWords(scopes, { apis, languages }) },
    })),
    deviceConnected: page(({ client, organization = '' }) => ({
      view: 'device-connected',
      data: { client, organization },
    })),
  };
}

function kindOf(status: number, error: string): string {
  if (status >= 500) return status === 503 ? 'unavailable' : 'internal';
  if (status === 429) return 'too-many-requests';
  if (status === 404) return 'not-found';
  return error === 'invalid_client' || error === 'invalid_redirect_uri' ? error : 'request-refused';
}

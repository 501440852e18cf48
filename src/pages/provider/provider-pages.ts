/** The engine's own pages in our words: what cannot be told to a client, signing out, and devices. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Views } from '../../http/views/render.ts';
import type { PageReply } from '../../http/views/send-page.ts';
import { pageText } from '../../http/views/send-page.ts';
import type { Identity } from '../../identity/context.ts';
import type { EnginePages, PageSubject } from '../../oidc/contract.ts';
import { brandOf, webAddress } from '../shared/branding.ts';
import { scopesInWords } from '../shared/scopes.ts';

export function createEnginePages(parts: Pick<Identity, 'stores'> & { views: Views }): EnginePages {
  const show = async (
    request: IncomingMessage,
    response: ServerResponse,
    { organization, clientId, languages }: PageSubject,
    reply: PageReply,
  ) => {
    const brand =
      organization === undefined
        ? parts.views.brand
        : await brandOf(parts, parts.views, { organization, ...(clientId && { client: { clientId } }) });
    return pageText(request, response, parts.views, { ...reply, brand, ...(languages && { languages }) });
  };

  return {
    error: async (request, response, facts) => {
      const { status, error, description } = facts;
      const data = {
        kind: kindOf(status, error),
        code: error,
        description,
        requestId: requestIdOf(response),
      };
      // A page about a store that is down must not ask the store whose brand to wear.
      return show(request, response, status >= 500 ? {} : facts, { view: 'error', data });
    },
    confirmLogout: (request, response, facts) =>
      show(request, response, facts, {
        view: 'confirm-logout',
        formTargets: [facts.redirectUri],
        // The engine's address has the host of the request in it; ours does not need one.
        data: {
          action: URL.parse(facts.action)?.pathname ?? facts.action,
          xsrf: facts.xsrf,
          client: facts.clientName,
        },
      }),
    signedOut: (request, response, facts) =>
      show(request, response, facts, {
        view: facts.stayed ? 'still-signed-in' : 'signed-out',
        data: {
          client: facts.client?.name,
          href: webAddress(facts.client?.uri),
          organization: facts.organization ?? '',
        },
      }),
    enterDeviceCode: (request, response, facts) =>
      facts.problem === 'device-stopped'
        ? show(request, response, facts, { view: 'device-stopped', data: {} })
        : show(request, response, facts, {
            view: 'device',
            data: {
              action: facts.action,
              xsrf: facts.xsrf,
              userCode: facts.userCode ?? '',
              alert: facts.problem && { kind: facts.problem },
            },
          }),
    confirmDevice: (request, response, facts) =>
      show(request, response, facts, {
        view: 'device-confirm',
        data: {
          action: facts.action,
          xsrf: facts.xsrf,
          userCode: facts.userCode,
          client: facts.client,
          scopes: scopesInWords(facts.scopes),
        },
      }),
    deviceConnected: (request, response, facts) =>
      show(request, response, facts, {
        view: 'device-connected',
        data: { client: facts.client, organization: facts.organization ?? '' },
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

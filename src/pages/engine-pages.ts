/** The engine's own pages in our words: what cannot be told to a client, and signing out. */
import type { ServerResponse } from 'node:http';
import { pageText } from '../http/send-page.ts';
import type { Views } from '../http/views.ts';
import type { EnginePages } from '../oidc/oidc.ts';
import { webAddress } from './branding.ts';

export function createEnginePages({ views }: { views: Views }): EnginePages {
  return {
    error(request, response, { status, error, description }) {
      return pageText(request, response, views, {
        view: 'error',
        data: { kind: kindOf(status, error), code: error, description, requestId: requestIdOf(response) },
      });
    },
    confirmLogout(request, response, { action, xsrf, clientName, redirectUri }) {
      // The engine's address has the host of the request in it; ours does not need one.
      const path = URL.parse(action)?.pathname ?? action;
      return pageText(request, response, views, {
        view: 'confirm-logout',
        formTargets: [redirectUri],
        data: { action: path, xsrf, client: clientName },
      });
    },
    signedOut(request, response, client) {
      return pageText(request, response, views, {
        view: 'signed-out',
        data: { client: client?.name, href: webAddress(client?.uri) },
      });
    },
  };
}

function kindOf(status: number, error: string): string {
  if (status >= 500) return status === 503 ? 'unavailable' : 'internal';
  if (status === 404) return 'not-found';
  return error === 'invalid_client' || error === 'invalid_redirect_uri' ? error : 'request-refused';
}

function requestIdOf(response: ServerResponse): string {
  return String(response.getHeader('x-request-id') ?? '');
}

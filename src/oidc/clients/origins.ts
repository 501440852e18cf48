/**
 * Which web origins may read what the server answers to a client (CORS). A browser enforces it; what the server does
 * for the request depends on its credentials alone.
 */
import type { Client } from 'oidc-provider';
import type { ProviderContext } from '../provider/context.ts';
import { traitsOf } from './clients.ts';

/**
 * The provider's clientBasedCORS, `everywhere` being the server's own list. False refuses the request: a public
 * client's comes from a browser that could not read the answer. A confidential client's comes from its server, whose
 * Origin header says nothing about a page: it is answered, and no page may read that.
 */
export function createOriginPolicy(everywhere: readonly string[]) {
  return (ctx: ProviderContext, origin: string, client: Client): boolean => {
    // Sandboxed frames and local files of every site are this origin.
    if (origin === 'null') return false;
    if (everywhere.includes(origin) || traitsOf(client).allowedOrigins.includes(origin)) return true;
    const isPublic = client.tokenEndpointAuthMethod === 'none';
    if ((isPublic || ctx.oidc.route === 'userinfo') && isOwn(origin, client)) return true;
    ctx.remove('Access-Control-Allow-Origin');
    ctx.remove('Access-Control-Expose-Headers');
    return !isPublic;
  };
}

/** Where one of its pages lies, as its redirect URIs say. */
function isOwn(origin: string, { redirectUris = [] }: Client): boolean {
  return redirectUris.some((uri) => URL.parse(uri)?.origin === origin);
}

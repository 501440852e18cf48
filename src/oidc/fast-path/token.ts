/** The token endpoint, for clients that prove themselves by their secret. */
import type { IncomingMessage } from 'node:http';
import type { Client } from 'oidc-provider';
import type { FastRoute } from '../fast-path-contract.ts';
import { ROUTES } from '../provider/routes.ts';
import { clientByBasic, clientBySecret, plainForm } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { JSON_REPLY } from './live-token.ts';
import { ownToken } from './own-token.ts';

export type TokenForm = NonNullable<ReturnType<typeof tokenForm>>;

export function tokenRoute(deps: FastPathDeps): FastRoute {
  return {
    pattern: ROUTES.token,
    takesForm: true,
    async answer(request, text) {
      const form = tokenForm(text);
      if (form?.grant_type !== 'client_credentials') return undefined;
      const client = await clientOf(request, form, deps);
      if (client === undefined || isBound(client) || !client.grantTypeAllowed(form.grant_type))
        return undefined;
      const reply = await ownToken({ request, form, client }, deps);
      return reply && { headers: JSON_REPLY, body: JSON.stringify(reply) };
    },
  };
}

const tokenForm = (text: string) =>
  plainForm(text, ['grant_type', 'client_id', 'client_secret', 'scope', 'resource'] as const);

async function clientOf(
  { headers: { authorization } }: IncomingMessage,
  form: TokenForm,
  deps: FastPathDeps,
) {
  const { client_id: id, client_secret: secret } = form;
  if (authorization === undefined) return id && secret ? clientBySecret(id, secret, deps) : undefined;
  // One proof only.
  const client = secret === undefined ? await clientByBasic(authorization, deps) : undefined;
  return id === undefined || id === client?.clientId ? client : undefined;
}

/** Its tokens belong to a key or a certificate. */
function isBound({ dpopBoundAccessTokens, tlsClientCertificateBoundAccessTokens }: Client): boolean {
  return dpopBoundAccessTokens === true || tlsClientCertificateBoundAccessTokens === true;
}

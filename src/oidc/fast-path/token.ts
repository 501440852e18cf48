/** The token endpoint, for clients that have a secret and for public ones. */
import type { IncomingMessage } from 'node:http';
import type { Client } from 'oidc-provider';
import { traitsOf } from '../clients/clients.ts';
import type { FastRoute } from '../fast-path-contract.ts';
import { ROUTES } from '../provider/routes.ts';
import { clientByBasic, clientBySecret, plainForm } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { JSON_REPLY } from './live-token.ts';
import { ownToken } from './own-token.ts';
import { redeemed } from './redeemed.ts';
import { refreshed } from './refreshed.ts';

export interface Asked {
  readonly request: IncomingMessage;
  readonly form: TokenForm;
  readonly client: Client;
}

type TokenForm = NonNullable<ReturnType<typeof tokenForm>>;

export function tokenRoute(deps: FastPathDeps): FastRoute {
  return {
    pattern: ROUTES.token,
    takes: 'form',
    async answer(request, text) {
      const form = tokenForm(text);
      const make = form && makerFor(form);
      if (form?.grant_type === undefined || make === undefined) return undefined;
      const client = await clientOf(request, form, deps);
      if (client === undefined || isBound(client) || !client.grantTypeAllowed(form.grant_type))
        return undefined;
      const reply = await make({ request, form, client }, deps);
      if (reply === undefined) return undefined;
      deps.registration.use(client);
      return { headers: JSON_REPLY, body: JSON.stringify(reply) };
    },
  };
}

const CODE_FIELDS = ['code', 'redirect_uri', 'code_verifier'] as const;
const OTHER_FIELDS = ['scope', 'resource', 'refresh_token'] as const;
const FIELDS = ['grant_type', 'client_id', 'client_secret', ...OTHER_FIELDS, ...CODE_FIELDS] as const;

const tokenForm = (text: string) => plainForm(text, FIELDS);

/** The provider drops what does not belong to the grant. */
function makerFor(form: TokenForm) {
  const has = (names: readonly (keyof TokenForm)[]) => names.some((name) => form[name] !== undefined);
  if (form.grant_type === 'authorization_code') return has(OTHER_FIELDS) ? undefined : redeemed;
  if (has(CODE_FIELDS)) return undefined;
  if (form.grant_type === 'client_credentials') return ownToken;
  return form.grant_type === 'refresh_token' ? refreshed : undefined;
}

async function clientOf(
  { headers: { authorization } }: IncomingMessage,
  form: TokenForm,
  deps: FastPathDeps,
) {
  const { client_id: id, client_secret: secret } = form;
  if (authorization === undefined) {
    if (id === undefined) return undefined;
    return secret === undefined ? publicClient(id, deps) : clientBySecret(id, secret, deps);
  }
  // One proof only.
  const client = secret === undefined ? await clientByBasic(authorization, deps) : undefined;
  return id === undefined || id === client?.clientId ? client : undefined;
}

async function publicClient(id: string, { findClient }: FastPathDeps): Promise<Client | undefined> {
  const client = await findClient(id);
  if (client?.tokenEndpointAuthMethod !== 'none') return undefined;
  const { dialect, unregistered } = traitsOf(client);
  // The document of one that is not registered is read again.
  return dialect === undefined && !unregistered ? client : undefined;
}

/** Its tokens belong to a key or a certificate. */
function isBound({ dpopBoundAccessTokens, tlsClientCertificateBoundAccessTokens }: Client): boolean {
  return dpopBoundAccessTokens === true || tlsClientCertificateBoundAccessTokens === true;
}

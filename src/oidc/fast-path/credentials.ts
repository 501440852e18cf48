/** The commonest forms of what a client sends: its secret by Basic, a form of plain fields, an opaque token. */
import type { Client } from 'oidc-provider';
import { isSecretOf, traitsOf } from '../clients/clients.ts';
import type { FastPathDeps } from './fast-path.ts';

/** What the provider makes (43 characters) and dialects make. No JWT, which has a digest for its name. */
export const OPAQUE = /^[\w-]{20,128}$/;

/** The client that proves itself by Basic with its secret; undefined for any other, and for any doubt. */
export async function clientByBasic(
  authorization: string | undefined,
  deps: FastPathDeps,
): Promise<Client | undefined> {
  const [, encoded = ''] = /^Basic (\S+)$/.exec(authorization ?? '') ?? [];
  const decoded = Buffer.from(encoded, 'base64');
  if (decoded.toString('base64') !== encoded) return undefined;
  // Both parts are form-encoded: those that need no decoding.
  const [, id, secret] = /^([\w.~-]+):([\w.~-]+)$/.exec(decoded.toString('latin1')) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  const client = await deps.findClient(id);
  if (client?.tokenEndpointAuthMethod !== 'client_secret_basic' || client.clientSecretExpiresAt)
    return undefined;
  if (traitsOf(client).dialect !== undefined) return undefined;
  const { secrets, clock } = deps;
  return isSecretOf(client, secret, { secrets, now: clock.now() }) ? client : undefined;
}

/** The fields of a form without escapes; undefined where one stands twice or is none of `names`. */
export function plainForm<Name extends string>(
  text: string,
  names: readonly Name[],
): Partial<Record<Name, string>> | undefined {
  const fields = new Map<string, string>();
  for (const pair of text.split('&')) {
    const [, name = '', value = ''] = /^(\w+)=([\w.~-]+)$/.exec(pair) ?? [];
    if (!names.some((known) => known === name) || fields.has(name)) return undefined;
    fields.set(name, value);
  }
  return Object.fromEntries(fields) as Partial<Record<Name, string>>;
}

/** The commonest forms of what a client sends: its secret by Basic, a form of plain fields, an opaque token. */
import { parse } from 'node:querystring';
import type { Client } from 'oidc-provider';
import { isSecretOf, traitsOf } from '../clients/clients.ts';
import type { FastPathDeps } from './fast-path.ts';

/** What the provider makes (43 characters) and dialects make. No JWT, which has a digest for its name. */
export const OPAQUE = /^[\w-]{20,128}$/;

/** Of a client that has one, the provider takes the secret from the header and from the form. */
const BY_SECRET: readonly unknown[] = ['client_secret_basic', 'client_secret_post'];

/** Both parts are form-encoded. Some clients encode more than they must. */
const BASIC = /^((?:[\w.~-]|%[2-7][\dA-F])+):((?:[\w.~-]|%[2-7][\dA-F])+)$/;

/** The client that proves itself by Basic with its secret; undefined for any other, and for any doubt. */
export async function clientByBasic(
  authorization: string | undefined,
  deps: FastPathDeps,
): Promise<Client | undefined> {
  const [, encoded = ''] = /^Basic (\S+)$/.exec(authorization ?? '') ?? [];
  const decoded = Buffer.from(encoded, 'base64');
  if (decoded.toString('base64') !== encoded) return undefined;
  const [, id, secret] = BASIC.exec(decoded.toString('latin1')) ?? [];
  if (id === undefined || secret === undefined) return undefined;
  return clientBySecret(decodeURIComponent(id), decodeURIComponent(secret), deps);
}

export async function clientBySecret(
  id: string,
  secret: string,
  deps: FastPathDeps,
): Promise<Client | undefined> {
  const client = await deps.findClient(id);
  if (client === undefined || client.clientSecretExpiresAt) return undefined;
  if (!BY_SECRET.includes(client.tokenEndpointAuthMethod)) return undefined;
  if (traitsOf(client).dialect !== undefined) return undefined;
  const { secrets, clock } = deps;
  return isSecretOf(client, secret, { secrets, now: clock.now() }) ? client : undefined;
}

const PRINTABLE = /^[\x20-\x7e]+$/;

/**
 * The fields of a form, read as the provider reads it; undefined where one stands twice, is empty, has other than
 * printable characters, or is none of `names`.
 */
export function plainForm<Name extends string>(
  text: string,
  names: readonly Name[],
): Partial<Record<Name, string>> | undefined {
  const fields: Partial<Record<Name, string>> = {};
  for (const [name, value] of Object.entries(parse(text))) {
    const known = names.find((each) => each === name);
    if (known === undefined || typeof value !== 'string' || !PRINTABLE.test(value)) return undefined;
    fields[known] = value;
  }
  return fields;
}

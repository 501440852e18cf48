/** What clients were granted of an API. */
import type { ApiRecord } from '../../model/api.ts';
import { type ClientRecord, grantsOf, servesOrganization, servingOf, withGrant } from '../../model/client.ts';
import type { CommandContext } from '../context.ts';
import { CommandRefused } from '../output.ts';

export async function clientOf({ stores }: CommandContext, id: string): Promise<ClientRecord> {
  const client = await stores.clients.byId(id);
  if (client === undefined) throw new CommandRefused(`There is no client ${id}. See: portico client list`);
  if (client.dialect === undefined) return client;
  throw new CommandRefused(`${id} belongs to the dialect ${client.dialect}, and gets no tokens here.`);
}

export function scopesOf(client: ClientRecord, { identifier }: ApiRecord): string[] | undefined {
  const grants = grantsOf(client);
  return Object.hasOwn(grants, identifier) ? grants[identifier] : undefined;
}

export function refuseGrant(api: ApiRecord, client: ClientRecord, scopes: readonly string[]): void {
  const unknown = scopes.filter((scope) => !Object.hasOwn(api.scopes, scope));
  if (unknown.length > 0) {
    const all = Object.keys(api.scopes).join(' ') || 'none';
    throw new CommandRefused(`The API ${api.id} has no scope ${unknown.join(' ')}. It has: ${all}`);
  }
  if (api.organization !== undefined && !servesOrganization(servingOf(client), api.organization)) {
    throw new CommandRefused(
      `The API ${api.id} is for clients of the organization ${api.organization} alone.`,
    );
  }
}

export async function grant(
  context: CommandContext,
  api: ApiRecord,
  client: ClientRecord,
  how: Parameters<typeof withGrant>[2],
): Promise<void> {
  await context.stores.clients.put(withGrant(client, api.identifier, how));
  const { organization, clientId } = client;
  await context.note('client.update', { organization, detail: { client: clientId, api: api.id } });
}

/** Clients keep what they were granted when the API gets another identifier, and lose the scopes that it loses. */
export async function followGrants(
  context: CommandContext,
  before: ApiRecord,
  api: ApiRecord,
): Promise<void> {
  for (const client of await context.stores.clients.list()) {
    const scopes = scopesOf(client, before);
    if (scopes === undefined) continue;
    const left = scopes.filter((scope) => Object.hasOwn(api.scopes, scope));
    const isMoved = before.identifier !== api.identifier;
    if (!isMoved && left.length === scopes.length) continue;
    const isDefault = client.metadata.default_api === before.identifier;
    const rest = isMoved ? withGrant(client, before.identifier, { scopes: undefined }) : client;
    await grant(context, api, rest, { scopes: left, isDefault });
  }
}

/**
 * Each dialect acts as one OAuth client of its own, made at start: without a secret and refused at
 * /authorize and /token, so that no application can act as it, while its grants can be listed and revoked apart.
 */
import type { Config } from '../../config/schema.ts';
import type { Stores } from '../../store/ports/stores.ts';
import type { Dialect } from '../contract/dialect.ts';
import { parseSettings } from '../runtime/mounted.ts';
import { DialectsRefused } from './validate.ts';

/** Safe to repeat, and from many processes at once. Throws DialectsRefused. */
export async function ensureDialectClients(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
  readonly stores: Pick<Stores, 'clients'>;
}): Promise<void> {
  const issues: string[] = [];
  const mounted = parseSettings(options.dialects, options.config.dialects, issues);
  if (issues.length > 0) throw new DialectsRefused(issues);
  for (const { dialect, settings, clientId } of mounted) {
    const present = await options.stores.clients.byId(clientId);
    if (present !== undefined && present.dialect !== dialect.name) {
      throw new DialectsRefused([
        `dialects.${dialect.name}.clientId: the client '${clientId}' exists already and is not this dialect's`,
      ]);
    }
    await options.stores.clients.put({
      clientId,
      organization: typeof settings.organization === 'string' ? settings.organization : 'default',
      allOrganizations: false,
      firstParty: true,
      introspects: [],
      revokes: [],
      dialect: dialect.name,
      metadata: {
        client_id: clientId,
        client_name: dialect.title,
        token_endpoint_auth_method: 'none',
        grant_types: [],
        response_types: [],
        redirect_uris: [],
      },
    });
  }
}

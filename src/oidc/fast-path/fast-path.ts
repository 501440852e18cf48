/**
 * The fast path: answers that the provider gives thousands of times a second, made without its middleware. Each route
 * knows the commonest form of its request and leaves every other form, every refusal and every client or token with
 * something unusual to the provider. Records are found, verified and judged by the provider's own models;
 * test/oidc/fast-path holds both ways against each other, byte for byte.
 */
import type Provider from 'oidc-provider';
import { type Client, errors } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { TokenRights } from '../clients/token-permissions.ts';
import type { FastRoute } from '../fast-path-contract.ts';
import { ROUTES } from '../provider/routes.ts';
import { type Documents, documentRoute } from './documents.ts';
import { introspectionRoute } from './introspection.ts';
import { userinfoRoute } from './userinfo.ts';

export type FastPathDeps = ReturnType<typeof fastPathDeps>;

interface ServerParts {
  readonly accounts: AccountStore;
  readonly clients: ClientRegistry;
  readonly rights: TokenRights;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly config: Config;
}

interface Build {
  readonly provider: Provider;
  readonly documents: Documents;
}

/** By method and path, on one build of the provider. */
export function fastRoutes(server: ServerParts, build: Build): ReadonlyMap<string, FastRoute> {
  const { documents } = build;
  const deps = fastPathDeps(server, build);
  return new Map([
    ...documents.paths.map((path) => [`GET ${path}`, documentRoute(path, documents)] as const),
    [`POST ${ROUTES.introspection}`, introspectionRoute(deps)],
    [`GET ${ROUTES.userinfo}`, userinfoRoute(deps)],
  ]);
}

function fastPathDeps(
  { accounts, clients, rights, secrets, clock, config }: ServerParts,
  { provider }: Build,
) {
  const known = new WeakMap<ClientRecord, Promise<Client | undefined>>();
  return {
    ...{ accounts, rights, secrets, clock, config, provider },
    /** The provider hashes a client's metadata at every look-up; here one record is made a client once. */
    async findClient(id: string): Promise<Client | undefined> {
      const record = await clients.record(id);
      if (record === undefined) return undefined;
      const client = known.get(record) ?? provider.Client.find(id).catch(unlessRefused);
      known.set(record, client);
      return client;
    },
  };
}

/** Why the provider takes the client for none, it says itself. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof errors.OIDCProviderError)) throw error;
}

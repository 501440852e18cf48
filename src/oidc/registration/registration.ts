/**
 * Dynamic client registration (RFC 7591, RFC 7592): what a client may say about itself, who may register one, how
 * many there may be, and when they end. oidc-provider answers `/register`: before it, steps.ts judges the body and the
 * initial access token; the provider hands the new client to this file to store; after it, steps.ts takes secrets out
 * of the answer. A registered client is stored as any other (oidc/clients), with `registered`.
 */
import Provider, { type Client, errors } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { inTurn } from '../../core/in-turn.ts';
import type { ClientRecord, RegistrationLimits } from '../../model/client.ts';
import type { Json } from '../../model/json.ts';
import type { Audit } from '../../observe/audit.ts';
import type { Log } from '../../observe/log.ts';
import type { ClientStore } from '../../store/ports/installation.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import { type ClientRegistry, traitsOf } from '../clients/clients.ts';
import { judgeClient } from '../clients/judge-client.ts';
import { validateClient } from '../extensions/issuer-and-clients.ts';
import type { ClientWriter } from '../persistence/adapter.ts';
import type { OidcRecords } from '../persistence/records.ts';
import type { Registrations } from '../registration-contract.ts';
import { endGrant } from '../tokens/dialect-tokens.ts';
import { createInitialTokens } from './initial-tokens.ts';
import { policyOf, REGISTRABLE } from './policy.ts';
import { createRegisteredClients } from './registered-clients.ts';

/** How many grants of a client that ends are read at once. */
const GRANTS = 500;

export interface RegistrationDeps {
  readonly config: Config;
  readonly stores: { readonly clients: ClientStore };
  readonly leases: LeaseStore;
  readonly oidcRecords: OidcRecords;
  readonly clients: ClientRegistry;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Log;
  /** Why the server would not call a URL; undefined: it would. */
  readonly refusesToFetch: (url: URL) => string | undefined;
  readonly fetch: (url: string) => Promise<Response>;
}

/** A request that may register a client, or change one. */
export type Admission =
  | {
      readonly organization: string;
      readonly limits?: RegistrationLimits | undefined;
      /** The initial access token, and its id. */
      readonly token?: { readonly id: string; readonly value: string };
    }
  /** The client as it was read, and the registration access token. */
  | { readonly present: ClientRecord; readonly token: string };

export type Registration = ReturnType<typeof createRegistration>;

export function createRegistration(deps: RegistrationDeps) {
  const { config, oidcRecords, stores, leases, clients, clock, audit, log } = deps;
  const { unusedAfter, most } = config.oidc.registration;
  const registered = createRegisteredClients({
    ...{ oidcRecords, store: stores.clients, clients, leases, clock, unusedAfter, most },
  });
  const tokens = createInitialTokens({ oidcRecords, clock, alone: registered.alone });
  const admissions = new WeakMap<object, Admission>();

  async function write(metadata: Record<string, Json>): Promise<void> {
    const ctx = Provider.ctx;
    const admission = ctx && admissions.get(ctx);
    if (ctx === undefined || admission === undefined) throw new Error('This request registers no client.');
    if ('organization' in admission) {
      const record = firstRecord(metadata, admission, deps);
      await refuseUseless(ctx.oidc.provider, record, deps);
      return add(record, admission.token?.value);
    }
    const { present: before, token } = admission;
    const change = (present: ClientRecord) => changed(present, metadata, { ...deps, before });
    await refuseUseless(ctx.oidc.provider, change(before), deps);
    if (!(await registered.change(before.clientId, token, change))) {
      throw new errors.InvalidToken('the client is gone, or another request has changed it');
    }
  }

  async function add(record: ClientRecord, token: string | undefined): Promise<void> {
    const admit = async () => token === undefined || tokens.use(token);
    const outcome = await registered.add(record, admit);
    if (outcome === 'full') throw tooMany();
    if (outcome === 'refused') throw new errors.InvalidToken('the initial access token is used up');
  }

  /** The client first, so that no grant is made behind what ends here. False: there was none. */
  async function end(clientId: string): Promise<boolean> {
    const removed = await registered.remove(clientId);
    for (;;) {
      const grants = await oidcRecords.grantsOfClient(clientId, GRANTS);
      if (grants.length === 0) return removed;
      await inTurn(grants, 8, ({ payload }) => endGrant(oidcRecords, String(payload.jti)));
    }
  }

  const writer: ClientWriter = {
    write,
    async remove(clientId) {
      await end(clientId);
    },
    family: registered.family,
  };
  const forOperators: Registrations = {
    tokens: tokens.forOperators,
    endClient: end,
    async endUnused() {
      const unused = await registered.unused();
      for (const { clientId, organization } of unused) {
        if (!(await end(clientId))) continue;
        const detail = { client: clientId, why: 'unused' };
        audit.write({ event: 'client.delete', outcome: 'success', organization, clientId, detail });
      }
      return unused.length;
    },
  };
  const policyFor = (limits?: RegistrationLimits) => policyOf(deps, limits);
  /** The client signed a person in, or got a token. */
  const use = (client: Client) => {
    if (!traitsOf(client).registered) return;
    registered.use(client.clientId).catch((error: unknown) => {
      log.warn({ err: error, client: client.clientId }, 'the use of a registered client was not noted');
    });
  };
  return { writer, forOperators, tokens, admissions, policyFor, use };
}

function firstRecord(
  metadata: Record<string, Json>,
  { organization, limits, token }: Extract<Admission, { organization: string }>,
  deps: RegistrationDeps,
): ClientRecord {
  return {
    ...{ clientId: String(metadata.client_id), organization, allOrganizations: false, firstParty: false },
    ...{ introspects: [], revokes: [] },
    ...secretOf(metadata, deps),
    registered: {
      at: deps.clock.now().toISOString(),
      ...(token && { token: token.id }),
      ...(limits && { limits }),
    },
    metadata: {
      ...registrable(metadata),
      apis: Object.fromEntries(Object.entries(limits?.apis ?? {}).map(([api, scopes]) => [api, [...scopes]])),
    },
  };
}

/** What the operator has set stays; of what the client may say, all is new (RFC 7592, 2.2). */
function changed(
  present: ClientRecord,
  metadata: Record<string, Json>,
  deps: RegistrationDeps & { readonly before: ClientRecord },
): ClientRecord {
  const { secretHash, oldSecret, ...rest } = present;
  const others = Object.entries(present.metadata).filter(([member]) => !REGISTRABLE.has(member));
  // The provider hands back what it read, which is the hash, unless it drew a new secret. An operator may have
  // replaced the secret since.
  const isHash = [secretHash, deps.before.secretHash].some((hash) => hash === metadata.client_secret);
  const kept = secretHash !== undefined && isHash && hasSecret(metadata);
  return {
    ...rest,
    ...(kept ? { secretHash, ...(oldSecret && { oldSecret }) } : secretOf(metadata, deps)),
    metadata: { ...Object.fromEntries(others), ...registrable(metadata) },
  };
}

function registrable(metadata: Record<string, Json>): Record<string, Json> {
  return Object.fromEntries(Object.entries(metadata).filter(([member]) => REGISTRABLE.has(member)));
}

function hasSecret({ token_endpoint_auth_method: method }: Record<string, Json>): boolean {
  return String(method).startsWith('client_secret');
}

function secretOf(metadata: Record<string, Json>, { secrets }: RegistrationDeps) {
  const { client_secret: secret } = metadata;
  if (!hasSecret(metadata) || typeof secret !== 'string') return {};
  return { secretHash: secrets.hmac('client-secret', secret) };
}

/** Refuses at registration what would make every later request of the client fail. */
async function refuseUseless(
  provider: Provider,
  record: ClientRecord,
  { config, fetch, refusesToFetch }: RegistrationDeps,
): Promise<void> {
  const [issue] = await judgeClient(record, {
    validate: (metadata) => validateClient(provider, metadata),
    scopes: () => config.oidc.registration.scopes,
    refusesToFetch,
    // The reason would tell what there is in the server's network.
    fetch: (url) => fetch(url).catch(() => Promise.reject(new Error('there is no answer'))),
  });
  if (issue !== undefined) throw new errors.InvalidClientMetadata(`${issue.path} ${issue.message}`);
}

function tooMany(): errors.OIDCProviderError {
  const error = new errors.CustomOIDCProviderError(
    'temporarily_unavailable',
    'there are too many registered clients',
  );
  return Object.assign(error, { status: 429, statusCode: 429 });
}

/**
 * What accounts have allowed clients, remembered beyond the browser session in which they were asked. It
 * gives no access by itself: a grant is made from it when its person is signed in and the client asks again.
 */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { ConsentView } from '../contract.ts';
import type { OidcRecord, OidcRecords } from '../persistence/records.ts';

/** What a client may see and do, by name. */
export interface Allowed {
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

export interface Consents {
  /** Of what the client asks for, what the account has allowed it before. */
  recall(accountId: string, clientId: string, asked: Allowed): Promise<Allowed>;
  /** Adds to what was allowed before; all of it counts from now on. False: nothing is remembered. */
  remember(accountId: string, clientId: string, allowed: Allowed): Promise<boolean>;
  /** Those of clients that are still registered as they were, the newest first. */
  list(accountId: string): Promise<ConsentView[]>;
  /** False: there was none. */
  forget(accountId: string, clientId: string): Promise<boolean>;
  forgetAll(accountId: string): Promise<void>;
}

/** The payload of an OIDC record. */
interface Consent extends Allowed {
  readonly accountId: string;
  readonly clientId: string;
  /** Which registration of the client it was given to. */
  readonly registration: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

const KIND = 'Consent';
const NOTHING: Allowed = { scopes: [], claims: [], resources: {} };

export interface ConsentDeps {
  readonly oidcRecords: OidcRecords;
  readonly clients: ClientRegistry;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** False: nothing is recalled or added. Stored consents are ignored meanwhile, and can be forgotten. */
  readonly enabled: boolean;
  /** Seconds after which a consent is forgotten, from when it was last given. */
  readonly lifetime: number;
}

export function createConsents(deps: ConsentDeps): Consents {
  const { oidcRecords, clients, secrets, clock, enabled, lifetime } = deps;
  const idOf = (accountId: string, clientId: string) => JSON.stringify([accountId, clientId]);

  /** Undefined: clients that show their page every time, or never. */
  async function registrationOf(clientId: string): Promise<string | undefined> {
    const client = await clients.record(clientId);
    return client && remembers(client)
      ? secrets.hmac('consent-registration', whatIsBound(client))
      : undefined;
  }

  /** Undefined also for what was allowed to another client that had this id once. */
  async function find(accountId: string, clientId: string): Promise<Consent | undefined> {
    const [result, registration] = await Promise.all([
      oidcRecords.load(KIND, idOf(accountId, clientId)),
      registrationOf(clientId),
    ]);
    const consent = result && consentOf(result);
    return consent?.registration === registration ? consent : undefined;
  }

  return {
    async recall(accountId, clientId, asked) {
      const known = enabled && !isNothing(asked) ? await find(accountId, clientId) : undefined;
      return known ? common(asked, known) : NOTHING;
    },
    async remember(accountId, clientId, allowed) {
      const registration = enabled ? await registrationOf(clientId) : undefined;
      if (registration === undefined) return false;
      const all = sum((await find(accountId, clientId)) ?? NOTHING, allowed);
      if (isNothing(all)) return false;
      const createdAt = clock.now().getTime();
      const consent: Consent = { accountId, clientId, registration, createdAt, ...all };
      await oidcRecords.save(KIND, idOf(accountId, clientId), { ...consent }, lifetime);
      return true;
    },
    async list(accountId) {
      if (!enabled) return [];
      const result = await oidcRecords.listByAccount(KIND, accountId);
      const views = await Promise.all(
        result.map(async (oidcRecord) => {
          const consent = consentOf(oidcRecord);
          if (consent.registration !== (await registrationOf(consent.clientId))) return [];
          return [viewOf(consent, oidcRecord, await clients.record(consent.clientId))];
        }),
      );
      return views.flat().sort((one, two) => two.createdAt.getTime() - one.createdAt.getTime());
    },
    forget: (accountId, clientId) => oidcRecords.remove(KIND, idOf(accountId, clientId)),
    async forgetAll(accountId) {
      const result = await oidcRecords.listByAccount(KIND, accountId);
      await Promise.all(result.map(({ id }) => oidcRecords.removeStored(KIND, id)));
    },
  };
}

/** First-party clients show no consent page. Native ones show it every time, since any app may claim to be one. */
function remembers({ firstParty, metadata }: ClientRecord): boolean {
  return !firstParty && metadata.application_type !== 'native';
}

/** A client that is registered anew under the same id has other redirect URIs, so consents go to another app. */
function whatIsBound({ organization, metadata }: ClientRecord): string {
  const addresses = Array.isArray(metadata.redirect_uris) ? metadata.redirect_uris.map(String) : [];
  return JSON.stringify([organization, ...addresses.sort()]);
}

function consentOf({ payload }: OidcRecord): Consent {
  return {
    accountId: String(payload.accountId),
    clientId: String(payload.clientId),
    registration: String(payload.registration),
    createdAt: Number(payload.createdAt),
    scopes: textsOf(payload.scopes),
    claims: textsOf(payload.claims),
    resources: Object.fromEntries(
      Object.entries(payload.resources ?? {}).map(([resource, scopes]) => [resource, textsOf(scopes)]),
    ),
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function viewOf(
  { clientId, scopes, claims, resources, createdAt }: Consent,
  { expiresAt }: OidcRecord,
  client: ClientRecord | undefined,
): ConsentView {
  return {
    clientId,
    clientName: String(client?.metadata.client_name ?? clientId),
    scopes: [...new Set([...scopes, ...Object.values(resources).flat()])],
    claims,
    createdAt: new Date(createdAt),
    ...(expiresAt && { expiresAt }),
  };
}

/* ------------------------------------------------------------------ arithmetic */

export function isNothing({ scopes, claims, resources }: Allowed): boolean {
  return scopes.length + claims.length + Object.values(resources).flat().length === 0;
}

function common(one: Allowed, two: Allowed): Allowed {
  const both = (here: readonly string[], there: readonly string[] = []) =>
    here.filter((name) => there.includes(name));
  const resources = Object.entries(one.resources).map(
    ([resource, scopes]) => [resource, both(scopes, own(two.resources, resource))] as const,
  );
  return {
    scopes: both(one.scopes, two.scopes),
    claims: both(one.claims, two.claims),
    resources: Object.fromEntries(resources.filter(([, scopes]) => scopes.length > 0)),
  };
}

function sum(one: Allowed, two: Allowed): Allowed {
  const either = (here: readonly string[] = [], there: readonly string[] = []) => [
    ...new Set([...here, ...there]),
  ];
  const names = either(Object.keys(one.resources), Object.keys(two.resources));
  return {
    scopes: either(one.scopes, two.scopes),
    claims: either(one.claims, two.claims),
    resources: Object.fromEntries(
      names.map((name) => [name, either(own(one.resources, name), own(two.resources, name))]),
    ),
  };
}

function own(resources: Allowed['resources'], name: string): readonly string[] | undefined {
  return Object.hasOwn(resources, name) ? resources[name] : undefined;
}

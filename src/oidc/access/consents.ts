/**
 * What accounts have allowed clients, remembered beyond the browser session in which they were asked. It
 * gives no access by itself: a grant is made from it when its person is signed in and the client asks again.
 */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import { textsOf } from '../../model/json.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { ConsentView } from '../contract.ts';
import type { OidcRecord, OidcRecords } from '../persistence/records.ts';

/** What a client may see and do, by name. */
export interface Allowed {
  readonly scopes: readonly string[];
  readonly claims: readonly string[];
  readonly resources: Readonly<Record<string, readonly string[]>>;
}

export type Consents = ReturnType<typeof createConsents>;

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
export const NOTHING: Allowed = { scopes: [], claims: [], resources: {} };

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

export function createConsents(deps: ConsentDeps) {
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
    /** Of what the client asks for, what the account has allowed it before. */
    async recall(accountId: string, clientId: string, asked: Allowed) {
      const known = enabled && !isNothing(asked) ? await find(accountId, clientId) : undefined;
      return known ? common(asked, known) : NOTHING;
    },
    /** Adds to what was allowed before; all of it counts from now on. False: nothing is remembered. */
    async remember(accountId: string, clientId: string, allowed: Allowed) {
      const registration = enabled ? await registrationOf(clientId) : undefined;
      if (registration === undefined) return false;
      const all = sum((await find(accountId, clientId)) ?? NOTHING, allowed);
      if (isNothing(all)) return false;
      const createdAt = clock.now().getTime();
      const consent: Consent = { accountId, clientId, registration, createdAt, ...all };
      await oidcRecords.save(KIND, idOf(accountId, clientId), { ...consent }, lifetime);
      return true;
    },
    /** Those of clients that are still registered as they were, the newest first. */
    async list(accountId: string): Promise<ConsentView[]> {
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
    /** False: there was none. */
    forget: (accountId: string, clientId: string) => oidcRecords.remove(KIND, idOf(accountId, clientId)),
    async forgetAll(accountId: string) {
      const result = await oidcRecords.listByAccount(KIND, accountId);
      await Promise.all(result.map(({ id }) => oidcRecords.removeStored(KIND, id)));
    },
  };
}

/**
 * First-party clients show no consent page. Native ones show it every time, since any app may claim to be one, and
 * so do those that no operator registered.
 */
function remembers({ firstParty, unregistered, registered, metadata }: ClientRecord): boolean {
  return !firstParty && !unregistered && registered === undefined && metadata.application_type !== 'native';
}

/** A client that is registered anew under the same id has other redirect URIs, so consents go to another app. */
function whatIsBound({ organization, metadata }: ClientRecord): string {
  return JSON.stringify([organization, ...textsOf(metadata.redirect_uris).sort()]);
}

function consentOf({ payload }: OidcRecord): Consent {
  return {
    accountId: String(payload.accountId),
    clientId: String(payload.clientId),
    registration: String(payload.registration),
    createdAt: Number(payload.createdAt),
    ...allowedOf(payload),
  };
}

/** From a stored consent, or from the provider's words. */
export function allowedOf(input: { [Part in keyof Allowed]?: unknown }): Allowed {
  const resources = Object.entries(input.resources ?? {});
  return {
    scopes: textsOf(input.scopes),
    claims: textsOf(input.claims),
    resources: Object.fromEntries(resources.map(([resource, scopes]) => [resource, textsOf(scopes)])),
  };
}

function viewOf(consent: Consent, { expiresAt }: OidcRecord, client: ClientRecord | undefined): ConsentView {
  const { clientId, claims, createdAt } = consent;
  return {
    clientId,
    clientName: clientNameOf(clientId, client),
    scopes: [...new Set(scopesOf(consent))],
    claims,
    createdAt: new Date(createdAt),
    ...(expiresAt && { expiresAt }),
  };
}

export function clientNameOf(clientId: string, client: ClientRecord | undefined): string {
  return String(client?.metadata.client_name ?? clientId);
}

/* ------------------------------------------------------------------ arithmetic */

/** Those of OpenID Connect and those of APIs. */
export function scopesOf({ scopes, resources }: Allowed): string[] {
  return [...scopes, ...Object.values(resources).flat()];
}

export function isNothing(allowed: Allowed): boolean {
  return allowed.claims.length + scopesOf(allowed).length === 0;
}

function common(asked: Allowed, known: Allowed): Allowed {
  return combine(asked, known, (here, there) => here.filter((name) => there.includes(name)));
}

function sum(one: Allowed, two: Allowed): Allowed {
  return combine(one, two, (here, there) => [...new Set([...here, ...there])]);
}

type Names = readonly string[];

function combine(one: Allowed, two: Allowed, how: (here: Names, there: Names) => Names): Allowed {
  const own = ({ resources }: Allowed, name: string) =>
    Object.hasOwn(resources, name) ? (resources[name] ?? []) : [];
  const resources = new Set([...Object.keys(one.resources), ...Object.keys(two.resources)])
    .values()
    .map((name) => [name, how(own(one, name), own(two, name))] as const)
    .filter(([, scopes]) => scopes.length > 0);
  return {
    scopes: how(one.scopes, two.scopes),
    claims: how(one.claims, two.claims),
    resources: Object.fromEntries(resources),
  };
}

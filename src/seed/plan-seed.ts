/**
 * Compares a seed file with the store: what to create, what to update, what is unchanged, and what conflicts
 * because a name belongs to another account. Reads only, so that a file with one conflict changes nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Issue } from '../config/issues.ts';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import { inTurn } from '../core/in-turn.ts';
import type { AccountRecord } from '../model/account.ts';
import type { ApiKeyRecord } from '../model/api-key.ts';
import type { ClientRecord } from '../model/client.ts';
import type { IdentityRecord } from '../model/upstream-identity.ts';
import type { OidcServer } from '../oidc/contract.ts';
import type { Stores } from '../store/ports/stores.ts';
import { apiRecord } from './apis.ts';
import { issuesOfWays } from './branding.ts';
import { judgeGrants } from './judge-grants.ts';
import { apiKeyHash, clientRecord, organizationRecord, withSeed } from './records.ts';
import type { Seed, SeedAccount, SeedApiKey } from './schema.ts';

export interface SeedWorld {
  readonly stores: Stores;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Stands for {issuer}. */
  readonly issuer: string;
  /** What the OIDC server would refuse a client for. */
  readonly judgeClient: OidcServer['judgeClient'];
  /** `oidc.resources` of the configuration. */
  readonly resources: Config['oidc']['resources'];
  /** Names of upstreams that the configuration knows. */
  readonly upstreams: readonly string[];
  /** Replace passwords that accounts have already. */
  readonly overwritePasswords: boolean;
}

export type Step = 'create' | 'update' | 'keep';

export type SeedPlan = Awaited<ReturnType<typeof planSeed>>;

export interface PlannedAccount {
  readonly seed: SeedAccount;
  /** The account that is there. */
  readonly id?: string;
  readonly step: Step;
  readonly setsPassword: boolean;
  /** The file has a password, and the account keeps its own. */
  readonly keepsPassword: boolean;
  readonly newLinks: readonly { issuer: string; subject: string }[];
}

export interface PlannedApiKey {
  readonly seed: SeedApiKey;
  readonly present?: ApiKeyRecord;
  readonly step: Step;
}

export async function planSeed(world: SeedWorld, seed: Seed) {
  const issues: Issue[] = [];
  const known = new Set((seed.organizations ?? []).map(({ id }) => id));
  for (const { id } of await world.stores.organizations.list()) known.add(id);
  issues.push(...unknownOrganizations(seed, known), ...(await judgeGrants(world, seed)));
  const organizations = await planOrganizations(world, seed, issues);
  const accounts = await inTurn(seed.accounts ?? [], 16, (account, index) =>
    planAccount(world, account, { at: `accounts.${index}`, issues }),
  );
  const apiKeys = await inTurn(seed.api_keys ?? [], 16, (key, index) =>
    planApiKey(world, key, { at: `api_keys.${index}`, issues, accounts: seed.accounts ?? [] }),
  );
  const apis = await planApis(world, seed, issues);
  const clients = await planClients(world, seed, issues);
  return { organizations, accounts, apiKeys, apis, clients, issues };
}

const UNKNOWN = 'must be an organization that exists, in this file or in the store';

function* unknownOrganizations(seed: Seed, known: ReadonlySet<string>): Iterable<Issue> {
  for (const list of ['accounts', 'api_keys', 'apis', 'clients'] as const) {
    for (const [index, { organization }] of (seed[list] ?? []).entries()) {
      if (organization === undefined || known.has(organization)) continue;
      yield { path: `${list}.${index}.organization`, value: JSON.stringify(organization), message: UNKNOWN };
    }
  }
  for (const [index, { organizations = [] }] of (seed.clients ?? []).entries()) {
    for (const [place, organization] of (organizations === 'all' ? [] : organizations).entries()) {
      if (known.has(organization)) continue;
      const path = `clients.${index}.organizations.${place}`;
      yield { path, value: JSON.stringify(organization), message: UNKNOWN };
    }
  }
}

async function planOrganizations(world: SeedWorld, seed: Seed, issues: Issue[]) {
  const { stores, upstreams } = world;
  return inTurn(seed.organizations ?? [], 16, async (organization, index) => {
    const present = await stores.organizations.byId(organization.id);
    const record = organizationRecord(organization, present, world);
    const ways = { upstreams, path: `organizations.${index}.branding.ways` };
    issues.push(...issuesOfWays(organization.branding?.ways, ways));
    for (const [place, host] of (organization.hosts ?? []).entries()) {
      const owner = await stores.organizations.byHost(host.toLowerCase());
      if (owner === undefined || owner.id === organization.id) continue;
      const path = `organizations.${index}.hosts.${place}`;
      issues.push({ path, value: JSON.stringify(host), message: `belongs to organization ${owner.id}` });
    }
    for (const [place, domain] of (organization.email_domains ?? []).entries()) {
      const owner = await stores.organizations.byEmailDomain(domain);
      if (owner === undefined || owner.id === organization.id) continue;
      const path = `organizations.${index}.email_domains.${place}`;
      issues.push({ path, value: JSON.stringify(domain), message: `belongs to organization ${owner.id}` });
    }
    return { record, step: stepFrom(present, record) };
  });
}

async function planApis({ stores, secrets, issuer }: SeedWorld, seed: Seed, issues: Issue[]) {
  return inTurn(seed.apis ?? [], 16, async (api, index) => {
    const record = apiRecord(api, { secrets, issuer });
    const [present, owner, client] = await Promise.all([
      stores.apis.byId(record.id),
      stores.apis.byIdentifier(record.identifier),
      stores.clients.byId(record.id),
    ]);
    const issue = (member: 'id' | 'identifier', message: string) =>
      issues.push({ path: `apis.${index}.${member}`, value: JSON.stringify(api[member]), message });
    if (owner !== undefined && owner.id !== record.id) issue('identifier', `belongs to the API ${owner.id}`);
    if (client !== undefined) issue('id', 'is a client; choose another id');
    return { record, step: stepFrom(present, record) };
  });
}

async function planClients(world: SeedWorld, seed: Seed, issues: Issue[]) {
  const { stores } = world;
  return inTurn(seed.clients ?? [], 16, async (client, index) => {
    const present = await stores.clients.byId(client.client_id);
    const record = withOldSecret(clientRecord(client, { ...world, present }), present);
    const refuseId = (message: string) =>
      issues.push({ path: `clients.${index}.client_id`, value: JSON.stringify(client.client_id), message });
    if (present === undefined && (await stores.apis.byId(client.client_id))) {
      refuseId('is an API; choose another client_id');
    }
    if (present?.dialect !== undefined) {
      refuseId(`is the client of the dialect ${present.dialect}; choose another client_id`);
    }
    for (const { path, ...issue } of await world.judgeClient(record)) {
      issues.push({ ...issue, path: path === '' ? `clients.${index}` : `clients.${index}.${path}` });
    }
    return { record, step: stepFrom(present, record) };
  });
}

/** A file that has the new secret of a client lets the old one go on to its end. */
function withOldSecret(record: ClientRecord, present: ClientRecord | undefined): ClientRecord {
  const { oldSecret, secretHash } = present ?? {};
  return oldSecret && secretHash === record.secretHash ? { ...record, oldSecret } : record;
}

function stepFrom<Record extends object>(present: Record | undefined, input: Record): Step {
  if (present === undefined) return 'create';
  return isSame(present, input) ? 'keep' : 'update';
}

/** Without prototypes and undefined members, which two back ends may do differently. */
export function isSame(present: object, input: object): boolean {
  const plain = (value: object): unknown => JSON.parse(JSON.stringify(value));
  return isDeepStrictEqual(plain(present), plain(input));
}

interface Place {
  readonly at: string;
  readonly issues: Issue[];
}

export async function planAccount(
  world: SeedWorld,
  seed: SeedAccount,
  place: Place,
): Promise<PlannedAccount> {
  const { organization, identities = [] } = seed;
  const links = await Promise.all(
    identities.map(({ issuer, subject }) => world.stores.identities.find(organization, issuer, subject)),
  );
  const present = await findPresent(world, seed, links, place);
  for (const [index, link] of links.entries()) {
    if (link === undefined || link.accountId === present?.id) continue;
    place.issues.push({ path: `${place.at}.identities.${index}`, message: 'is linked to another account' });
  }
  const newLinks = identities.filter((_, index) => links[index] === undefined);
  const hasPassword = seed.password !== undefined || seed.password_hash !== undefined;
  const setsPassword = hasPassword && (present?.passwordHash === undefined || world.overwritePasswords);
  const step = stepFrom<object>(present, present === undefined ? seed : withSeed(present, seed));
  return {
    seed,
    ...(present && { id: present.id }),
    step: step === 'keep' && (setsPassword || newLinks.length > 0) ? 'update' : step,
    setsPassword,
    keepsPassword: hasPassword && !setsPassword,
    newLinks,
  };
}

/** The one account that all names of the entry lead to. */
async function findPresent(
  { stores: { accounts } }: SeedWorld,
  seed: SeedAccount,
  links: readonly (IdentityRecord | undefined)[],
  { at, issues }: Place,
): Promise<AccountRecord | undefined> {
  const { organization, id, email, username, aliases = {} } = seed;
  const result: [string, AccountRecord | undefined][] = [];
  if (id !== undefined) result.push(['id', await accounts.byId(id)]);
  for (const [name, value] of Object.entries(aliases)) {
    result.push([`aliases.${name}`, await accounts.byAlias(name, value)]);
  }
  if (email !== undefined) result.push(['email', await accounts.byEmail(organization, email)]);
  if (username !== undefined) result.push(['username', await accounts.byUsername(organization, username)]);
  for (const [index, link] of links.entries()) {
    result.push([`identities.${index}`, link && (await accounts.byId(link.accountId))]);
  }
  const [first] = result.flatMap(([name, account]) => (account ? [{ name, account }] : []));
  if (!first) return undefined;
  for (const [name, account] of result) {
    if (account !== undefined && account.id !== first.account.id) {
      const message = `belongs to another account than ${at}.${first.name}`;
      issues.push({ path: `${at}.${name}`, message });
    }
  }
  if (first.account.organization !== organization) {
    const message = `belongs to an account of organization ${first.account.organization}`;
    issues.push({ path: `${at}.${first.name}`, message });
  }
  return first.account;
}

async function planApiKey(
  { stores, secrets }: SeedWorld,
  seed: SeedApiKey,
  { at, issues, accounts }: Place & { accounts: readonly SeedAccount[] },
): Promise<PlannedApiKey> {
  const owner = seed.account;
  if (owner !== undefined) {
    const inFile = accounts.some(
      ({ organization, email, id }) =>
        organization === seed.organization && (email === owner || id === owner),
    );
    if (!inFile && (await ownerOf(stores, seed)) === undefined) {
      const message = 'must be the e-mail address or id of an account of the organization';
      issues.push({ path: `${at}.account`, value: JSON.stringify(owner), message });
    }
  }
  const present = await stores.apiKeys.byHash(apiKeyHash(secrets, seed.key));
  if (present === undefined) return { seed, step: 'create' };
  if (present.organization !== seed.organization || present.vendor !== seed.vendor) {
    issues.push({ path: `${at}.key`, message: 'is the key of another organization or vendor' });
  }
  const secretHash = seed.secret === undefined ? undefined : secrets.hmac('api-secret', seed.secret);
  const same =
    present.name === seed.name &&
    present.secretHash === secretHash &&
    present.expiresAt?.getTime() === seed.expires_at?.getTime() &&
    isDeepStrictEqual([...present.scopes], seed.scopes ?? []);
  return { seed, present, step: same ? 'keep' : 'update' };
}

/** The account id of a key's owner. */
export async function ownerOf(stores: Stores, seed: SeedApiKey): Promise<string | undefined> {
  if (seed.account === undefined) return undefined;
  const byEmail = await stores.accounts.byEmail(seed.organization, seed.account);
  const account = byEmail ?? (await stores.accounts.byId(seed.account));
  return account?.organization === seed.organization ? account.id : undefined;
}

/**
 * What a seed file's form cannot say: names that are there twice, members that exclude or need each other. What a
 * client would be refused for is judged when the file is planned, by the OIDC server (oidc/clients/judge-client.ts).
 */
import type { Issue } from '../config/issues.ts';
import { foldName, normalizeEmail } from '../core/text.ts';
import { judgeApi } from './apis.ts';
import type { Seed, SeedAccount, SeedClient } from './schema.ts';

export function judgeSeed(seed: Seed): Issue[] {
  return [
    ...[...judgeOrganizations(seed), ...judgeAccounts(seed), ...judgeApiKeys(seed)],
    ...[...judgeApis(seed), ...judgeClients(seed)],
  ];
}

/** Notes each name and tells who had it before. */
function firstOwners() {
  const owners = new Map<string, string>();
  return function* claim(path: string, kind: string, ...name: string[]): Iterable<Issue> {
    const key = JSON.stringify([kind, ...name]);
    const owner = owners.get(key);
    if (owner === undefined) owners.set(key, path);
    else yield { path, message: `is the same ${kind} as ${owner}` };
  };
}

function* judgeOrganizations({ organizations = [] }: Seed): Iterable<Issue> {
  const claim = firstOwners();
  for (const [index, { id, hosts = [], email_domains: domains = [] }] of organizations.entries()) {
    const at = `organizations.${index}`;
    yield* claim(`${at}.id`, 'organization', id);
    for (const [place, host] of hosts.entries())
      yield* claim(`${at}.hosts.${place}`, 'host', host.toLowerCase());
    for (const [place, domain] of domains.entries())
      yield* claim(`${at}.email_domains.${place}`, 'email domain', domain);
  }
}

function* judgeAccounts({ accounts = [] }: Seed): Iterable<Issue> {
  const claim = firstOwners();
  for (const [index, account] of accounts.entries()) {
    const at = `accounts.${index}`;
    const { organization, id, email, username } = account;
    if (id !== undefined) yield* claim(`${at}.id`, 'id', id);
    if (email !== undefined) yield* claim(`${at}.email`, 'address', organization, normalizeEmail(email));
    if (username !== undefined) yield* claim(`${at}.username`, 'username', organization, foldName(username));
    for (const [name, value] of Object.entries(account.aliases ?? {})) {
      yield* claim(`${at}.aliases.${name}`, 'alias', name, value);
    }
    for (const [place, { issuer, subject }] of (account.identities ?? []).entries()) {
      yield* claim(`${at}.identities.${place}`, 'identity', organization, issuer, subject);
    }
    yield* judgeAccount(at, account);
  }
}

function* judgeAccount(at: string, account: SeedAccount): Iterable<Issue> {
  const { id, email, username, aliases, identities } = account;
  if (id === undefined && email === undefined && username === undefined && !aliases && !identities) {
    const message = 'must have an email, a username, an id, an alias or an identity to be found by';
    yield { path: at, message };
  }
  if (account.password !== undefined && account.password_hash !== undefined) {
    yield { path: `${at}.password`, message: 'must not stand beside password_hash' };
  }
  if (account.email_verified && email === undefined) {
    yield { path: `${at}.email_verified`, message: 'must stand beside an email' };
  }
  // A username that is another person's address would block them from it.
  if (username?.includes('@') && (email === undefined || foldName(username) !== normalizeEmail(email))) {
    yield { path: `${at}.username`, message: 'must not be an e-mail address other than the account’s own' };
  }
}

function* judgeApiKeys({ api_keys = [] }: Seed): Iterable<Issue> {
  const claim = firstOwners();
  for (const [index, { key }] of api_keys.entries()) yield* claim(`api_keys.${index}.key`, 'key', key);
}

/** An API authenticates as a client does: no two of them have one id. */
function* judgeApis({ apis = [], clients = [] }: Seed): Iterable<Issue> {
  const claim = firstOwners();
  for (const [index, { client_id }] of clients.entries()) {
    Array.from(claim(`clients.${index}.client_id`, 'id', client_id));
  }
  for (const [index, api] of apis.entries()) {
    const at = `apis.${index}`;
    yield* claim(`${at}.id`, 'id', api.id);
    yield* claim(`${at}.identifier`, 'identifier', api.identifier);
    yield* judgeApi(at, api);
  }
}

function* judgeClients({ clients = [] }: Seed): Iterable<Issue> {
  const claim = firstOwners();
  for (const [index, client] of clients.entries()) {
    yield* claim(`clients.${index}.client_id`, 'client', client.client_id);
  }
}

/** The method that the file means: what it says, or what follows from the credentials that it gives. */
export function authMethodOf(client: SeedClient): NonNullable<SeedClient['token_endpoint_auth_method']> {
  if (client.token_endpoint_auth_method) return client.token_endpoint_auth_method;
  if (client.client_secret !== undefined) return 'client_secret_basic';
  if (Object.keys(client).some((member) => member.startsWith('tls_client_auth_'))) return 'tls_client_auth';
  return client.jwks !== undefined || client.jwks_uri !== undefined ? 'private_key_jwt' : 'none';
}

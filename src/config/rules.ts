/**
 * What depends on more than one key, and what production refuses. Judged section by section: a section
 * that has issues of its own is absent here, so that one run reports everything.
 */
import { realpathSync } from 'node:fs';
import type { Issue } from './issues.ts';
import { isLoopback } from './kinds.ts';
import type { Config } from './schema.ts';
import { shownValue } from './secret.ts';
import { decodeKey, looksRandom, looksRandomText } from './server-key.ts';

type Known = Partial<Config>;

/** `demoSeeds`: files of the project that hold published passwords. */
export function judge(config: Known, demoSeeds: readonly string[]): Issue[] {
  const issues = [
    ...judgeHttp(config),
    ...judgeLifetimes(config),
    ...judgeDialects(config),
    ...judgeLegacy(config),
  ];
  if (config.environment === 'production') issues.push(...judgeProduction(config, demoSeeds));
  return issues;
}

function issue(path: string, message: string, value?: unknown): Issue {
  return { path, message, value: value === undefined ? undefined : shownValue(value, path.split('.')) };
}

function* judgeHttp({ http }: Known): Iterable<Issue> {
  // With the requests and emails of the end it must fit into the ten seconds that orchestrators wait.
  if (http && http.stopDelay > 3) yield issue('http.stopDelay', 'must be 3 or less', http.stopDelay);
  const { header, verifiedHeader, origin } = http?.clientCertificate ?? {};
  if (header && http?.trustedProxies.length === 0) {
    const message = 'needs http.trustedProxies: from other peers the header is ignored';
    yield issue('http.clientCertificate.header', message, header);
  }
  for (const [name, value] of Object.entries({ verifiedHeader, origin })) {
    if (!header && value)
      yield issue(`http.clientCertificate.${name}`, 'needs http.clientCertificate.header', value);
  }
}

function* judgeLifetimes({ oidc, sessions }: Known): Iterable<Issue> {
  if (oidc) {
    const { grant, refreshToken, authorizationCode } = oidc.lifetimes;
    // A grant that expires takes its refresh tokens with it.
    const least = `must be at least oidc.lifetimes.refreshToken (${refreshToken})`;
    if (grant < refreshToken) yield issue('oidc.lifetimes.grant', least, grant);
    // RFC 9700 and OAuth 2.1: one minute is enough for an honest client.
    if (authorizationCode > 60) {
      yield issue('oidc.lifetimes.authorizationCode', 'must be 60 or less', authorizationCode);
    }
    const { hosts, organization } = oidc.clientIdMetadataDocuments;
    if (hosts.length > 0 && organization === undefined) {
      yield issue('oidc.clientIdMetadataDocuments.organization', 'must be set where hosts is');
    }
    const { registration } = oidc;
    if (registration.mode === 'open' && registration.organization === undefined) {
      yield issue('oidc.registration.organization', 'must be set where registration is open');
    }
    if (oidc.refreshReuse.leeway > 60) {
      yield issue('oidc.refreshReuse.leeway', 'must be 60 or less', oidc.refreshReuse.leeway);
    }
  }
  if (sessions && sessions.absolute < sessions.idle) {
    yield issue('sessions.absolute', `must be at least sessions.idle (${sessions.idle})`, sessions.absolute);
  }
}

/** Two dialects that are one client could end each other's grants. */
function* judgeDialects({ dialects }: Known): Iterable<Issue> {
  const owners = new Map<string, string>();
  for (const [name, settings] of Object.entries(dialects ?? {})) {
    const { clientId, enabled } = settings;
    if (enabled !== true || typeof clientId !== 'string') continue;
    const owner = owners.get(clientId);
    if (owner !== undefined) {
      yield issue(`dialects.${name}.clientId`, `must not be the client of dialects.${owner}`, clientId);
    }
    owners.set(clientId, name);
  }
}

/** A legacy system that is this server would ask itself. */
function* judgeLegacy({ dialects, issuer, http }: Known): Iterable<Issue> {
  for (const [path, { url, address }] of legacyTables(dialects)) {
    if (typeof url !== 'string' || !URL.canParse(url)) continue;
    const { origin, hostname, port, protocol } = new URL(url);
    const isHere = isLoopback(hostname) && port === String(http?.port) && protocol === 'http:';
    if (address === undefined && (origin === issuer || isHere)) {
      const message = `must not be this server: set ${path}.address where the name leads here by now`;
      yield issue(`${path}.url`, message, url);
    }
  }
}

/** The `legacy` of each dialect that has one, as it was written. */
function legacyTables(
  dialects: Config['dialects'] = {},
): [path: string, table: { readonly url?: unknown; readonly address?: unknown }][] {
  return Object.entries(dialects).flatMap(([name, { legacy }]) =>
    typeof legacy === 'object' && legacy !== null ? [[`dialects.${name}.legacy`, legacy]] : [],
  );
}

function* judgeProduction(config: Known, demoSeeds: readonly string[]): Iterable<Issue> {
  const { issuer, demo, http, mail, outbound, keys, dialects, seed } = config;
  if (issuer !== undefined && !issuer.startsWith('https://')) {
    yield issue('issuer', 'must begin with https:// in production', issuer);
  }
  if (demo) yield issue('demo', 'must be false in production', demo);
  if (mail?.kind === 'mailbox') {
    yield issue('mail.kind', 'must be smtp in production: a mailbox sends nothing', mail.kind);
  }
  if (mail && /@localhost>?$/.test(mail.from.trim())) {
    yield issue('mail.from', 'must be an address of yours in production', mail.from);
  }
  if (outbound?.allowPrivate) {
    yield issue('outbound.allowPrivate', 'must be false in production', outbound.allowPrivate);
  }
  if (keys) yield* judgeKeys(keys);
  if (dialects) yield* judgeSharedSecrets(dialects, keys);
  for (const [path, { url }] of legacyTables(dialects)) {
    if (typeof url === 'string' && url.startsWith('http://')) {
      yield issue(`${path}.url`, 'must begin with https:// in production', url);
    }
  }
  if (http) yield* judgeProxies(http.trustedProxies);
  for (const [index, file] of (seed ?? []).entries()) {
    if (demoSeeds.some((demoSeed) => sameFile(demoSeed, file))) {
      const published = 'must not be the demo seed in production: its passwords are published';
      yield issue(`seed.${index}`, published, file);
    }
  }
}

const MAKE = '`openssl rand -base64 32` makes one';

function* judgeKeys({ encryption, decryption, cookies }: Config['keys']): Iterable<Issue> {
  for (const [index, text] of decryption.entries()) {
    const key = decodeKey(text);
    if (key && !looksRandom(key)) yield notRandom(`keys.decryption.${index}`, text);
  }
  if (encryption === undefined) {
    const where = 'PORTICO_KEYS__ENCRYPTION, or keys.encryptionFile';
    yield issue('keys.encryption', `must be set in production (${where}); ${MAKE}`);
    return;
  }
  const key = decodeKey(encryption);
  // What is no key at all is an issue by the schema.
  if (key && !looksRandom(key)) {
    const random = `must be random in production, not a sample or a pass phrase; ${MAKE}`;
    yield issue('keys.encryption', random, encryption);
  }
  for (const [index, cookie] of cookies.entries()) {
    if (!looksRandomText(cookie)) yield notRandom(`keys.cookies.${index}`, cookie);
  }
}

/**
 * An attacker who guesses the secret of HS256 makes tokens that every resource server believes; a resource server
 * that has the secret of two dialects makes tokens of both.
 */
function* judgeSharedSecrets(
  dialects: Config['dialects'],
  keys: Config['keys'] | undefined,
): Iterable<Issue> {
  const own = keys && [keys.encryption, ...keys.decryption, ...keys.cookies];
  const owners = new Map(own?.map((text) => [text, 'keys']));
  for (const [name, { accessToken }] of Object.entries(dialects)) {
    const { secret } = (accessToken ?? {}) as { secret?: unknown };
    if (typeof secret !== 'string') continue;
    const path = `dialects.${name}.accessToken.secret`;
    const owner = owners.get(secret);
    if (!looksRandomText(secret)) yield notRandom(path, secret);
    else if (owner !== undefined) yield issue(path, `must not be a secret of ${owner} too`, secret);
    owners.set(secret, `dialects.${name}`);
  }
}

function notRandom(path: string, value: string): Issue {
  return issue(path, `must be random in production, not a sample; ${MAKE}`, value);
}

/** Clients in a believed range choose the client address that their attempts are counted by. */
function* judgeProxies(proxies: readonly string[]): Iterable<Issue> {
  for (const [index, proxy] of proxies.entries()) {
    const [address = '', bits] = proxy.toLowerCase().split('/');
    if (bits === undefined || Number(bits) >= widest(address)) continue;
    yield issue(`http.trustedProxies.${index}`, 'must name your proxies, not the internet', proxy);
  }
}

/** Prefix length of the widest range that one operator has: 10.0.0.0/8, a provider's IPv6 /16, the private ones. */
function widest(address: string): number {
  if (!address.includes(':')) return 8;
  if (/^f[cd]/.test(address)) return 7;
  if (address.startsWith('fe80:')) return 10;
  // ::ffff:0:0/96 is all of IPv4.
  return /^(?:::|0+:)/.test(address) ? 104 : 16;
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

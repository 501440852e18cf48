/**
 * What depends on more than one key, and what production refuses. Judged section by section: a section
 * that has mistakes of its own is absent here, so that one run reports everything.
 */
import { realpathSync } from 'node:fs';
import type { Mistake } from './mistakes.ts';
import type { Config } from './schema.ts';
import { shownValue } from './secret.ts';
import { decodeKey } from './server-key.ts';

type Known = Partial<Config>;

export interface RuleFacts {
  readonly config: Known;
  /** Files of the project that hold published passwords. */
  readonly demoSeeds: readonly string[];
}

export function judge({ config, demoSeeds }: RuleFacts): Mistake[] {
  const mistakes = [
    ...judgeHttp(config),
    ...judgeLifetimes(config),
    ...judgeFederation(config),
    ...judgeDialects(config),
  ];
  if (config.environment === 'production') mistakes.push(...judgeProduction(config, demoSeeds));
  return mistakes;
}

function mistake(path: string, message: string, value?: unknown): Mistake {
  return { path, message, ...(value === undefined ? {} : { value: shownValue(value, path.split('.')) }) };
}

function* judgeHttp({ http }: Known): Iterable<Mistake> {
  // With the requests and letters of the end it must fit into the ten seconds that orchestrators wait.
  if (http && http.stopDelay > 3) yield mistake('http.stopDelay', 'must be 3 or less', http.stopDelay);
}

function* judgeLifetimes({ oidc, sessions }: Known): Iterable<Mistake> {
  if (oidc) {
    const { grant, refreshToken, authorizationCode } = oidc.lifetimes;
    // A grant that expires takes its refresh tokens with it.
    if (grant < refreshToken) {
      yield mistake(
        'oidc.lifetimes.grant',
        `must be at least oidc.lifetimes.refreshToken (${refreshToken})`,
        grant,
      );
    }
    // RFC 9700 and OAuth 2.1: one minute is enough for an honest client.
    if (authorizationCode > 60) {
      yield mistake('oidc.lifetimes.authorizationCode', 'must be 60 or less', authorizationCode);
    }
    if (oidc.refreshReuse.leeway > 60) {
      yield mistake('oidc.refreshReuse.leeway', 'must be 60 or less', oidc.refreshReuse.leeway);
    }
  }
  if (sessions && sessions.absolute < sessions.idle) {
    yield mistake(
      'sessions.absolute',
      `must be at least sessions.idle (${sessions.idle})`,
      sessions.absolute,
    );
  }
}

function* judgeFederation({ federation }: Known): Iterable<Mistake> {
  if (!federation) return;
  for (const [name, provider] of Object.entries(federation)) {
    if (!provider.enabled) continue;
    if (provider.clientId === undefined && provider.audiences.length === 0) {
      yield mistake(
        `federation.${name}.clientId`,
        `must be set (or federation.${name}.audiences) to enable ${name}`,
      );
    }
  }
  const { google, apple } = federation;
  if (google.enabled && google.clientSecret !== undefined && google.clientId === undefined) {
    yield mistake('federation.google.clientId', 'must be set beside federation.google.clientSecret');
  }
  const set = (['teamId', 'keyId', 'privateKey'] as const).filter((name) => apple[name] !== undefined);
  if (apple.enabled && set.length > 0 && set.length < 3) {
    for (const name of ['teamId', 'keyId', 'privateKey'] as const) {
      if (apple[name] === undefined) {
        yield mistake(`federation.apple.${name}`, `must be set beside federation.apple.${set[0]}`);
      }
    }
  }
}

/** Two dialects that are one client could end each other's grants. */
function* judgeDialects({ dialects }: Known): Iterable<Mistake> {
  const owners = new Map<string, string>();
  for (const [name, settings] of Object.entries(dialects ?? {})) {
    const { clientId, enabled } = settings;
    if (enabled !== true || typeof clientId !== 'string') continue;
    const owner = owners.get(clientId);
    if (owner !== undefined) {
      yield mistake(`dialects.${name}.clientId`, `must not be the client of dialects.${owner}`, clientId);
    }
    owners.set(clientId, name);
  }
}

function* judgeProduction(config: Known, demoSeeds: readonly string[]): Iterable<Mistake> {
  const { issuer, demo, mail, outbound, keys, seed } = config;
  if (issuer !== undefined && !issuer.startsWith('https://')) {
    yield mistake('issuer', 'must begin with https:// in production', issuer);
  }
  if (demo) yield mistake('demo', 'must be false in production', demo);
  if (mail?.kind === 'mailbox') {
    yield mistake('mail.kind', 'must be smtp in production: a mailbox sends nothing', mail.kind);
  }
  if (mail && /@localhost>?$/.test(mail.from.trim())) {
    yield mistake('mail.from', 'must be an address of yours in production', mail.from);
  }
  if (outbound?.allowPrivate) {
    yield mistake('outbound.allowPrivate', 'must be false in production', outbound.allowPrivate);
  }
  if (keys) yield* judgeKeys(keys);
  for (const [index, file] of (seed ?? []).entries()) {
    if (demoSeeds.some((demoSeed) => sameFile(demoSeed, file))) {
      yield mistake(
        `seed.${index}`,
        'must not be the demo seed in production: its passwords are published',
        file,
      );
    }
  }
}

function* judgeKeys({ encryption, cookies }: Config['keys']): Iterable<Mistake> {
  const make = '`openssl rand -base64 32` makes one';
  if (encryption === undefined) {
    yield mistake(
      'keys.encryption',
      `must be set in production (PORTICO_KEYS__ENCRYPTION, or keys.encryptionFile); ${make}`,
    );
  } else if (!looksRandom(decodeKey(encryption))) {
    yield mistake(
      'keys.encryption',
      `must be random in production, not a sample or a pass phrase; ${make}`,
      encryption,
    );
  }
  for (const [index, cookie] of cookies.entries()) {
    if (new Set(cookie).size < 10 || /change-?me|example|secret|insecure|development|default/i.test(cookie)) {
      yield mistake(`keys.cookies.${index}`, `must be random in production, not a sample; ${make}`, cookie);
    }
  }
}

/**
 * Refuses what nobody draws: few different bytes (samples such as 000..., one word repeated), a row of
 * numbers, or printable text throughout (a pass phrase). Thirty-two random bytes fail with a chance of
 * less than one in 10^12.
 */
function looksRandom(key: Buffer | undefined): boolean {
  if (!key) return true; // Not a key at all: the schema has said so.
  const step = ((key[1] ?? 0) - (key[0] ?? 0)) & 255;
  const isRow = key.every((byte, index) => index === 0 || ((byte - (key[index - 1] ?? 0)) & 255) === step);
  const isText = key.every((byte) => byte >= 32 && byte < 127);
  return new Set(key).size >= 16 && !isRow && !isText;
}

function sameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

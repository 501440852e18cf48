/**
 * Who may import whom (docs/architecture.md). Reads every import under src/ and holds it against one table.
 * A rule that saw nothing would say that all is well; so the reader is counted, and the rule is shown
 * imports that it must refuse.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { expect } from 'chai';
import { blankComments, countImportStatements, readImports } from './support/read-imports.ts';

const src = path.join(import.meta.dirname, '../src');

/** What the files of one room may import. Lists are words with blanks between. */
interface Room {
  /** Rooms; a room is a folder at most two levels below src/, or a file directly in it. '*': all. */
  readonly may: string;
  /** Rooms whose types alone may be imported. */
  readonly types?: string;
  /** npm packages. */
  readonly packages?: string;
  /** npm packages whose types alone may be imported. */
  readonly typePackages?: string;
}

/** What every room but the vendors' may import: foundations that import no other room. */
const FOUNDATIONS = ['core', 'model', 'observe'];
/** And the types of the configuration. */
const CONFIG_TYPES = 'config';

const ROOMS: Readonly<Record<string, Room>> = {
  'main.ts': { may: 'server' },
  'cli.ts': {
    may: 'cli cli/api cli/client cli/migration cli/transfer cli/upstream server',
    packages: 'commander',
  },
  // The composition root makes every part.
  server: { may: '*', packages: '@simplewebauthn/browser close-with-grace', typePackages: 'koa' },
  cli: {
    may: 'config dialects dialects/docs federation identity/accounts identity/factors identity/passwords identity/self-service keys oidc/logout oidc/provider seed server store store/copy',
    types: 'identity oidc store/ports',
    packages: 'commander',
  },
  'cli/api': { may: 'cli config seed' },
  'cli/client': { may: 'cli config oidc/profiles seed', types: 'store/ports', packages: 'commander' },
  'cli/migration': {
    may: 'cli dialects dialects/runtime identity/accounts legacy migration usage',
    types: 'dialects/contract identity store/ports',
    packages: 'commander',
  },
  'cli/transfer': {
    may: 'cli cli/migration identity/accounts identity/passwords transfer transfer/shapes',
    packages: 'commander',
  },
  'cli/upstream': { may: 'cli federation federation/protocol server' },
  core: { may: '', packages: 'ipaddr.js' },
  migration: { may: '', types: 'store/ports' },
  shadow: {
    may: 'dialects/runtime migration',
    types: 'dialects/contract dialects/pipeline store/ports',
    packages: 'zod',
  },
  legacy: {
    may: 'config dialects/contract dialects/runtime federation/protocol identity/legacy',
    types: 'identity migration oidc store/ports',
    packages: 'jose undici',
  },
  model: { may: '' },
  config: { may: '', packages: 'fastest-levenshtein yaml zod' },
  keys: { may: 'config', types: 'store/ports' },
  observe: { may: '', types: 'core model store/ports', packages: 'pino prom-client' },
  http: { may: 'http/middleware http/request http/views', types: 'oidc store/ports', packages: 'koa' },
  'http/middleware': { may: 'http/request http/views', types: 'oidc store/ports', packages: 'helmet koa' },
  'http/request': { may: '', typePackages: 'koa' },
  'http/forms': { may: 'http/request', packages: '@koa/router', typePackages: 'koa' },
  'http/views': { may: '', packages: 'ejs i18next', typePackages: 'koa' },
  identity: { may: '', types: 'identity/passwords identity/rate-limits mail store/ports' },
  'identity/accounts': { may: 'identity/audit identity/codes', types: 'identity store/ports' },
  'identity/audit': { may: '', types: 'identity' },
  'identity/codes': { may: 'identity/emails', types: 'identity identity/rate-limits' },
  'identity/emails': { may: 'identity/rate-limits', types: 'identity' },
  'identity/factors': {
    may: 'identity/accounts identity/audit identity/codes identity/emails',
    types: 'identity identity/rate-limits store/ports',
    packages: '@simplewebauthn/server otpauth',
  },
  'identity/hashes': { may: '', packages: '@node-rs/argon2 @node-rs/bcrypt unixcrypt' },
  'identity/legacy': { may: 'identity/accounts identity/audit', types: 'identity store/ports' },
  'identity/passwords': { may: 'identity/hashes', packages: '@node-rs/argon2 @zxcvbn-ts/language-common' },
  'identity/rate-limits': { may: '', types: 'store/ports' },
  'identity/self-service': {
    may: 'identity/accounts identity/audit identity/codes identity/emails identity/factors identity/legacy identity/sign-in identity/upstream',
    types: 'identity',
  },
  'identity/sign-in': {
    may: 'identity/accounts identity/audit identity/codes identity/emails identity/factors identity/hashes identity/legacy identity/upstream',
    types: 'identity identity/passwords identity/rate-limits store/ports',
  },
  'identity/upstream': {
    may: 'identity/accounts identity/audit identity/codes identity/emails identity/legacy',
    types: 'identity',
  },
  oidc: { may: '', types: 'identity store/ports' },
  'oidc/access': {
    may: 'oidc/extensions oidc/persistence oidc/tokens',
    types: 'identity oidc oidc/clients oidc/logout oidc/provider',
    packages: 'oidc-provider',
  },
  'oidc/apis': {
    may: 'oidc/clients oidc/extensions oidc/provider',
    types: 'oidc store/ports',
    packages: 'oidc-provider',
  },
  'oidc/clients': {
    may: 'identity/factors oidc oidc/profiles',
    types: 'oidc/provider store/ports',
    packages: 'oidc-provider',
  },
  'oidc/exchange': {
    may: 'oidc oidc/apis oidc/clients oidc/extensions oidc/persistence oidc/provider oidc/tokens',
    types: 'store/ports',
    packages: 'oidc-provider',
  },
  'oidc/extensions': {
    may: 'oidc/clients oidc/profiles oidc/provider oidc/tokens',
    types: 'identity/rate-limits oidc oidc/logout oidc/persistence store/ports',
    packages: 'jose oidc-provider',
  },
  'oidc/fast-path': {
    may: 'oidc/access oidc/apis oidc/clients oidc/extensions oidc/profiles oidc/provider oidc/tokens',
    types: 'oidc oidc/persistence store/ports',
    packages: 'oidc-provider zod',
  },
  'oidc/interactions': {
    may: 'oidc oidc/access oidc/apis oidc/clients oidc/extensions oidc/provider',
    types: 'oidc/logout oidc/persistence store/ports',
    packages: 'oidc-provider',
  },
  'oidc/logout': { may: '', types: 'oidc/clients store/ports', typePackages: 'oidc-provider' },
  'oidc/persistence': {
    may: '',
    types: 'oidc/clients oidc/provider store/ports',
    packages: 'jose oidc-provider',
  },
  'oidc/profiles': { may: 'oidc/provider', packages: 'jose oidc-provider' },
  'oidc/provider': { may: '', types: 'oidc', packages: 'oidc-provider' },
  'oidc/registration': {
    may: 'oidc oidc/clients oidc/extensions oidc/provider oidc/tokens',
    types: 'identity/rate-limits oidc/persistence store/ports',
    packages: 'oidc-provider zod',
  },
  'oidc/server': {
    may: 'identity/factors identity/rate-limits oidc oidc/access oidc/apis oidc/clients oidc/exchange oidc/extensions oidc/fast-path oidc/interactions oidc/logout oidc/persistence oidc/profiles oidc/provider oidc/registration oidc/tokens',
    types: 'store/ports',
    packages: 'oidc-provider',
  },
  'oidc/tokens': { may: 'oidc/persistence', types: 'oidc oidc/provider store/ports', packages: 'jose' },
  pages: {
    may: 'federation/protocol http/forms http/request http/views identity/upstream pages/account pages/password-reset pages/shared pages/sign-in',
    packages: '@koa/router',
    typePackages: 'koa',
  },
  'pages/account': {
    may: 'federation/protocol http/forms http/views identity/accounts identity/audit identity/codes identity/factors identity/self-service identity/sign-in identity/upstream oidc pages/shared',
    packages: '@koa/router',
    typePackages: 'koa',
  },
  'pages/password-reset': {
    may: 'http/request http/views identity/codes identity/self-service pages/shared',
    types: 'http/forms',
    typePackages: 'koa',
  },
  'pages/provider': { may: 'http/views pages/shared', types: 'identity oidc', typePackages: 'koa' },
  'pages/shared': {
    may: 'http/request http/views identity/accounts identity/codes identity/factors oidc federation/protocol',
    types: 'http/forms identity identity/sign-in',
    packages: 'qr',
    typePackages: 'koa',
  },
  'pages/sign-in': {
    may: 'federation/protocol http/forms http/request http/views identity/accounts identity/audit identity/codes identity/factors identity/legacy identity/self-service identity/sign-in identity/upstream oidc pages/shared',
    packages: '@koa/router',
    typePackages: 'koa',
  },
  dialects: {
    may: 'dialects/<vendor> dialects/runtime seed',
    types: 'dialects/contract',
    typePackages: 'zod',
  },
  'dialects/capabilities': {
    may: 'dialects/contract dialects/runtime federation/protocol identity/accounts identity/audit identity/codes identity/emails identity/legacy identity/self-service identity/sign-in identity/upstream oidc',
    types: 'identity',
  },
  'dialects/contract': { may: '', packages: 'zod' },
  'dialects/docs': {
    may: 'dialects dialects/runtime',
    types: 'dialects/contract',
    packages: 'zod',
    typePackages: 'koa',
  },
  'dialects/fields': { may: 'dialects/contract', packages: 'zod' },
  'dialects/pipeline': {
    may: 'dialects/capabilities dialects/contract dialects/runtime federation/protocol http/request identity/accounts identity/audit identity/legacy identity/codes identity/sign-in usage',
    types: 'http/middleware identity/rate-limits migration oidc store/ports',
    typePackages: 'koa zod',
  },
  'dialects/runtime': {
    may: 'config http/request identity/accounts identity/audit identity/factors identity/legacy identity/rate-limits',
    types: 'dialects/contract federation/protocol http/middleware identity migration oidc store/ports',
    packages: 'zod',
    typePackages: 'koa',
  },
  federation: { may: 'federation/<upstream> federation/protocol', typePackages: 'zod' },
  'federation/protocol': { may: 'config', packages: 'jose openid-client zod' },
  store: { may: 'store/copy store/distributed store/embedded store/mongo store/redis', types: 'store/ports' },
  'store/copy': { may: '', types: 'store/ports' },
  'store/distributed': { may: '', types: 'store/mongo store/ports store/redis' },
  'store/embedded': { may: 'store/ports' },
  'store/forgetful': { may: 'store/ports' },
  'store/mongo': { may: 'store/ports', packages: 'mongodb' },
  'store/ports': { may: '' },
  'store/redis': { may: 'store/ports', packages: 'ioredis' },
  mail: { may: '', packages: 'ejs i18next nodemailer' },
  seed: {
    may: 'config federation identity/accounts identity/hashes identity/passwords identity/sign-in',
    types: 'identity oidc store/ports',
    packages: 'yaml zod',
  },
  usage: { may: '', types: 'dialects/runtime store/ports' },
  transfer: {
    may: 'identity/accounts identity/hashes identity/legacy identity/passwords identity/sign-in seed transfer/shapes',
    types: 'store/ports',
    packages: '@streamparser/json csv-parse yaml zod',
  },
  'transfer/shapes': { may: '' },
  demo: {
    may: 'http/forms http/request http/views usage',
    types: 'mail store/ports',
    packages: '@koa/router jose openid-client',
    typePackages: 'koa',
  },
  // A vendor speaks through the contract alone: no koa, no store, no crypto, no other vendor, nothing of Node's.
  'dialects/<vendor>': { may: 'dialects/contract dialects/fields', packages: 'zod' },
  'federation/<upstream>': { may: 'config federation/protocol', packages: 'jose zod' },
};
const VENDOR = 'dialects/<vendor>';

function roomOf(file: string): string {
  const folder = path.posix.dirname(file);
  return folder === '.' ? file : folder.split('/').slice(0, 2).join('/');
}

/** The name of a room's rule: plug-ins share one. */
function ruleName(room: string): string {
  const [area, name] = room.split('/');
  if (room in ROOMS || name === undefined) return room;
  return area === 'dialects' ? VENDOR : area === 'federation' ? 'federation/<upstream>' : room;
}

/** Drivers that belong to one folder, also where the table would let others import them. */
const KEPT_FOR: Readonly<Record<string, RegExp>> = {
  mongodb: /^store\/mongo\//,
  ioredis: /^store\/redis\//,
  'node:sqlite': /^store\/embedded\//,
  nodemailer: /^mail\//,
  undici: /^legacy\//,
  'oidc-provider': /^oidc\//,
};

const PROCESS_ENV_IN = 'config/load.ts';

/** Why this import is not allowed; undefined when it is. `from` is a path below src/. */
function refusalOf(from: string, specifier: string | undefined, typesOnly: boolean): string | undefined {
  if (specifier === undefined) return 'loads a module whose name cannot be read';
  const room = roomOf(from);
  const rule = ROOMS[ruleName(room)];
  if (rule === undefined) return 'is in no room of test/architecture.test.ts';
  if (specifier.startsWith('.')) return refusalOfOurs({ from, room, rule }, specifier, typesOnly);
  const name = packageOf(specifier);
  const keeper = KEPT_FOR[name];
  if (keeper !== undefined) {
    return keeper.test(from) ? undefined : `imports ${name}, which is kept for ${keeper.source}`;
  }
  if (name.startsWith('node:')) return ruleName(room) === VENDOR ? `imports ${name}` : undefined;
  if (builtinModules.includes(name)) return `imports ${name} without node:`;
  const packages = `${rule.packages ?? ''} ${typesOnly ? (rule.typePackages ?? '') : ''}`.split(' ');
  return packages.includes(name) ? undefined : `imports the package ${name}`;
}

function refusalOfOurs(
  { from, room, rule }: { from: string; room: string; rule: Room },
  specifier: string,
  typesOnly: boolean,
): string | undefined {
  const target = path.posix.join(path.posix.dirname(from), specifier);
  if (target.startsWith('..')) return `leaves src/ for ${specifier}`;
  const to = roomOf(target);
  if (to === room || rule.may === '*') return undefined;
  const rooms = [...rule.may.split(' '), ...(ruleName(room) === VENDOR ? [] : FOUNDATIONS)];
  const types = [...(rule.types ?? '').split(' '), ...(ruleName(room) === VENDOR ? [] : [CONFIG_TYPES])];
  const allowed = rooms.includes(ruleName(to)) || (typesOnly && types.includes(to));
  return allowed ? undefined : `imports ${target}${typesOnly ? ' (types)' : ''}`;
}

/** `@koa/router/x` is `@koa/router`, `jose/y` is `jose`; `node:fs/promises` is `node:fs`. */
function packageOf(specifier: string): string {
  const deps = specifier.split('/');
  return specifier.startsWith('@') ? deps.slice(0, 2).join('/') : (deps[0] ?? specifier);
}

function usesEnvironment(source: string): boolean {
  return /\bprocess\s*(\?\.|\.|\[\s*['"`])\s*env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|\benv\b[^;]*from\s*['"](node:)?process['"]/.test(
    blankComments(source),
  );
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|mts|cts|js|mjs|cjs)$/.test(file))
  .map((file) => ({
    file: file.replaceAll(path.sep, '/'),
    source: readFileSync(path.join(src, file), 'utf8'),
  }));

/** The files once more, by another way of looking. */
function* walked(folder: string, below = ''): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* walked(path.join(folder, entry.name), `${below}${entry.name}/`);
    else if (/\.[cm]?[jt]s$/.test(entry.name)) yield below + entry.name;
  }
}

describe('the architecture', () => {
  it('is kept by every import under src/', () => {
    const broken = files.flatMap(({ file, source }) =>
      readImports(source).flatMap(({ specifier, typesOnly, line }) => {
        const refusal = refusalOf(file, specifier, typesOnly);
        return refusal === undefined ? [] : [`src/${file}:${line} ${refusal}`];
      }),
    );
    expect(broken, `\n${broken.join('\n')}\n`).to.deep.equal([]);
  });

  it('was judged on every file and every import statement that there is', () => {
    expect(files.map(({ file }) => file).sort()).to.deep.equal([...walked(src)].sort());
    expect(files.length).to.be.greaterThan(100);
    const missed = files.filter(({ source }) => {
      const statements = readImports(source).filter(({ line }) =>
        /^import\b(?!\s*\()/.test(source.split('\n')[line - 1] ?? ''),
      );
      return statements.length < countImportStatements(source);
    });
    expect(missed.map(({ file }) => file)).to.deep.equal([]);
    expect(files.flatMap(({ source }) => readImports(source)).length).to.be.greaterThan(300);
  });

  it('casts by way of unknown only where oidc-provider is reached into', () => {
    const casting = files.filter(({ source }) => blankComments(source).includes('as unknown as'));
    expect(casting.map(({ file }) => path.posix.dirname(file))).to.satisfy((rooms: string[]) =>
      rooms.every((room) => room === 'oidc/extensions'),
    );
  });

  it('lets config/load.ts alone read the environment', () => {
    const readers = files.filter(({ source }) => usesEnvironment(source)).map(({ file }) => file);
    expect(readers).to.deep.equal([PROCESS_ENV_IN]);
  });

  it('M23 lets no module outside of the composition root open a store or keep one: none gets past one that forgets', () => {
    const opening = Object.entries(ROOMS).filter(([, { may }]) =>
      / (?:store|store\/(?!ports|copy)\S+) /.test(` ${may} `),
    );
    expect(opening.map(([room]) => room).sort()).to.deep.equal(['cli', 'store']);
    const kept = files.filter(({ source }) => {
      const text = blankComments(source);
      return (
        /^(?:export )?(?:let|var|const) [^=;]*\b(?:Stores|\w+Store)\b/m.test(text) ||
        /^(?:let|var) \w*[sS]tores?\b/m.test(text)
      );
    });
    expect(kept.map(({ file }) => file).filter((file) => !/^store\//.test(file))).to.deep.equal([]);
  });

  it('B1 lets core/text.ts alone normalize, which judges lengths first', () => {
    const normalizing = files.filter(({ source }) => /\.normalize\(/.test(blankComments(source)));
    expect(normalizing.map(({ file }) => file)).to.deep.equal(['core/text.ts']);
  });

  it('has no cycle between rooms', () => {
    const needs = new Map<string, Set<string>>();
    for (const { file, source } of files) {
      const room = needs.get(roomOf(file)) ?? new Set<string>();
      needs.set(roomOf(file), room);
      for (const { specifier } of readImports(source)) {
        if (specifier?.startsWith('.'))
          room.add(roomOf(path.posix.join(path.posix.dirname(file), specifier)));
      }
      room.delete(roomOf(file));
    }
    // A room that needs no other is on no cycle, and neither is one that needs only such rooms.
    for (let free: string[] = ['']; free.length > 0; ) {
      free = [...needs].filter(([, rooms]) => rooms.size === 0).map(([room]) => room);
      for (const room of free) needs.delete(room);
      for (const rooms of needs.values()) for (const room of free) rooms.delete(room);
    }
    expect([...needs.keys()]).to.deep.equal([]);
  });

  it('has no room with more than sixteen files of its own', () => {
    const folders = files.map(({ file }) => path.posix.dirname(file));
    const full = [...new Set(folders)].filter(
      (folder) => folders.filter((other) => other === folder).length > 16,
    );
    expect(full).to.deep.equal([]);
  });
});

describe('"Where is ...?" in docs/architecture.md', () => {
  const text = readFileSync(path.join(src, '../docs/architecture.md'), 'utf8');
  const rows = [...text.matchAll(/^\| ([^|`]+) \| `src\/([^`]+)` \| `(\w+)` \|$/gm)].map(
    ([, word = '', file = '', symbol = '']) => ({ word, file, symbol }),
  );

  it('answers twenty questions and more, each by a file in which grep finds the word, and a symbol of it', () => {
    expect(rows.length).to.be.at.least(20);
    const wrong = rows.filter(({ word, file, symbol }) => {
      const source = files.find((other) => other.file === file)?.source ?? '';
      const declares = new RegExp(
        `^export (?:async )?(?:function|const|interface|type|class) ${symbol}\\b`,
        'm',
      );
      return !declares.test(source) || !source.toLowerCase().includes(word.toLowerCase());
    });
    expect(wrong).to.deep.equal([]);
  });

  it('names no file and no folder of src/ that is not there', () => {
    const named = [...text.matchAll(/`(?:src\/)?((?:\w[\w-]*\/)+(?:[\w-]+\.ts)?)`/g)].map(
      ([, name = '']) => name,
    );
    const roots = [src, path.join(src, '..')];
    expect(named.length).to.be.above(20);
    expect(named.filter((name) => !roots.some((root) => existsSync(path.join(root, name))))).to.deep.equal(
      [],
    );
  });
});

describe('the rule of the architecture', () => {
  const refused: [from: string, statement: string][] = [
    ['dialects/vsee/me.ts', "import Koa from 'koa';"],
    ['dialects/vsee/me.ts', "import { createHash } from 'node:crypto';"],
    ['dialects/vsee/me.ts', "import { randomText } from '../../core/crypto.ts';"],
    ['dialects/vsee/me.ts', "import { fields } from '../visitnote/fields.ts';"],
    ['dialects/vsee/me.ts', "import type { Stores } from '../../store/ports/stores.ts';"],
    ['dialects/vsee/me.ts', "import type { Config } from '../../config/schema.ts';"],
    ['dialects/vsee/me.ts', "import { signInWithPassword } from '../../identity/sign-in/with-password.ts';"],
    ['dialects/vsee/me.ts', "const x = await import('../../oidc/contract.ts');"],
    ['dialects/vsee/me.ts', "type X = import('../../oidc/contract.ts').OidcServer;"],
    ['dialects/vsee/me.ts', "export * from '../careportals/me.ts';"],
    ['dialects/vsee/me.ts', 'import {\n  a,\n  b,\n} from\n  "../medisync/me.ts";'],
    ['dialects/pipeline/pipeline.ts', "import { vsee } from '../vsee/vsee.ts';"],
    ['dialects/pipeline/pipeline.ts', "import { openStores } from '../../store/open-stores.ts';"],
    ['dialects/pipeline/pipeline.ts', "import { createOidcServer } from '../../oidc/server/server.ts';"],
    ['identity/codes/one-time-code.ts', "import { SMTPTransport } from 'nodemailer';"],
    ['identity/codes/one-time-code.ts', "import Koa from 'koa';"],
    ['identity/codes/one-time-code.ts', "import { Provider } from 'oidc-provider';"],
    ['identity/codes/one-time-code.ts', "import { createMailer } from '../../mail/mailer.ts';"],
    ['identity/codes/one-time-code.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['identity/codes/one-time-code.ts', "const m = await import('mongodb');"],
    ['pages/sign-in/password.ts', "import { Provider } from 'oidc-provider';"],
    ['pages/sign-in/password.ts', "import { openStores } from '../../store/open-stores.ts';"],
    ['http/app.ts', "import { signInWithPassword } from '../identity/sign-in/with-password.ts';"],
    ['http/app.ts', "import { Provider } from 'oidc-provider';"],
    ['oidc/clients/clients.ts', "import Koa from 'koa';"],
    ['oidc/clients/clients.ts', "import { MongoClient } from 'mongodb';"],
    ['store/embedded/open.ts', "import { MongoClient } from 'mongodb';"],
    ['store/redis/open.ts', "import { x } from '../mongo/open.ts';"],
    ['store/mongo/open.ts', "import Redis from 'ioredis';"],
    ['store/open-stores.ts', "import Redis from 'ioredis';"],
    ['store/ports/stores.ts', "import type { Identity } from '../../identity/context.ts';"],
    ['config/load.ts', "import { openStores } from '../store/open-stores.ts';"],
    ['core/clock.ts', "import { Config } from '../config/schema.ts';"],
    [
      'federation/google/google.ts',
      "import { linkAccount } from '../../identity/upstream/link-identity.ts';",
    ],
    ['mail/smtp.ts', "import { schema } from '../config/schema.ts';"],
    ['main.ts', "import { openStores } from './store/open-stores.ts';"],
    ['http/app.ts', "import { MongoClient } from 'mongodb';"],
    ['http/app.ts', "import x from '../../test/support/server.ts';"],
    ['http/app.ts', "import fs from 'fs';"],
    ['http/app.ts', 'const m = await import(name);'],
    ['http/app.ts', ['const m = await import(`./$', '{name}.ts`);'].join('')],
    ['http/app.ts', "const sqlite = process.getBuiltinModule('node:sqlite');"],
    ['http/app.ts', 'const load = createRequire(import.meta.url);'],
    ['newfolder/thing.ts', "import { z } from 'zod';"],
  ];

  for (const [from, statement] of refused) {
    it(`refuses in ${from}: ${statement.replace(/\s+/g, ' ')}`, () => {
      const [result] = readImports(`${statement}\n`);
      expect(result, 'was not even seen').to.not.equal(undefined);
      expect(refusalOf(from, result?.specifier, result?.typesOnly ?? false)).to.be.a('string');
    });
  }

  const allowed: [from: string, statement: string][] = [
    ['dialects/vsee/me.ts', "import { endpoint } from '../contract/dialect.ts';"],
    ['dialects/vsee/me.ts', "import { settings } from './settings.ts';"],
    ['dialects/vsee/me.ts', "import { z } from 'zod';"],
    ['dialects/registry.ts', "import { vsee } from './vsee/vsee.ts';"],
    ['identity/context.ts', "import type { Mailer } from '../mail/mailer.ts';"],
    ['identity/codes/one-time-code.ts', "import { randomText } from '../../core/crypto.ts';"],
    ['identity/codes/one-time-code.ts', "import type { Config } from '../../config/schema.ts';"],
    ['store/embedded/open.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['store/open-stores.ts', "const { openMongo } = await import('./mongo/open.ts');"],
    ['server/server.ts', "import { openStores } from '../store/open-stores.ts';"],
  ];

  for (const [from, statement] of allowed) {
    it(`allows in ${from}: ${statement}`, () => {
      const [result] = readImports(`${statement}\n`);
      expect(result, 'was not even seen').to.not.equal(undefined);
      expect(refusalOf(from, result?.specifier, result?.typesOnly ?? false)).to.equal(undefined);
    });
  }

  it('sees no import in a comment, and sees one behind what looks like a comment', () => {
    expect(readImports("// import x from 'koa';\n/*\nimport y from 'koa';\n*/\n")).to.deep.equal([]);
    expect(
      readImports("const url = 'http://x'; const r = /\\/\\*/;\nimport y from 'koa';\n/* */\n"),
    ).to.have.length(1);
  });

  it('knows the ways to read the environment', () => {
    for (const line of [
      'process.env.X',
      "process['env']",
      'const { env } = process;',
      "import { env } from 'node:process';",
    ]) {
      expect(usesEnvironment(line), line).to.equal(true);
    }
    expect(usesEnvironment('// process.env is read in config/load.ts')).to.equal(false);
  });
});

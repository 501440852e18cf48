/**
 * Who may import whom (docs/architecture.md). Reads every import under src/ and holds it against one table.
 * A rule that saw nothing would say that all is well; so the reader is counted, and the rule is shown
 * imports that it must refuse.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { expect } from 'chai';
import { blankComments, countImportStatements, readImports } from './support/read-imports.ts';

const src = path.join(import.meta.dirname, '../src');

interface Zone {
  /** Files of the zone, as a pattern on the path below src/. The first zone that fits is the file's. */
  readonly files: RegExp;
  /** Modules of ours, as patterns on the path below src/. `$1` is the first group of `files`. */
  readonly may: readonly string[];
  /** Modules of ours whose types alone may be imported. */
  readonly types?: readonly string[];
  /** npm packages. */
  readonly packages: readonly string[];
  /** npm packages whose types alone may be imported. */
  readonly typePackages?: readonly string[];
  /** Modules of Node. Default: every one that is not kept for one folder. */
  readonly node?: readonly string[];
}

/** What every zone but the vendors' may use. */
const ANYONE = ['clock.ts', 'secrets.ts', 'text.ts', 'observe/.+'];
const ANYONES_TYPES = ['config/schema.ts'];

const ZONES: readonly Zone[] = [
  // A vendor speaks through the contract alone: no koa, no store, no crypto, no sibling.
  {
    files: /^dialects\/(?!use-cases\/)([^/]+)\//,
    may: ['dialects/$1/.+', 'dialects/dialect.ts'],
    packages: ['zod'],
    node: [],
  },
  {
    files: /^dialects\/dialect\.ts$/,
    may: ['identity/refusal.ts', 'text.ts'],
    types: ['store/ports.ts'],
    packages: ['zod'],
    node: [],
  },
  {
    files: /^dialects\/registry\.ts$/,
    may: ['dialects/(dialect|frame-settings).ts', 'dialects/(?!use-cases/)[^/]+/[^/]+.ts'],
    packages: ['zod'],
  },
  {
    files: /^dialects\/use-cases(\/.+)?\.ts$/,
    may: [
      'dialects/[^/]+.ts',
      'dialects/use-cases/.+',
      'identity/.+',
      'store/ports.ts',
      'federation/upstream.ts',
      'oidc/oidc.ts',
      'http/.+',
    ],
    packages: ['zod'],
  },
  // The frame: the steps that every endpoint passes.
  {
    files: /^dialects\/[^/]+\.ts$/,
    may: [
      'dialects/[^/]+.ts',
      'dialects/use-cases/.+',
      'http/.+',
      'identity/(refusal|aliases|api-keys|organizations|recent-sign-in).ts',
      'store/ports.ts',
      'federation/upstream.ts',
    ],
    types: ['identity/identity.ts', 'identity/budgets.ts', 'oidc/oidc.ts'],
    packages: ['zod', 'koa'],
  },
  {
    files: /^federation\/upstream\.ts$/,
    may: [],
    types: ['store/ports.ts'],
    packages: [],
  },
  {
    files: /^federation\//,
    may: ['federation/.+'],
    types: ['store/ports.ts'],
    packages: ['openid-client', 'jose'],
  },
  {
    files: /^http\//,
    may: ['http/.+', 'identity/refusal.ts', 'identity/client-address.ts', 'store/ports.ts'],
    types: ['oidc/oidc.ts'],
    packages: ['koa', '@koa/router', '@koa/bodyparser', 'helmet', 'ejs', 'i18next'],
  },
  {
    files: /^identity\//,
    may: ['identity/.+', 'store/ports.ts'],
    types: ['mail/mailer.ts', 'federation/upstream.ts'],
    packages: ['@node-rs/argon2', '@node-rs/bcrypt', '@zxcvbn-ts/language-common'],
  },
  {
    files: /^mail\//,
    may: ['mail/.+'],
    types: ['store/ports.ts'],
    packages: ['ejs', 'i18next', 'nodemailer'],
  },
  {
    files: /^oidc\//,
    may: ['oidc/.+', 'identity/.+', 'store/ports.ts'],
    packages: ['oidc-provider', 'jose'],
    // The engine is a Koa application: a middleware of ours inside it has Koa's type.
    typePackages: ['koa'],
  },
  {
    files: /^pages\//,
    may: ['pages/.+', 'identity/.+', 'http/.+', 'oidc/oidc.ts', 'federation/upstream.ts', 'store/ports.ts'],
    packages: ['koa', '@koa/router', 'zod'],
  },
  {
    files: /^demo\//,
    may: ['demo/.+', 'http/.+', 'identity/refusal.ts'],
    types: ['store/ports.ts', 'mail/(mailer|mailbox).ts'],
    packages: ['koa', '@koa/router', 'openid-client'],
  },
  {
    files: /^seed\//,
    may: ['seed/.+', 'identity/.+', 'store/ports.ts', 'config/mistakes.ts'],
    packages: ['zod', 'yaml'],
  },
  {
    files: /^store\/embedded\//,
    may: ['store/embedded/.+', 'store/ports.ts', 'store/opened-before.ts'],
    packages: [],
    node: ['node:sqlite'],
  },
  {
    files: /^store\/mongo\//,
    may: ['store/mongo/.+', 'store/ports.ts', 'store/opened-before.ts'],
    packages: ['mongodb'],
  },
  { files: /^store\/redis\//, may: ['store/redis/.+', 'store/ports.ts'], packages: ['ioredis'] },
  { files: /^store\/ports\.ts$/, may: [], packages: [] },
  { files: /^store\/copy\//, may: ['store/copy/.+', 'store/ports.ts'], packages: [] },
  { files: /^store\//, may: ['store/[^/]+.ts', 'store/[^/]+/[^/]+.ts'], packages: [] },
  { files: /^config\//, may: ['config/.+'], packages: ['zod', 'yaml'] },
  { files: /^observe\//, may: ['observe/.+'], types: ['store/ports.ts'], packages: ['pino', 'prom-client'] },
  { files: /^(clock|secrets|text)\.ts$/, may: [], packages: [] },
  { files: /^lifecycle\.ts$/, may: [], packages: ['close-with-grace'] },
  { files: /^listen\.ts$/, may: [], types: ['lifecycle.ts', 'config/schema.ts'], packages: [] },
  {
    files: /^cli(\/.+)?\.ts$/,
    may: [
      'cli/.+',
      '(serve|server|lifecycle|explain-failure|sample-calls).ts',
      'dialects/(registry|openapi|errors-document).ts',
      'config/.+',
      'seed/.+',
      'identity/.+',
      'store/(ports|open-stores).ts',
      'store/copy/.+',
    ],
    packages: ['commander', 'yaml'],
  },
  { files: /^workers\.ts$/, may: ['config/.+'], packages: [] },
  { files: /^sample-calls\.ts$/, may: ['seed/.+'], packages: [] },
  { files: /^start-block\.ts$/, may: ['sample-calls.ts'], packages: [] },
  { files: /^explain-failure\.ts$/, may: ['config/.+', 'seed/.+', 'store/ports.ts'], packages: [] },
  {
    files: /^main\.ts$/,
    may: ['(serve|explain-failure).ts', 'config/.+'],
    packages: [],
  },
  {
    files: /^serve\.ts$/,
    may: ['(server|lifecycle|workers|start-block|explain-failure).ts', 'config/.+', 'dialects/registry.ts'],
    packages: ['close-with-grace'],
  },
  { files: /^server\.ts$/, may: ['.+'], packages: [], typePackages: ['koa'] },
];

/** Drivers that belong to one folder, whoever else the table would let have them. */
const KEPT_FOR: Readonly<Record<string, RegExp>> = {
  mongodb: /^store\/mongo\//,
  ioredis: /^store\/redis\//,
  'node:sqlite': /^store\/embedded\//,
  nodemailer: /^mail\//,
  'oidc-provider': /^oidc\//,
};

const PROCESS_ENV_IN = 'config/load.ts';

/** Why this import is not allowed; undefined when it is. `from` is a path below src/. */
function refusalOf(from: string, specifier: string | undefined, typesOnly: boolean): string | undefined {
  if (specifier === undefined) return 'loads a module whose name cannot be read';
  const zone = ZONES.find(({ files }) => files.test(from));
  if (zone === undefined) return 'is in no zone of test/architecture.test.ts';
  if (specifier.startsWith('.')) return refusalOfOurs(zone, from, specifier, typesOnly);
  const name = packageOf(specifier);
  const keeper = KEPT_FOR[name];
  if (keeper !== undefined && !keeper.test(from))
    return `imports ${name}, which is kept for ${keeper.source}`;
  if (name.startsWith('node:') || builtinModules.includes(name)) {
    if (!name.startsWith('node:')) return `imports ${name} without node:`;
    return zone.node === undefined || zone.node.includes(name) || keeper?.test(from) || isHarmless(zone, name)
      ? undefined
      : `imports ${name}`;
  }
  const packages = typesOnly ? [...zone.packages, ...(zone.typePackages ?? [])] : zone.packages;
  return packages.includes(name) ? undefined : `imports the package ${name}`;
}

/** A store's folder may use Node's own modules beside its driver; a vendor's may use none. */
function isHarmless(zone: Zone, name: string): boolean {
  return (zone.node ?? []).length > 0 && !(name in KEPT_FOR);
}

function refusalOfOurs(zone: Zone, from: string, specifier: string, typesOnly: boolean): string | undefined {
  const target = path.posix.join(path.posix.dirname(from), specifier);
  if (target.startsWith('..')) return `leaves src/ for ${specifier}`;
  const group = zone.files.exec(from)?.[1] ?? '';
  const isVendor = zone.node?.length === 0;
  const allowed = [
    ...zone.may,
    ...(isVendor ? [] : ANYONE),
    ...(typesOnly ? [...(zone.types ?? []), ...(isVendor ? [] : ANYONES_TYPES)] : []),
    ...(from === 'dialects/dialect.ts' && typesOnly ? ['secrets.ts'] : []),
  ];
  const fits = allowed.some((pattern) => new RegExp(`^${pattern.replace('$1', group)}$`).test(target));
  return fits ? undefined : `imports ${target}${typesOnly ? ' (types)' : ''}`;
}

/** `@koa/router/x` is `@koa/router`, `jose/y` is `jose`; `node:fs/promises` is `node:fs`. */
function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
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

  it('lets config/load.ts alone read the environment', () => {
    const readers = files.filter(({ source }) => usesEnvironment(source)).map(({ file }) => file);
    expect(readers).to.deep.equal([PROCESS_ENV_IN]);
  });

  it('B1 lets text.ts alone normalize, which judges lengths first', () => {
    const normalizing = files.filter(({ source }) => /\.normalize\(/.test(blankComments(source)));
    expect(normalizing.map(({ file }) => file)).to.deep.equal(['text.ts']);
  });

  it('has no file outside every zone', () => {
    expect(
      files.map(({ file }) => file).filter((file) => !ZONES.some((zone) => zone.files.test(file))),
    ).to.deep.equal([]);
  });
});

describe('the rule of the architecture', () => {
  const refused: [from: string, statement: string][] = [
    ['dialects/vsee/me.ts', "import Koa from 'koa';"],
    ['dialects/vsee/me.ts', "import { createHash } from 'node:crypto';"],
    ['dialects/vsee/me.ts', "import { randomText } from '../../secrets.ts';"],
    ['dialects/vsee/me.ts', "import { fields } from '../visitnote/fields.ts';"],
    ['dialects/vsee/me.ts', "import type { Stores } from '../../store/ports.ts';"],
    ['dialects/vsee/me.ts', "import type { Config } from '../../config/schema.ts';"],
    ['dialects/vsee/me.ts', "import { signInWithPassword } from '../../identity/sign-in-with-password.ts';"],
    ['dialects/vsee/me.ts', "const x = await import('../../oidc/oidc.ts');"],
    ['dialects/vsee/me.ts', "type X = import('../../oidc/oidc.ts').OidcServer;"],
    ['dialects/vsee/me.ts', "export * from '../careportals/me.ts';"],
    ['dialects/vsee/me.ts', 'import {\n  a,\n  b,\n} from\n  "../medisync/me.ts";'],
    ['dialects/mount.ts', "import { vsee } from './vsee/vsee.ts';"],
    ['dialects/mount.ts', "import { openStores } from '../store/open-stores.ts';"],
    ['dialects/mount.ts', "import { createOidcServer } from '../oidc/create-oidc-server.ts';"],
    ['identity/codes.ts', "import { SMTPTransport } from 'nodemailer';"],
    ['identity/codes.ts', "import Koa from 'koa';"],
    ['identity/codes.ts', "import { Provider } from 'oidc-provider';"],
    ['identity/codes.ts', "import { createMailer } from '../mail/mailer.ts';"],
    ['identity/codes.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['identity/codes.ts', "const m = await import('mongodb');"],
    ['pages/sign-in.ts', "import { Provider } from 'oidc-provider';"],
    ['pages/sign-in.ts', "import { openStores } from '../store/open-stores.ts';"],
    ['http/app.ts', "import { signInWithPassword } from '../identity/sign-in-with-password.ts';"],
    ['http/app.ts', "import { Provider } from 'oidc-provider';"],
    ['oidc/clients.ts', "import Koa from 'koa';"],
    ['oidc/clients.ts', "import { MongoClient } from 'mongodb';"],
    ['store/embedded/open.ts', "import { MongoClient } from 'mongodb';"],
    ['store/redis/open.ts', "import { x } from '../mongo/open.ts';"],
    ['store/mongo/open.ts', "import Redis from 'ioredis';"],
    ['store/open-stores.ts', "import Redis from 'ioredis';"],
    ['store/ports.ts', "import type { Identity } from '../identity/identity.ts';"],
    ['config/load.ts', "import { openStores } from '../store/open-stores.ts';"],
    ['clock.ts', "import { Config } from './config/schema.ts';"],
    ['federation/google/google.ts', "import { linkAccount } from '../../identity/linking.ts';"],
    ['mail/smtp.ts', "import { schema } from '../config/schema.ts';"],
    ['main.ts', "import { openStores } from './store/open-stores.ts';"],
    ['server.ts', "import { MongoClient } from 'mongodb';"],
    ['server.ts', "import x from '../test/support/server.ts';"],
    ['server.ts', "import fs from 'fs';"],
    ['server.ts', 'const m = await import(name);'],
    ['server.ts', ['const m = await import(`./$', '{name}.ts`);'].join('')],
    ['server.ts', "const sqlite = process.getBuiltinModule('node:sqlite');"],
    ['server.ts', 'const load = createRequire(import.meta.url);'],
    ['newfolder/thing.ts', "import { z } from 'zod';"],
  ];

  for (const [from, statement] of refused) {
    it(`refuses in ${from}: ${statement.replace(/\s+/g, ' ')}`, () => {
      const [found] = readImports(`${statement}\n`);
      expect(found, 'was not even seen').to.not.equal(undefined);
      expect(refusalOf(from, found?.specifier, found?.typesOnly ?? false)).to.be.a('string');
    });
  }

  const allowed: [from: string, statement: string][] = [
    ['dialects/vsee/me.ts', "import { endpoint } from '../dialect.ts';"],
    ['dialects/vsee/me.ts', "import { settings } from './settings.ts';"],
    ['dialects/vsee/me.ts', "import { z } from 'zod';"],
    ['dialects/registry.ts', "import { vsee } from './vsee/vsee.ts';"],
    ['identity/codes.ts', "import type { Mailer } from '../mail/mailer.ts';"],
    ['identity/codes.ts', "import { randomText } from '../secrets.ts';"],
    ['identity/codes.ts', "import type { Config } from '../config/schema.ts';"],
    ['store/embedded/open.ts', "import { DatabaseSync } from 'node:sqlite';"],
    ['store/open-stores.ts', "const { openMongo } = await import('./mongo/open.ts');"],
    ['server.ts', "import { openStores } from './store/open-stores.ts';"],
  ];

  for (const [from, statement] of allowed) {
    it(`allows in ${from}: ${statement}`, () => {
      const [found] = readImports(`${statement}\n`);
      expect(found, 'was not even seen').to.not.equal(undefined);
      expect(refusalOf(from, found?.specifier, found?.typesOnly ?? false)).to.equal(undefined);
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

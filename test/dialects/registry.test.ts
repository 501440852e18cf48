import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { example } from '../../src/dialects/_example/example.ts';
import type { Dialect, RandomForm } from '../../src/dialects/contract/dialect.ts';
import {
  type DialectLoader,
  dialectSettings,
  loadAllDialects,
  loadDialect,
  loadEnabledDialects,
  registry,
} from '../../src/dialects/registry.ts';
import { startTestServer } from '../support/server.ts';

const dialects = path.join(import.meta.dirname, '../../src/dialects');

async function failure(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it worked',
    (error: unknown) => String(error),
  );
}

describe('the registry', () => {
  it('lists every vendor folder, and loads each under its own name', async () => {
    const folders = readdirSync(dialects, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== '_example' && entry.name !== 'use-cases')
      .map(({ name }) => name);
    expect(Object.keys(registry)).to.have.members(folders);
    expect((await loadAllDialects()).map(({ name }) => name)).to.have.members(folders);
  });

  it('T13 K1 every token and key that a dialect draws has 128 random bits or more', async () => {
    const forms = (await loadAllDialects()).flatMap(({ name, tokens, apiKeys }) => [
      { of: `${name}: access token`, form: tokens.access },
      { of: `${name}: refresh token`, form: tokens.refresh?.form },
      { of: `${name}: API key`, form: apiKeys?.offer?.key },
    ]);
    const drawn = forms.filter(({ form }) => form !== undefined && form !== 'jwt');
    expect(drawn.map(({ of }) => of)).to.include.members(['vsee: access token', 'avycenna: API key']);
    for (const { of, form } of drawn) {
      const { alphabet = '', length = 0 } = form as Partial<RandomForm>;
      expect(new Set(alphabet).size, `${of}: every sign once`).to.equal(alphabet.length);
      expect(length * Math.log2(alphabet.length), of).to.be.at.least(128);
    }
  });

  it('loads only what the configuration switches on', async () => {
    const loaded: string[] = [];
    const from: Record<string, DialectLoader> = {
      one: async () => {
        loaded.push('one');
        return { ...example, name: 'one' };
      },
      two: async () => {
        loaded.push('two');
        throw new Error('must not be loaded');
      },
    };
    await loadEnabledDialects({ one: { enabled: true }, two: { enabled: false } }, from);
    expect(loaded).to.deep.equal(['one']);
  });

  it('names a dialect that there is none of, that cannot load, and that is called otherwise', async () => {
    const from: Record<string, DialectLoader> = {
      torn: async () => {
        throw new Error('a torn file');
      },
      masked: async () => example,
    };
    expect(await failure(loadDialect('nobody', from))).to.match(/no dialect 'nobody'.*torn, masked/);
    expect(await failure(loadDialect('toString', from))).to.match(/no dialect 'toString'/);
    expect(await failure(loadEnabledDialects({ torn: { enabled: true } }, from))).to.match(
      /'torn' cannot be loaded.*a torn file/,
    );
    expect(await failure(loadDialect('masked', from))).to.match(
      /'masked' cannot be loaded.*calls itself 'example'/,
    );
  });

  it('hands the settings of each to the configuration', async () => {
    const shapes = await dialectSettings(['medisync', 'vsee']);
    expect(Object.keys(shapes)).to.deep.equal(['medisync', 'vsee']);
    expect(shapes.vsee?.safeParse({ enabled: true }).success).to.equal(true);
    expect(shapes.vsee?.safeParse({ nonsense: 1 }).success).to.equal(false);
  });
});

/** The folder as somebody would copy it: another name in its files, and nothing else changed anywhere. */
function copyExample(name: string): { folder: string; file: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-dialect-'));
  const copy = path.join(folder, 'dialects', name);
  cpSync(path.join(dialects, '_example'), copy, { recursive: true });
  for (const file of readdirSync(copy)) {
    const from = path.join(copy, file);
    writeFileSync(
      from,
      readFileSync(from, 'utf8').replaceAll('example', name).replaceAll('exr_', `${name}_`),
    );
    renameSync(from, path.join(copy, file.replace('example', name)));
  }
  // The copy stands beside the project's own contract, as it would in the real folder.
  symlinkSync(path.join(dialects, 'dialect.ts'), path.join(folder, 'dialects', 'dialect.ts'));
  symlinkSync(path.join(dialects, '../../node_modules'), path.join(folder, 'node_modules'));
  return { folder, file: path.join(copy, `${name}.ts`) };
}

describe('a new dialect', () => {
  it('is a copy of _example and one line of the registry', async () => {
    const { folder, file } = copyExample('acme');
    try {
      const withOneLineMore: Record<string, DialectLoader> = {
        ...registry,
        acme: async () => ((await import(pathToFileURL(file).href)) as { acme: Dialect }).acme,
      };
      const settings = Object.fromEntries(
        Object.keys(withOneLineMore).map((name) => [name, { enabled: true }]),
      );
      const all = await loadEnabledDialects(settings, withOneLineMore);
      const server = await startTestServer({ dialects: all });
      try {
        const post = (route: string, body: object) =>
          fetch(`${server.url}/acme/v1/${route}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          });
        const person = { email: 'new@acme.test', password: 'Quarry-Meadow-Signal-12' };
        const registered = await post('register', { ...person, name: 'Ada New' });
        expect(registered.status).to.equal(201);
        const signedIn = (await (await post('sign-in', person)).json()) as {
          token: string;
          refreshToken: string;
        };
        const me = await fetch(`${server.url}/acme/v1/me`, {
          headers: { authorization: `Bearer ${signedIn.token}` },
        });
        expect(await me.json()).to.include({ email: 'new@acme.test', name: 'Ada New' });
        expect(signedIn.refreshToken).to.match(/^acme_[0-9a-f]{64}$/);
        expect((await server.running.stores.clients.byId('acme-legacy'))?.dialect).to.equal('acme');
      } finally {
        await server.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { example } from '../../src/dialects/_example/example.ts';
import type { RandomForm } from '../../src/dialects/contract/dialect.ts';
import {
  type DialectLoader,
  dialectSettings,
  loadAllDialects,
  loadDialect,
  loadEnabledDialects,
  registry,
} from '../../src/dialects/registry.ts';

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
      .map(({ name }) => name)
      .filter((name) =>
        ['settings.ts', `${name}.ts`].every((file) => existsSync(path.join(dialects, name, file))),
      );
    expect(Object.keys(registry)).to.have.members(folders);
    expect((await loadAllDialects()).map(({ name }) => name)).to.have.members(folders);
  });

  it('T13 K1 every token and key that a dialect draws has 128 random bits or more', async () => {
    const forms = (await loadAllDialects()).flatMap(({ name, tokens, apiKeyForm }) => [
      { of: `${name}: access token`, form: tokens.access },
      { of: `${name}: refresh token`, form: tokens.refresh?.form },
      { of: `${name}: API key`, form: apiKeyForm?.key },
    ]);
    const drawn = forms.filter(({ form }) => form !== undefined && form !== 'jwt');
    expect(drawn.map(({ of }) => of)).to.include.members([
      'vsee: access token',
      'vsee: API key',
      'avycenna: API key',
    ]);
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

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { describeConfiguration } from '../../src/config/document.ts';
import { variableOf } from '../../src/config/environment.ts';
import { ConfigError } from '../../src/config/issues.ts';
import { loadConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { pathsOf, requestInfoOf, schemaAt } from '../../src/config/shape.ts';
import { dialectNames } from '../../src/dialects/registry.ts';
import { plugInShapes } from '../../src/server/configuration.ts';

const root = path.join(import.meta.dirname, '../..');

describe('docs/configuration.md', () => {
  it('is what the schema says (write it anew: npm run docs)', async () => {
    const written = readFileSync(path.join(root, 'docs/configuration.md'), 'utf8');
    expect(written).to.equal(describeConfiguration(await plugInShapes()));
  });

  it('explains every key', () => {
    const silent = pathsOf(configSchema).filter((key) => {
      const schema = schemaAt(configSchema, key.split('.'));
      return !schema || !requestInfoOf(schema)?.about;
    });
    expect(silent).to.deep.equal([]);
  });

  it('has a table for every dialect', async () => {
    const text = describeConfiguration(await plugInShapes());
    for (const name of dialectNames) {
      expect(text).to.contain(`### dialects.${name}\n`);
      expect(text).to.contain(`\`dialects.${name}.enabled\``);
    }
  });

  it('shows no key that cannot be set by a variable of its name', async () => {
    const shapes = await plugInShapes();
    const keys = [...describeConfiguration(shapes).matchAll(/^\| `([\w.<>]+)`/gm)].map(([, key = '']) =>
      key.replace('<name>', 'visitnote'),
    );
    expect(keys).to.have.length.above(100);
    const env = Object.fromEntries(
      keys.filter((key) => key !== 'environment').map((key) => [variableOf(key), '\0']),
    );
    try {
      loadConfig({ env, ...shapes });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.issues.filter(({ message }) => message.startsWith('names no known key'))).to.deep.equal(
        [],
      );
    }
  });
});

describe('.env.example', () => {
  it('names keys that exist, and is complete for production but for the key', () => {
    const lines = readFileSync(path.join(root, '.env.example'), 'utf8').split('\n');
    const env = Object.fromEntries(
      lines
        .filter((line) => /^[A-Z]/.test(line))
        .map((line) => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
    expect(() => loadConfig({ env })).to.throw(
      ConfigError,
      /^The configuration has one issue:\n {2}keys\.encryption/,
    );
    const commented = lines
      .filter((line) => /^# PORTICO_/.test(line))
      .map((line) => line.slice(2).split('='));
    const more = Object.fromEntries(commented.map(([name = '', value = '']) => [name, value]));
    const optional = {
      ...env,
      ...more,
      PORTICO_KEYS__ENCRYPTION: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex'),
    };
    expect(() => loadConfig({ env: optional })).not.to.throw();
  });
});

/**
 * src/oidc/extensions replaces methods of oidc-provider, some of them private. The header of each file there names
 * them, the version that they were read in, and a digest of what was read.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import Provider, { interactionPolicy } from 'oidc-provider';
import { openWorld } from './support.ts';

const ROOM = join(import.meta.dirname, '../../src/oidc/extensions');
const INSTALLED: string = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../node_modules/oidc-provider/package.json'), 'utf8'),
).version;

interface Header {
  readonly file: string;
  readonly version: string | undefined;
  readonly replaced: readonly { readonly method: string; readonly digest: string }[];
}

const headers: Header[] = readdirSync(ROOM).map((file) => {
  const comment = readFileSync(join(ROOM, file), 'utf8').match(/^\/\*\*.*?\*\//s)?.[0] ?? '';
  const replaced = [...comment.matchAll(/^ \* - ([\w.]+) (\S+)$/gm)];
  return {
    file,
    version: comment.match(/Replaces (?:nothing )?in oidc-provider (\d+\.\d+\.\d+)/)?.[1],
    replaced: replaced.map(([, method = '', digest = '']) => ({ method, digest })),
  };
});

const read = [...new Set(headers.flatMap(({ replaced }) => replaced.map(({ method }) => method)))];
/** Functions that are called as they are (sender-constraints.ts). */
const CALLED = 'grants.';
const methods = read.filter((method) => !method.startsWith(CALLED));
const called: object = await import(`oidc-provider/lib/helpers/${CALLED}js`);

/** As it is installed, with nothing replaced. */
function pristine(): Provider {
  return new Provider('https://op.test', { features: { devInteractions: { enabled: false } } });
}

/** The classes that a provider makes for itself: its models and OIDCContext. */
function classesOf(provider: Provider): Map<string, object> {
  const names = Object.entries(Object.getOwnPropertyDescriptors(Provider.prototype))
    .filter(([name, { get }]) => get !== undefined && /^[A-Z]/.test(name))
    .map(([name]) => name);
  const made = names.map((name) => [name, Reflect.get(provider, name)] as const);
  return new Map(made.filter(([, value]) => typeof value === 'function'));
}

/** Everything that can be replaced, by its name: the source text of every method and getter. */
function sourcesOf(provider: Provider): Map<string, string> {
  const sources = new Map<string, string>();
  const read = (prefix: string, value: object | null) => {
    for (let owner = value; owner !== null; owner = Object.getPrototypeOf(owner)) {
      if (owner === Function.prototype || owner === Object.prototype) return;
      for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
        const source = property.get ?? property.value;
        if (typeof source !== 'function' || sources.has(prefix + name) || name === 'constructor') continue;
        sources.set(prefix + name, Function.prototype.toString.call(source));
      }
    }
  };
  for (const [name, made] of classesOf(provider)) {
    read(`${name}.`, made);
    read(`${name}.prototype.`, Reflect.get(made, 'prototype'));
  }
  read('request.', provider.request);
  const native = interactionPolicy.base().get('consent')?.checks.get('native_client_prompt');
  for (const [name, source] of Object.entries(called)) sources.set(CALLED + name, String(source));
  sources.set('interactionPolicy.consent.native_client_prompt', String(native?.check));
  return sources;
}

describe('extensions of oidc-provider', () => {
  it('were read in the version that is installed, and replace methods that have not changed', () => {
    const sources = sourcesOf(pristine());
    const outdated = headers.flatMap(({ file, version, replaced }) => [
      ...(version === INSTALLED ? [] : [`${file}: read in ${version}, installed is ${INSTALLED}`]),
      ...replaced.flatMap(({ method, digest }) => {
        const source = sources.get(method);
        const found = source && createHash('sha256').update(source).digest('hex').slice(0, 12);
        return found === digest ? [] : [`${file}: ${method} is ${found ?? 'gone'}, was ${digest}`];
      }),
    ]);
    const advice =
      'Read what changed in oidc-provider against these headers, then write the new version there:';
    expect(outdated, `${advice}\n${outdated.join('\n')}\n`).to.deep.equal([]);
    expect(methods).to.have.length.greaterThan(20);
  });

  it('are named in the headers, each method that a running server has replaced', async () => {
    const built: Provider[] = [];
    const { callback } = Provider.prototype;
    Provider.prototype.callback = function watched(this: Provider) {
      built.push(this);
      return callback.call(this);
    };
    const world = await openWorld().finally(() => {
      Provider.prototype.callback = callback;
    });
    await world.close();
    const [running] = built;
    if (running === undefined) throw new Error('The server built no provider.');
    const before = sourcesOf(pristine());
    const changed = [...sourcesOf(running)].filter(([name, source]) => before.get(name) !== source);
    const policy = 'interactionPolicy.consent.native_client_prompt';
    expect([...changed.map(([name]) => name), policy].sort()).to.deep.equal([...methods].sort());
  });
});

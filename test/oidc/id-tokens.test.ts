import { mock } from 'node:test';
import { expect } from 'chai';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { secretsFrom } from '../../src/core/crypto.ts';
import { Browser, basic, codeFor, getJson, openWorld, redeem, tokensFor, type World } from './support.ts';

const keysOf = async (world: World) =>
  ((await getJson(world, '/jwks')) as unknown as JSONWebKeySet).keys.map(({ alg, kid }) => ({ alg, kid }));

/** Verified with the published keys, as the client would. */
async function verified(world: World, token: string, audience: string) {
  const jwks = createLocalJWKSet((await getJson(world, '/jwks')) as unknown as JSONWebKeySet);
  return jwtVerify(token, jwks, { issuer: world.issuer, audience });
}

const algorithmOf = (token: string) => decodeProtectedHeader(token).alg;

describe('the algorithm of ID tokens', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    for (const alg of ['ES256', 'RS256']) {
      await world.putClient({
        ...{ clientId: `${alg}-web`, secret: `${alg}-secret`, traits: { firstParty: true } },
        metadata: { id_token_signed_response_alg: alg },
      });
    }
  });
  after(() => world.close());

  const signedIn = (clientId: string, at = world) =>
    tokensFor(at, {
      browser: new Browser(at, 'nora'),
      request: { client_id: clientId },
      headers: basic(clientId, `${clientId.split('-')[0]}-secret`),
    });

  it('CL4 is RS256 where the client registers none, and the one that it registers', async () => {
    const { id_token } = await tokensFor(world);
    expect((await verified(world, id_token, 'web')).protectedHeader.alg).to.equal('RS256');
    for (const alg of ['ES256', 'RS256']) {
      const own = await signedIn(`${alg}-web`);
      expect((await verified(world, own.id_token, `${alg}-web`)).protectedHeader.alg).to.equal(alg);
    }
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    expect(metadata.id_token_signing_alg_values_supported).to.have.members(['RS256', 'ES256']);
  });

  it('CL4 signing makes no key object anew, whatever the algorithm', async () => {
    const clients = ['web', 'ES256-web'];
    for (const clientId of clients) await signedIn(clientId);
    const imports = mock.method(crypto.subtle, 'importKey');
    for (const clientId of clients) await signedIn(clientId);
    expect(imports.mock.callCount()).to.equal(0);
    imports.mock.restore();
  });

  it('CL4 is ES256 again where the configuration says so', async () => {
    const before = await openWorld({ beside: world, oidc: { idTokenAlgorithm: 'ES256' } });
    const browser = new Browser(before, 'nora');
    const { body } = await redeem(before, await codeFor(browser));
    expect(algorithmOf(String(body.id_token))).to.equal('ES256');
    expect(algorithmOf((await signedIn('RS256-web', before)).id_token)).to.equal('RS256');
    await before.close();
  });

  it('CL4 an ID token of the other algorithm stays good as a hint', async () => {
    const older = await openWorld({ beside: world, oidc: { idTokenAlgorithm: 'ES256' } });
    const { body } = await redeem(older, await codeFor(new Browser(older, 'nora')));
    const hint = String(body.id_token);
    expect(algorithmOf(hint)).to.equal('ES256');
    const ask = (id_token_hint: string) =>
      new Browser(world, 'nora').open(`/logout?${new URLSearchParams({ id_token_hint })}`);
    expect((await ask(hint)).status).to.equal(200);
    // Without a signature: a hint is verified all the same.
    expect((await ask(`${hint.slice(0, -10)}AAAAAAAAAA`)).status).to.equal(400);
    await older.close();
  });

  it('CL4 a store of an older version that lacks an RS256 key gets one, and keeps its ES256 key', async () => {
    const { keyring } = world.stores;
    const secrets = secretsFrom(Buffer.alloc(32, 7));
    const stored = await keyring.read();
    const keys = JSON.parse(secrets.decrypt(stored?.encrypted ?? '', 'keyring')) as { alg: string }[];
    const left = keys.filter(({ alg }) => alg === 'ES256');
    await keyring.write(secrets.encrypt(JSON.stringify(left), 'keyring'), stored?.version ?? 0);
    const [first, second] = await Promise.all([openWorld({ beside: world }), openWorld({ beside: world })]);
    const published = await keysOf(first);
    expect(published.map(({ alg }) => alg)).to.deep.equal(['ES256', 'RS256']);
    expect(published[0]?.kid).to.equal((await keysOf(world))[0]?.kid);
    expect(await keysOf(second)).to.deep.equal(published);
    const { body } = await redeem(first, await codeFor(new Browser(first, 'nora')));
    expect((await verified(first, String(body.id_token), 'web')).protectedHeader.alg).to.equal('RS256');
    await Promise.all([first.close(), second.close()]);
  });
});

import { createPublicKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import {
  base64url,
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  jwtVerify,
  SignJWT,
} from 'jose';
import { serverKey } from '../../../src/config/server-key.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { secretsFrom } from '../../../src/core/crypto.ts';
import { createLog } from '../../../src/observe/log.ts';
import { currentKey, openSigningKeys } from '../../../src/oidc/persistence/signing-keys.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { avycenna, careportals, medisync, visitnote } from '../vendors.ts';
import { openWorld, type World } from './world.ts';

const VENDORS = [visitnote, medisync, careportals, avycenna];
const text = (secret: string) => new TextEncoder().encode(secret);

/** Two dialects under the published key, two under secrets of their own; then the other way round. */
const ARRANGEMENTS = [
  ['visitnote', 'careportals'],
  ['medisync', 'avycenna'],
];

for (const shared of ARRANGEMENTS) {
  describe(`Access tokens with ${shared.join(' and ')} under shared secrets`, () => {
    const secrets = new Map(shared.map((name) => [name, randomBytes(32).toString('base64url')]));
    let world: World;
    before(async () => {
      const dialects = Object.fromEntries(
        shared.map((name) => [name, { accessToken: { signing: 'HS256', secret: secrets.get(name) } }]),
      );
      world = await openWorld({ config: { dialects } });
    });
    after(() => world.close());

    async function signIn(vendor: DialectInfo): Promise<string> {
      const { email = '' } = await world.person({ organization: vendor.organization });
      return (await world.tokens(vendor, email)).access;
    }

    /** The key that signs ID tokens and the tokens of dialects without a secret: what no attacker has. */
    async function serverSigningKey() {
      const { stores } = world.server.running;
      const schedule = { rotation: 1e9, overlap: 1, longestToken: 1 };
      const ground = {
        store: stores.keyring,
        secrets: secretsFrom(serverKey(world.server.config)),
        clock: systemClock,
      };
      const keys = await openSigningKeys({ ...ground, log: createLog({ level: 'silent' }), schedule });
      return currentKey(keys.ring, 'ES256');
    }

    const published = async () => (await (await fetch(`${world.server.url}/jwks`)).json()) as JSONWebKeySet;

    /** The same claims, `jti` too, under every key but the one that this dialect is configured to sign with. */
    async function forgeries(vendor: DialectInfo, real: string): Promise<[string, string][]> {
      const { name } = vendor.dialect;
      const claims = decodeJwt(real);
      const header = decodeProtectedHeader(real);
      const sign = (under: JWTHeaderParameters, key: Parameters<SignJWT['sign']>[0]) =>
        new SignJWT(claims).setProtectedHeader(under).sign(key);
      const own = await serverSigningKey();
      const [publicKey] = (await published()).keys.filter(({ kid }) => kid === own.kid);
      const spki = createPublicKey({ key: publicKey ?? {}, format: 'jwk' }).export({
        type: 'spki',
        format: 'pem',
      });
      const stranger = await generateKeyPair('ES256', { extractable: true });
      const strangerJwk = await exportJWK(stranger.publicKey);
      const symmetric: [string, Uint8Array][] = [
        ['the published key as PEM', text(String(spki))],
        ['the published key as JSON', text(JSON.stringify(publicKey))],
        ['the published x', text(String(publicKey?.x))],
        ['the bytes of the published x', base64url.decode(String(publicKey?.x))],
        ['the key id', text(own.kid)],
        ...[...secrets]
          .filter(([of]) => of !== name)
          .map(([of, secret]): [string, Uint8Array] => [`the secret of ${of}`, text(secret)]),
      ];
      return [
        ...(await Promise.all(
          symmetric.flatMap(([what, key]) =>
            [
              { alg: 'HS256', typ: 'JWT' },
              { ...header, alg: 'HS256' },
            ].map(
              async (under): Promise<[string, string]> => [`HS256 under ${what}`, await sign(under, key)],
            ),
          ),
        )),
        ...(secrets.has(name)
          ? [
              [
                'ES256 under the server’s own key',
                await sign({ alg: 'ES256', typ: 'at+jwt', kid: own.kid }, own.jwk),
              ] as [string, string],
            ]
          : []),
        [
          'ES256 under a stranger’s key',
          await sign({ alg: 'ES256', typ: 'at+jwt', kid: own.kid }, stranger.privateKey),
        ],
        [
          'ES256 under a key that it brings',
          await sign(
            { alg: 'ES256', jwk: strangerJwk, kid: await calculateJwkThumbprint(strangerJwk) },
            stranger.privateKey,
          ),
        ],
        ['no signature', `${base64url.encode('{"alg":"none"}')}.${real.split('.')[1]}.`],
      ];
    }

    for (const vendor of VENDORS) {
      const { name } = vendor.dialect;
      it(`B10 T1 ${name} takes no token under another key than the one that it is configured for`, async () => {
        const real = await signIn(vendor);
        const secret = secrets.get(name);
        const jwks = createLocalJWKSet(await published());
        // What a resource server does, by its own configuration.
        const byKey = jwtVerify(real, jwks, { algorithms: ['ES256'] }).then(
          () => true,
          () => false,
        );
        const byOther = [...secrets.values()].map((one) =>
          jwtVerify(real, text(one), { algorithms: ['HS256'] }).then(
            () => one,
            () => undefined,
          ),
        );
        expect(await byKey, 'by the published key').to.equal(secret === undefined);
        expect((await Promise.all(byOther)).filter(Boolean)).to.deep.equal(
          secret === undefined ? [] : [secret],
        );
        for (const [what, forged] of await forgeries(vendor, real)) {
          const reply = await world.me(vendor, forged);
          expect([reply.status, reply.json()], what).to.deep.equal([
            vendor.deadToken.status,
            vendor.deadToken.json,
          ]);
          expect(await world.introspect(forged), what).to.deep.equal({ active: false });
          await world.revoke(forged);
        }
        expect((await world.me(vendor, real)).status, 'no forgery has ended it').to.equal(200);
      });
    }

    it('B10 T1 X1 no secret is published', async () => {
      const everything = JSON.stringify(await published());
      for (const secret of secrets.values()) expect(everything).not.to.contain(secret);
      expect((await published()).keys.map(({ kty }) => kty)).not.to.include('oct');
    });
  });
}

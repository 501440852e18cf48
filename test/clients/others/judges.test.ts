/**
 * Access tokens before the server's own introspection and before the libraries with which an API judges them by
 * itself: all take the genuine one, and refuse the same hostile ones.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { secretsFrom } from '../../../src/core/crypto.ts';
import { onItsOwn } from '../../oidc/api-flows.ts';
import { basic, openWorld, post, tokensFor, type World } from '../../oidc/support.ts';
import { type Genuine, hostileTokens } from '../../support/hostile-tokens.ts';
import { isPrepared, JUDGES } from './programs.ts';

describe('an API judges access tokens', () => {
  let world: World;
  let tokens: Readonly<Record<string, string>>;

  before(async () => {
    world = await openWorld();
    await world.putApi({
      id: 'judge',
      secret: 'judge-secret',
      identifier: 'https://judge.test',
      scopes: { read: {} },
    });
    const metadata = {
      ...{ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
      apis: { 'https://judge.test': ['read'] },
    };
    await world.putClient({ clientId: 'caller', secret: 'caller-secret', metadata });
    const call = async () =>
      String(
        (await onItsOwn(world, 'caller', { resource: 'https://judge.test', scope: 'read' })).reply.body
          .access_token,
      );
    const [token, other] = [await call(), await call()];
    const { id_token: idToken, refresh_token: refreshToken } = await tokensFor(world);
    const genuine = { token, other, idToken, refreshToken, keys: await privateKeys(world) };
    tokens = { 'the genuine token': token, ...hostileTokens(genuine) };
  });
  after(() => world.close());

  function expectVerdicts(verdicts: readonly string[]): void {
    const names = Object.keys(tokens);
    expect(verdicts).to.have.length(names.length);
    expect(names.length).to.be.greaterThan(50);
    const accepted = names.filter((_, place) => verdicts[place] === 'accepted');
    expect(accepted).to.deep.equal(['the genuine token']);
  }

  it('API8 by asking the server', async () => {
    const verdicts: string[] = [];
    for (const token of Object.values(tokens)) {
      const { body } = await post(world, '/introspect', { token }, basic('judge', 'judge-secret'));
      verdicts.push(body.active === true ? 'accepted' : 'refused');
    }
    expectVerdicts(verdicts);
  });

  it('API8 with jose', async () => {
    const keys = createRemoteJWKSet(new URL(`${world.issuer}/jwks`));
    const checks = {
      ...{
        issuer: world.issuer,
        audience: 'https://judge.test',
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
      },
      requiredClaims: ['exp', 'iat', 'sub', 'client_id', 'jti'],
    };
    const judge = (token: string) =>
      jwtVerify(token, keys, checks).then(
        () => 'accepted',
        () => 'refused',
      );
    expectVerdicts(await Promise.all(Object.values(tokens).map(judge)));
  });

  for (const judge of JUDGES) {
    it(`API8 with ${judge.name}`, async function () {
      if (!isPrepared(judge)) this.skip();
      const [file = '', ...values] = judge.command;
      const command = [...values, world.issuer, 'https://judge.test'];
      const child = spawn(file, command, { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.end(`${Object.values(tokens).join('\n')}\n`);
      const lines = (await text(child.stdout)).trim().split('\n');
      expectVerdicts(lines.map((line) => line.split(':')[0] ?? ''));
    });
  }
});

/** Those of the server, which are encrypted under the key of the test. */
async function privateKeys({ stores }: World): Promise<Genuine['keys']> {
  const stored = await stores.keyring.read();
  const ring: { alg: string; state: string; kid: string; jwk: object }[] = JSON.parse(
    secretsFrom(Buffer.alloc(32, 7)).decrypt(stored?.encrypted ?? '', 'keyring'),
  );
  const of = (alg: string) => {
    const key = ring.find((one) => one.alg === alg && one.state === 'current');
    if (key === undefined) throw new Error(`The keyring has no current ${alg} key.`);
    return { ...key.jwk, kid: key.kid };
  };
  return { ES256: of('ES256'), RS256: of('RS256') };
}

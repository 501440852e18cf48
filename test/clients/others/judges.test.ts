/** Libraries with which an API judges the access tokens that it is sent: their verdicts are those of jose. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { INES } from '../../support/client-app.ts';
import { relyingParty, signIn } from '../../support/relying-party.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { isPrepared, JUDGES } from './programs.ts';

const API = 'https://api.test/records';

describe('an API judges access tokens', () => {
  let server: TestServer;
  let tokens: string[];

  before(async () => {
    const resources = [{ identifier: API, scopes: ['records:read'], format: 'jwt' as const, open: true }];
    server = await startTestServer({ config: { oidc: { resources } } });
    const parameters = { audience: API, scope: 'openid records:read' };
    const party = await relyingParty(server.issuer);
    const { access_token: token, id_token: idToken = '' } = (await signIn(party, { ...INES, parameters }))
      .tokens;
    const [header = '', payload = '', signature = ''] = token.split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
    tokens = [
      token,
      `${header}.${payload}.${signature.split('').reverse().join('')}`,
      `${none}.${payload}.`,
      idToken,
      'no token at all',
    ];
  });
  after(() => server.close());

  const verdicts = ['accepted', 'refused', 'refused', 'refused', 'refused'];

  it('with jose', async () => {
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const checks = { issuer: server.issuer, audience: API, typ: 'at+jwt', requiredClaims: ['exp', 'sub'] };
    const judge = (token: string) =>
      jwtVerify(token, keys, checks).then(
        () => 'accepted',
        () => 'refused',
      );
    expect(await Promise.all(tokens.map(judge))).to.deep.equal(verdicts);
  });

  for (const judge of JUDGES) {
    it(`with ${judge.name}`, async function () {
      if (!isPrepared(judge)) this.skip();
      const [file = '', ...values] = judge.command;
      const child = spawn(file, [...values, server.issuer, API], { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdin.end(`${tokens.join('\n')}\n`);
      const lines = (await text(child.stdout)).trim().split('\n');
      expect(lines.map((line) => line.split(':')[0])).to.deep.equal(verdicts);
    });
  }
});

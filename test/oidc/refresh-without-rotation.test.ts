import { randomUUID } from 'node:crypto';
import { mock } from 'node:test';
import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  API,
  Browser,
  basic,
  codeFor,
  introspect,
  openWorld,
  RECORDS_API,
  redeem,
  refresh,
  revoke,
  type Tokens,
  tokensFor,
  type World,
} from './support.ts';

const STEADY = basic('steady', 'steady-secret');
const GRANTS = { grant_types: ['authorization_code', 'refresh_token'] };

describe('refresh tokens of a client that does not rotate them', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    await putSteady(false);
    await world.putClient({
      clientId: 'records-api',
      secret: 'records-secret',
      traits: { introspects: ['steady', 'phone'] },
      metadata: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    });
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const putSteady = (rotates: boolean) =>
    world.putClient({
      clientId: 'steady',
      secret: 'steady-secret',
      traits: { firstParty: true },
      metadata: { ...GRANTS, rotate_refresh_tokens: rotates },
    });
  const signIn = (request: Record<string, string> = {}) =>
    tokensFor(world, { request: { client_id: 'steady', ...request }, headers: STEADY });
  const use = (token: string, at = world, form: Record<string, string> = {}) =>
    refresh(at, token, form, STEADY);

  function pass(seconds: number): void {
    const now = Date.now();
    mock.timers.reset();
    mock.timers.enable({ apis: ['Date'], now: now + seconds * 1000 });
  }

  it('SU1 stay good, at many requests at once over two nodes, and end when they are revoked', async () => {
    const other = await openWorld({ beside: world });
    const { refresh_token: token, access_token: first } = await signIn();
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, i) => use(token, i % 2 ? world : other)),
    );
    pass(3600);
    replies.push(await use(token));
    expect(replies.map(({ status }) => status)).to.deep.equal(Array(11).fill(200));
    expect([...new Set(replies.map(({ body }) => body.refresh_token))]).to.deep.equal([token]);
    const access = [first, ...replies.map(({ body }) => String(body.access_token))];
    expect(new Set(access).size).to.equal(12);
    expect((await introspect(world, String(access.at(-1)))).active).to.equal(true);
    expect((await revoke(world, token, STEADY)).status).to.equal(200);
    for (const each of access) expect((await introspect(world, each)).active, each).to.equal(false);
    expect((await use(token)).body.error).to.equal('invalid_grant');
    await other.close();
  });

  it('SU1 refreshes that race a revocation leave nothing alive', async () => {
    // Signing a JWT leaves the others time.
    const jwt = { resource: API };
    for (let round = 0; round < 6; round += 1) {
      const { refresh_token: token, access_token: first } = await signIn({
        ...jwt,
        scope: 'openid records:read',
      });
      const racing = Array.from({ length: 8 }, () => use(token, world, jwt));
      // With its access token a client ends its tokens, and leaves the consent.
      const [replies] = await Promise.all([
        Promise.all(racing),
        revoke(world, round % 2 ? token : first, STEADY),
      ]);
      for (const { body } of replies) {
        const { access_token: access } = body as unknown as Partial<Tokens>;
        if (access !== undefined)
          expect((await introspect(world, access)).active, `round ${round}`).to.equal(false);
      }
      expect((await use(token)).status).to.equal(400);
    }
  });

  it('SU1 end when their code comes a second time, with the access tokens that they gave', async () => {
    const code = await codeFor(new Browser(world, 'nora'), { client_id: 'steady' });
    const first = (await redeem(world, code, {}, STEADY)).body as unknown as Tokens;
    const second = (await use(first.refresh_token)).body as unknown as Tokens;
    pass(11);
    expect((await redeem(world, code, {}, STEADY)).body.error).to.equal('invalid_grant');
    for (const { access_token: access } of [first, second])
      expect((await introspect(world, access)).active).to.equal(false);
    expect((await use(first.refresh_token)).status).to.equal(400);
  });

  it('SU1 end with the time that they were given, which a use does not prolong', async () => {
    const { refresh_token: token } = await signIn();
    pass(29 * 86_400);
    expect((await use(token)).status).to.equal(200);
    pass(2 * 86_400);
    expect((await use(token)).body.error).to.equal('invalid_grant');
  });

  it('SU1 what was used up before the switch stays so, but for a retry of the last seconds', async () => {
    await putSteady(true);
    const { refresh_token: token } = await signIn();
    const { body: rotated } = await use(token);
    await putSteady(false);
    const later = await openWorld({ beside: world });
    const retried = await use(token, later);
    expect(retried.body.refresh_token).to.equal(rotated.refresh_token).and.not.equal(token);
    pass(11);
    expect((await use(token, later)).body.error).to.equal('invalid_grant');
    expect((await use(String(rotated.refresh_token), later)).body.error).to.equal('invalid_grant');
    await later.close();
  });

  it('SU1 of a public client are of use with its DPoP key alone', async () => {
    await world.putClient({
      clientId: 'phone',
      traits: { firstParty: true },
      metadata: {
        ...{ ...GRANTS, token_endpoint_auth_method: 'none' },
        ...{ rotate_refresh_tokens: false, dpop_bound_access_tokens: true },
      },
    });
    const [own, foreign] = [await dpopKey(world), await dpopKey(world)];
    const request = { client_id: 'phone' };
    const { refresh_token: token } = await tokensFor(world, {
      request,
      form: request,
      headers: { dpop: await own() },
    });
    for (const proof of [own, own]) {
      const { body } = await refresh(world, token, request, { dpop: await proof() });
      expect(body.refresh_token).to.equal(token);
      expect((await introspect(world, String(body.access_token), RECORDS_API)).cnf).to.have.property('jkt');
    }
    const stolen = await refresh(world, token, request, { dpop: await foreign() });
    expect(stolen.body.error).to.equal('invalid_grant');
    expect((await refresh(world, token, request, {})).status).to.equal(400);
  });
});

/** Makes proofs (RFC 9449) for /token by one key. */
async function dpopKey(world: World): Promise<() => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return () =>
    new SignJWT({ jti: randomUUID(), htm: 'POST', htu: `${world.issuer}/token` })
      .setIssuedAt()
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .sign(privateKey);
}

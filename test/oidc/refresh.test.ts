import { randomUUID } from 'node:crypto';
import { mock } from 'node:test';
import { expect } from 'chai';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import {
  Browser,
  basic,
  introspect,
  openWorld,
  refresh,
  revoke,
  type Tokens,
  tokensFor,
  userinfo,
  WEB,
  type World,
} from './support.ts';

describe('refresh tokens of OIDC clients', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  /** From now on time stands still, and moves by this. */
  function pass(seconds: number): void {
    const now = Date.now();
    mock.timers.reset();
    mock.timers.enable({ apis: ['Date'], now: now + seconds * 1000 });
  }

  /** Headers of the client with a fresh proof (RFC 9449) by a key of its own. */
  async function dpopKey() {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const proof = () =>
      new SignJWT({ jti: randomUUID(), htm: 'POST', htu: `${world.issuer}/token` })
        .setIssuedAt()
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey);
    return {
      thumbprint: await calculateJwkThumbprint(jwk),
      headers: async () => ({ ...WEB, dpop: await proof() }),
    };
  }

  it('T7 are used up by a refresh, for public clients too', async () => {
    const headers = {};
    const first = await tokensFor(world, {
      request: { client_id: 'spa' },
      form: { client_id: 'spa' },
      headers,
    });
    const second = await refresh(world, first.refresh_token, { client_id: 'spa' }, headers);
    expect(second.status).to.equal(200);
    expect(second.body.refresh_token).to.be.a('string').and.not.equal(first.refresh_token);
    expect(second.body.id_token).to.be.a('string');
  });

  it('T7 reuse after the leeway ends the family and nothing else', async () => {
    const browser = new Browser(world, 'nora');
    const sibling = await tokensFor(world, { browser });
    const elsewhere = await tokensFor(world);
    const first = await tokensFor(world, { browser });
    const second = (await refresh(world, first.refresh_token)).body as unknown as Tokens;
    pass(11);
    const reused = await refresh(world, first.refresh_token);
    expect(reused.status).to.equal(400);
    expect(reused.body.error).to.equal('invalid_grant');
    expect((await refresh(world, second.refresh_token)).status).to.equal(400);
    for (const token of [first.access_token, second.access_token]) {
      expect(await introspect(world, token)).to.deep.equal({ active: false });
      expect((await userinfo(world, token)).status).to.equal(401);
    }
    expect((await introspect(world, sibling.access_token)).active).to.equal(true);
    expect((await refresh(world, sibling.refresh_token)).status).to.equal(200);
    expect((await refresh(world, elsewhere.refresh_token)).status).to.equal(200);
    expect(world.audit.some(({ event }) => event === 'token.reused')).to.equal(true);
  });

  for (const parallel of [2, 10, 50]) {
    it(`T8 ${parallel} parallel refreshes over two nodes have one successor`, async () => {
      const other = await openWorld({ beside: world });
      const { refresh_token: token } = await tokensFor(world);
      const replies = await Promise.all(
        Array.from({ length: parallel }, (_, i) => refresh(i % 2 ? world : other, token)),
      );
      expect(replies.map(({ status }) => status)).to.deep.equal(Array(parallel).fill(200));
      const successors = new Set(replies.map(({ body }) => body.refresh_token as string));
      expect([...successors]).to.have.length(1);
      const [successor = ''] = successors;
      expect((await refresh(other, successor)).status).to.equal(200);
      await other.close();
    });
  }

  it('T8 a refresh that races a revocation leaves nothing alive', async () => {
    for (let round = 0; round < 12; round += 1) {
      const first = await tokensFor(world);
      const [refreshed] = await Promise.all([
        refresh(world, first.refresh_token),
        revoke(world, round % 2 ? first.refresh_token : first.access_token),
      ]);
      const created = refreshed.body as unknown as Partial<Tokens>;
      const alive = await Promise.all(
        [first.access_token, created.access_token]
          .filter((token) => token !== undefined)
          .map((token) => introspect(world, token)),
      );
      // The refresh may also have come wholly after the revocation's look at the token it revokes.
      expect(
        alive.map(({ active }) => active),
        `round ${round}`,
      ).to.not.include(true);
      for (const token of [first.refresh_token, created.refresh_token]) {
        if (token !== undefined) expect((await refresh(world, token)).status).to.equal(400);
      }
    }
  });

  it('T9 a retry after a lost reply gets the very same reply', async () => {
    const { refresh_token: token } = await tokensFor(world);
    pass(0);
    const lost = await refresh(world, token);
    pass(9);
    const retried = await refresh(world, token);
    expect(retried.status).to.equal(200);
    expect(retried.body).to.deep.equal(lost.body);
    expect(retried.headers.get('cache-control')).to.equal('no-store');
    expect((await refresh(world, String(retried.body.refresh_token))).status).to.equal(200);
  });

  it('T9 a retry must authenticate like the first request', async () => {
    const { refresh_token: token } = await tokensFor(world);
    await refresh(world, token);
    expect((await refresh(world, token, {}, basic('web', 'wrong'))).status).to.equal(401);
    expect((await refresh(world, token, {}, basic('third-party', 'third-secret'))).body.error).to.equal(
      'invalid_grant',
    );
    expect((await refresh(world, token)).status).to.equal(200);
  });

  it('T9 a request for another scope beside it shares the successor, with an access token of its own', async () => {
    const first = await tokensFor(world, { request: { scope: 'openid profile email' } });
    const wide = await refresh(world, first.refresh_token);
    const narrow = await refresh(world, first.refresh_token, { scope: 'openid email' });
    expect(narrow.status).to.equal(200);
    expect(narrow.body.scope).to.equal('openid email');
    expect(narrow.body.refresh_token).to.equal(wide.body.refresh_token);
    expect(narrow.body.access_token).to.not.equal(wide.body.access_token);
  });

  it('T9 a retry with another DPoP key, or with none, gets an access token of its own', async () => {
    const { refresh_token: token } = await tokensFor(world);
    const [key, another] = [await dpopKey(), await dpopKey()];
    const first = await refresh(world, token, {}, await key.headers());
    const same = await refresh(world, token, {}, await key.headers());
    expect(first.body.token_type).to.equal('DPoP');
    expect(same.body).to.deep.equal(first.body);
    const foreign = await refresh(world, token, {}, await another.headers());
    const plain = await refresh(world, token);
    const seen = new Set([first, foreign, plain].map(({ body }) => body.access_token));
    expect(seen.size).to.equal(3);
    const boundTo = async ({ body }: typeof first) =>
      ((await introspect(world, String(body.access_token))).cnf as { jkt?: string } | undefined)?.jkt;
    expect([await boundTo(first), await boundTo(foreign), await boundTo(plain)]).to.deep.equal([
      key.thumbprint,
      another.thumbprint,
      undefined,
    ]);
  });

  it('T9 a revocation within the leeway wins over a retry', async () => {
    const first = await tokensFor(world);
    const second = (await refresh(world, first.refresh_token)).body as unknown as Tokens;
    await revoke(world, second.refresh_token);
    const retried = await refresh(world, first.refresh_token);
    expect(retried.status).to.equal(400);
    expect(retried.body.error).to.equal('invalid_grant');
  });

  it('T10 a rotated token stays dead for a node that starts later', async () => {
    const first = await tokensFor(world);
    await refresh(world, first.refresh_token);
    pass(11);
    const later = await openWorld({ beside: world });
    expect((await refresh(later, first.refresh_token)).status).to.equal(400);
    await later.close();
  });

  it('T11 are bound to their client and cannot widen their scope', async () => {
    const { refresh_token: token } = await tokensFor(world);
    const stolen = await refresh(world, token, {}, basic('third-party', 'third-secret'));
    expect(stolen.body.error).to.equal('invalid_grant');
    expect((await refresh(world, token, { scope: 'openid email' })).body.error).to.equal('invalid_scope');
    expect((await refresh(world, token)).status).to.equal(200);
  });

  it('T11 end without use after 30 days, and in any case with their grant', async () => {
    const idle = await tokensFor(world);
    let used = await tokensFor(world);
    pass(29 * 86_400);
    used = (await refresh(world, used.refresh_token)).body as unknown as Tokens;
    pass(2 * 86_400);
    expect((await refresh(world, idle.refresh_token)).body.error).to.equal('invalid_grant');
    pass(26 * 86_400);
    used = (await refresh(world, used.refresh_token)).body as unknown as Tokens;
    expect(used.refresh_token).to.be.a('string');
    pass(4 * 86_400);
    expect((await refresh(world, used.refresh_token)).body.error).to.equal('invalid_grant');
  });
});

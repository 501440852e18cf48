import { mock } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'chai';
import {
  Browser,
  basic,
  codeFor,
  introspect,
  openWorld,
  redeem,
  refresh,
  type Tokens,
  type World,
} from './support.ts';

describe('authorization codes', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    const metadata = { redirect_uris: ['https://app.test/callback', 'https://app.test/second'] };
    await world.putClient({ clientId: 'two', secret: 'two-secret', traits: { firstParty: true }, metadata });
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const fresh = (changes?: Record<string, string>) => codeFor(new Browser(world, 'nora'), changes);

  /** From now on time stands still, after so many seconds. */
  function pass(seconds: number): void {
    mock.timers.enable({ apis: ['Date'], now: Date.now() + seconds * 1000 });
  }

  /** As over a network: between a look and what is done about it, others look too. */
  function readsTakeTime({ stores: { oidcRecords } }: World): () => void {
    const { byId } = oidcRecords;
    Object.assign(oidcRecords, {
      async byId(...asked: Parameters<typeof byId>) {
        const result = await byId(...asked);
        await setTimeout(50);
        return result;
      },
    });
    return () => Object.assign(oidcRecords, { byId });
  }

  it('P2 a second use after the leeway revokes what the first one gave, and nothing else', async () => {
    const browser = new Browser(world, 'nora');
    const sibling = (await redeem(world, await codeFor(browser))).body as unknown as Tokens;
    const code = await codeFor(browser);
    const tokens = (await redeem(world, code)).body as unknown as Tokens;
    pass(11);
    const again = await redeem(world, code);
    expect(again.status).to.equal(400);
    expect(again.body.error).to.equal('invalid_grant');
    expect(await introspect(world, tokens.access_token)).to.deep.equal({ active: false });
    expect(await introspect(world, tokens.refresh_token)).to.deep.equal({ active: false });
    expect((await introspect(world, sibling.access_token)).active).to.equal(true);
  });

  it('P2 a repeat within the leeway is refused, and what the first use gave lives', async () => {
    const code = await fresh();
    pass(0);
    const tokens = (await redeem(world, code)).body as unknown as Tokens;
    mock.timers.tick(9_000);
    expect((await redeem(world, code)).body.error).to.equal('invalid_grant');
    expect((await introspect(world, tokens.access_token)).active).to.equal(true);
    expect((await refresh(world, tokens.refresh_token)).status).to.equal(200);
  });

  it('P2 of fifty redemptions over two nodes one succeeds, and its grant lives', async () => {
    const other = await openWorld({ beside: world });
    const code = await fresh();
    const undo = [world, other].map(readsTakeTime);
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) => redeem(i % 2 ? world : other, code)),
    );
    for (const back of undo) back();
    const winners = replies.filter(({ status }) => status === 200);
    expect(winners).to.have.length(1);
    expect(
      replies.filter(({ status, body }) => status === 400 && body.error === 'invalid_grant'),
    ).to.have.length(49);
    expect((await introspect(world, String(winners[0]?.body.access_token))).active).to.equal(true);
    await other.close();
  });

  it('P3 live for a minute', async () => {
    pass(0);
    const [code, late] = [await fresh(), await fresh()];
    mock.timers.tick(59_000);
    expect((await redeem(world, code)).status).to.equal(200);
    mock.timers.tick(2_000);
    expect((await redeem(world, late)).body.error).to.equal('invalid_grant');
  });

  it('P4 are bound to client, redirect_uri and verifier', async () => {
    const code = await fresh({ client_id: 'two' });
    const two = basic('two', 'two-secret');
    const stolen = await redeem(world, code);
    const elsewhere = await redeem(world, code, { redirect_uri: 'https://app.test/second' }, two);
    const guessed = await redeem(world, code, { code_verifier: 'x'.repeat(50) }, two);
    for (const refused of [stolen, elsewhere, guessed]) {
      expect(refused.status).to.equal(400);
      expect(refused.body.error).to.equal('invalid_grant');
    }
    expect((await redeem(world, code, {}, two)).status).to.equal(200);
  });

  it('P5 are not redeemed without the verifier, nor with an empty one', async () => {
    const code = await fresh();
    for (const verifier of ['', 'short']) {
      const refused = await redeem(world, code, { code_verifier: verifier });
      expect(refused.status).to.equal(400);
    }
    expect((await redeem(world, code)).status).to.equal(200);
  });

  it('X2 a pushed request gives one code', async () => {
    const { post, authorizePath, WEB } = await import('./support.ts');
    const form = authorizePath().split('?')[1] ?? '';
    const pushed = await post(world, '/par', form, WEB);
    expect(pushed.status).to.equal(201);
    const browser = new Browser(world, 'nora');
    await browser.open(authorizePath());
    const path = `/authorize?${new URLSearchParams({ client_id: 'web', request_uri: String(pushed.body.request_uri) })}`;
    const pages = await Promise.all(Array.from({ length: 10 }, () => browser.open(path)));
    expect(pages.filter(({ url }) => url.searchParams.has('code'))).to.have.length(1);
  });
});

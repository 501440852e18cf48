/** M28: what was exchanged ends with the sign-in that it stems from, whatever ends that, and whenever. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { byCode, secretOf } from './api-flows.ts';
import {
  BILLING,
  exchange,
  openExchangeWorld,
  putExchanger,
  RECORDS,
  signedIn,
  signedInAtDialect,
} from './exchange-support.ts';
import { Browser, basic, introspect, refresh, revoke, type World } from './support.ts';

interface Parent {
  /** A token of the sign-in, and who exchanges it for which API. */
  readonly token: string;
  readonly by: string;
  readonly resource: string;
  /** Ends the sign-in. */
  end(): Promise<unknown>;
}

describe('what was exchanged', () => {
  let world: World;
  let other: World;
  before(async () => {
    world = await openExchangeWorld();
    other = await openExchangeWorld(world);
    await putExchanger(world, 'both-ways', {
      ...{ exchanges: ['visits'], ends_parent: true, apis: { [RECORDS]: ['read'] } },
    });
  });
  after(async () => {
    await other.close();
    await world.close();
  });

  const isActive = async (token: unknown, resource: string, at = world) => {
    const id = resource === BILLING ? 'billing' : 'records';
    return (await introspect(at, String(token), basic(id, `secret-of-${id}`))).active;
  };

  async function ofDialect(): Promise<Parent> {
    const { access, grantId } = await signedInAtDialect(world);
    const end = () => world.oidc.grants.endGrant(grantId);
    return { token: access.value, by: 'module', resource: RECORDS, end };
  }

  async function ofApp(
    end: (tokens: { access: string; refresh: string }) => Promise<unknown>,
  ): Promise<Parent> {
    const tokens = await signedIn(world);
    return { token: tokens.access, by: 'backend', resource: BILLING, end: () => end(tokens) };
  }

  /** Of a person, by name. */
  const PARENTS: Readonly<Record<string, () => Promise<Parent>>> = {
    'a dialect’s sign-out': ofDialect,
    'a revocation of the access token': () => ofApp(({ access }) => revoke(world, access, secretOf('app'))),
    'a revocation of the refresh token': () =>
      ofApp((tokens) => revoke(world, tokens.refresh, secretOf('app'))),
    'a refresh token that is used again': () => ofApp((tokens) => reuse(tokens.refresh)),
    'the end of all that an account has': () => ofApp(() => world.oidc.access.endAll('nora')),
    'a signing out of the browser': async () => {
      const browser = new Browser(world, 'nora');
      const tokens = await signedIn(world, undefined, { browser });
      const [session] = await world.oidc.accountAccess.listSessions('nora');
      const end = () => world.oidc.accountAccess.endSession('nora', String(session?.uid));
      return { token: tokens.access, by: 'backend', resource: BILLING, end };
    },
  };

  /** Far from the first use: past the leeway in which it is a retry. */
  async function reuse(token: string): Promise<void> {
    const headers = secretOf('app');
    expect((await refresh(world, token, {}, headers)).status).to.equal(200);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
    const again = await refresh(world, token, {}, headers);
    mock.timers.reset();
    expect(again.body.error).to.equal('invalid_grant');
  }

  const exchangeOf = ({ token, by, resource }: Parent) =>
    exchange(world, by, { subject_token: token, resource });

  for (const [what, sign] of Object.entries(PARENTS)) {
    it(`M28 ends at ${what}, at another node too`, async () => {
      const parent = await sign();
      const { body } = await exchangeOf(parent);
      expect(await isActive(body.access_token, parent.resource, other)).to.equal(true);
      await parent.end();
      for (const at of [world, other])
        expect(await isActive(body.access_token, parent.resource, at)).to.equal(false);
      expect((await exchangeOf(parent)).body.error).to.equal('invalid_request');
    });

    it(`M28 is not given, or dies, where ${what} runs beside the exchange`, async () => {
      const { oidcRecords } = world.stores;
      for (const step of ['putAll', 'put'] as const) {
        const parent = await sign();
        const original = oidcRecords[step];
        let ended = 0;
        // The subject token was looked at. Now its sign-in ends, and only then is the child Grant, or the token, stored.
        Object.assign(oidcRecords, {
          async [step](...given: Parameters<typeof original>) {
            Object.assign(oidcRecords, { [step]: original });
            await parent.end();
            ended += 1;
            return Reflect.apply(original, oidcRecords, given);
          },
        });
        const { status, body } = await exchangeOf(parent);
        expect(ended, step).to.equal(1);
        expect([status, body.error], step).to.deep.equal([400, 'invalid_request']);
        const told = world.audit.findLast(({ event }) => event === 'token.exchange');
        expect(told?.detail, step).to.include({ detail: 'ended-meanwhile' });
        const grants = await world.oidc.accountAccess.listGrants('nora');
        expect(
          grants.filter(({ clientId }) => clientId === parent.by),
          step,
        ).to.deep.equal([]);
      }
    });
  }

  it('M28 is dead afterwards where it is exchanged while its sign-in ends, before whichever step of that', async () => {
    const { oidcRecords } = world.stores;
    const { listByGrant, remove, removeByGrant } = oidcRecords;
    for (const [what, sign] of Object.entries(PARENTS)) {
      for (let place = 0, steps = 1; place < steps; place += 1) {
        const parent = await sign();
        steps = 0;
        let reply: Awaited<ReturnType<typeof exchangeOf>> | undefined;
        const preceded =
          <Given extends readonly unknown[], Result>(original: (...given: Given) => Promise<Result>) =>
          async (...given: Given) => {
            steps += 1;
            if (steps === place + 1) reply = await exchangeOf(parent);
            return original(...given);
          };
        Object.assign(oidcRecords, {
          ...{ listByGrant: preceded(listByGrant), remove: preceded(remove) },
          removeByGrant: preceded(removeByGrant),
        });
        await parent.end();
        Object.assign(oidcRecords, { listByGrant, remove, removeByGrant });
        expect(steps, what).to.be.greaterThan(1);
        const token = reply?.body.access_token;
        if (token !== undefined)
          expect(await isActive(token, parent.resource), `${what}, ${place}`).to.equal(false);
      }
    }
  });

  it('M28 outlives the end of another sign-in of the same browser', async () => {
    const browser = new Browser(world, 'nora');
    const request = { resource: RECORDS, scope: 'openid read' };
    const [one, two] = [
      await byCode(world, 'app', request, { browser, form: { resource: RECORDS } }),
      await byCode(world, 'app', request, { browser, form: { resource: RECORDS } }),
    ].map(({ reply }) => reply.body);
    const of = (tokens: Record<string, unknown> = {}) =>
      exchange(world, 'backend', { subject_token: String(tokens.access_token), resource: BILLING });
    const [first, second] = [await of(one), await of(two)];
    await reuse(String(one?.refresh_token));
    expect(await isActive(first.body.access_token, BILLING)).to.equal(false);
    expect(await isActive(second.body.access_token, BILLING)).to.equal(true);
  });

  it('M28 ends its sign-in where the client says ends_parent, and no other', async () => {
    for (const [by, ends] of [
      ['both-ways', true],
      ['module', false],
    ] as const) {
      for (const how of ['revocation', 'my account'] as const) {
        const { access } = await signedInAtDialect(world);
        const { body } = await exchange(world, by, { subject_token: access.value, resource: RECORDS });
        if (how === 'revocation') await revoke(world, String(body.access_token), secretOf(by));
        else {
          const grants = await world.oidc.accountAccess.listGrants('nora');
          const child = grants.find(({ clientId }) => clientId === by);
          await world.oidc.accountAccess.endGrant('nora', String(child?.grantId));
        }
        expect(await isActive(body.access_token, RECORDS)).to.equal(false);
        const old = await world.oidc.grants.findAccess(access.value, 'visits-legacy');
        expect(old === undefined, `${by} by ${how}`).to.equal(ends);
      }
    }
  });

  it('M28 is one grant of the person however often the client exchanges', async () => {
    const parent = await ofDialect();
    const tokens = await Promise.all(Array.from({ length: 10 }, () => exchangeOf(parent)));
    const grants = await world.oidc.accountAccess.listGrants('nora');
    expect(grants.filter(({ clientId }) => clientId === 'module')).to.have.lengthOf(1);
    await parent.end();
    for (const { body } of tokens) expect(await isActive(body.access_token, RECORDS)).to.equal(false);
  });
});

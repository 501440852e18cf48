import { mock } from 'node:test';
import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { randomText } from '../../src/core/crypto.ts';
import type { GrantInput, LiveToken, RotationInput } from '../../src/oidc/grant-contract.ts';
import { getJson, introspect, openWorld, RECORDS_API, revoke, userinfo, WEB, type World } from './support.ts';

const HEX = '0123456789abcdef';
const hex = () => randomText({ alphabet: HEX, length: 32 });
const CLIENT = 'visits-legacy';

for (const inSteps of [false, true])
  describe(`grants of dialects, rotated ${inSteps ? 'in steps under a lease' : 'at once'}`, () => {
    let world: World;
    before(async () => {
      world = await openWorld({ inSteps });
    });
    after(() => world.close());
    afterEach(() => mock.timers.reset());

    function pass(seconds: number): void {
      const now = Date.now();
      mock.timers.reset();
      mock.timers.enable({ apis: ['Date'], now: now + seconds * 1000 });
    }

    const input = (changes: Partial<GrantInput> = {}): GrantInput => ({
      ...{ clientId: CLIENT, accountId: 'nora', organization: 'north', scope: 'visits', amr: ['pwd'] },
      access: {
        value: hex(),
        lifetime: 86_400,
        audience: 'https://visits.test',
        claims: { user_id: '2001', user_type: '200' },
      },
      refresh: { value: hex(), lifetime: 30 * 86_400 },
      ...changes,
    });

    let prepared = 0;
    const rotation = (token: string, changes: Partial<RotationInput> = {}): RotationInput => ({
      ...{ token, clientId: CLIENT, arrivedAt: new Date(), reuse: 'replay', leeway: 10 },
      async prepare(live: LiveToken) {
        prepared += 1;
        const access = {
          value: hex(),
          lifetime: 86_400,
          audience: 'https://visits.test',
          claims: { user_id: '2001' },
        };
        return live.accountId === 'nora'
          ? { access, refresh: { value: hex(), lifetime: 30 * 86_400 } }
          : undefined;
      },
      ...changes,
    });

    const refreshOf = (issued: { refresh?: { value: string } } | undefined) => String(issued?.refresh?.value);

    it('an opaque token is found by its client, and introspected with the vendor’s claims', async () => {
      const { grants } = world.oidc;
      const issued = await grants.issue(input());
      const { value, issuedAt, expiresAt } = issued.access;
      expect(value).to.match(/^[0-9a-f]{32}$/);
      expect(expiresAt - issuedAt).to.equal(86_400);
      expect(await grants.findAccess(value, CLIENT)).to.deep.equal({
        ...{
          accountId: 'nora',
          organization: 'north',
          grantId: issued.grantId,
          clientId: CLIENT,
          scope: 'visits',
        },
        ...{ issuedAt, signedInAt: issuedAt, expiresAt, audience: 'https://visits.test', amr: ['pwd'] },
        claims: { user_id: '2001', user_type: '200' },
      });
      expect(await grants.findAccess(value, 'web')).to.equal(undefined);
      expect(await grants.findAccess(refreshOf(issued), CLIENT)).to.equal(undefined);
      const seen = await introspect(world, value);
      expect(seen).to.include({
        active: true,
        sub: 'nora',
        client_id: CLIENT,
        aud: 'https://visits.test',
        scope: 'visits',
      });
      expect(seen).to.include({
        iss: world.issuer,
        user_id: '2001',
        user_type: '200',
        iat: issuedAt,
        exp: expiresAt,
      });
      expect(seen.jti).to.be.a('string').and.not.equal(value);
      expect(await introspect(world, String(seen.jti))).to.deep.equal({ active: false });
      expect(await introspect(world, value, WEB)).to.deep.equal({ active: false });
      expect((await userinfo(world, value)).status).to.equal(401);
    });

    it('a JWT is signed with the published key and carries the vendor’s claims', async () => {
      const { grants } = world.oidc;
      const access = {
        value: 'jwt',
        lifetime: 2_592_000,
        audience: 'https://visits.test',
        claims: { userId: 'u1' },
      };
      const { refresh: _none, ...rest } = input();
      const issued = await grants.issue({ ...rest, access });
      const keys = createLocalJWKSet((await getJson(world, '/jwks')) as unknown as JSONWebKeySet);
      const { payload, protectedHeader } = await jwtVerify(issued.access.value, keys, {
        audience: 'https://visits.test',
      });
      expect(protectedHeader).to.include({ alg: 'ES256', typ: 'at+jwt' });
      expect(payload).to.include({
        userId: 'u1',
        sub: 'nora',
        client_id: CLIENT,
        scope: 'visits',
        iss: world.issuer,
      });
      expect(Number(payload.exp) - Number(payload.iat)).to.equal(2_592_000);
      expect((await grants.findAccess(issued.access.value, CLIENT))?.claims).to.deep.equal({ userId: 'u1' });
      expect(await introspect(world, issued.access.value)).to.include({
        active: true,
        userId: 'u1',
        jti: payload.jti,
      });
      const bent = `${issued.access.value.slice(0, -4)}AAAA`;
      expect(await grants.findAccess(bent, CLIENT)).to.equal(undefined);
    });

    it('a JWT under a shared secret is one for the resource servers of old', async () => {
      const sharedSecret = 'a shared secret of 32 bytes or more';
      const access = {
        value: 'jwt',
        lifetime: 60,
        audience: 'https://visits.test',
        claims: {},
        sharedSecret,
      };
      const issued = await world.oidc.grants.issue(input({ access }));
      const { protectedHeader } = await jwtVerify(
        issued.access.value,
        new TextEncoder().encode(sharedSecret),
      );
      expect(protectedHeader).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
      expect((await introspect(world, issued.access.value)).active).to.equal(true);
    });

    it('C2 a revocation by the API that may ends the whole sign-in; another sign-in lives on', async () => {
      const { grants, accountAccess } = world.oidc;
      const [issued, other] = await Promise.all([grants.issue(input()), grants.issue(input())]);
      expect((await revoke(world, issued.access.value, RECORDS_API)).status).to.equal(200);
      expect(await grants.findAccess(issued.access.value, CLIENT)).to.equal(undefined);
      expect(await grants.findRefresh(refreshOf(issued), CLIENT)).to.equal(undefined);
      expect(await grants.rotate(rotation(refreshOf(issued)))).to.equal(undefined);
      expect((await accountAccess.listGrants('nora')).map(({ grantId }) => grantId)).to.not.include(
        issued.grantId,
      );
      expect(await grants.findAccess(other.access.value, CLIENT)).to.include({ accountId: 'nora' });
    });

    it('T8 fifty parallel rotations over two nodes have one successor', async () => {
      const beside = await openWorld({ beside: world, inSteps });
      const first = await world.oidc.grants.issue(input());
      prepared = 0;
      const rotated = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          (i % 2 ? world : beside).oidc.grants.rotate(rotation(refreshOf(first))),
        ),
      );
      expect(new Set(rotated.map((one) => JSON.stringify(one))).size).to.equal(1);
      // Without a lease each request is ready with a successor when it learns that another one was faster.
      if (inSteps) expect(prepared).to.equal(1);
      expect(rotated[0]).to.include({ grantId: first.grantId, accountId: 'nora' });
      expect(await world.oidc.grants.findAccess(first.access.value, CLIENT)).to.include({
        accountId: 'nora',
      });
      expect(await beside.oidc.grants.rotate(rotation(refreshOf(rotated[0])))).to.not.equal(undefined);
      await beside.close();
    });

    it('T7 a use after the leeway ends the family, and no other sign-in', async () => {
      const { grants } = world.oidc;
      const [first, other] = await Promise.all([grants.issue(input()), grants.issue(input())]);
      const second = await grants.rotate(rotation(refreshOf(first)));
      pass(9);
      expect(await grants.rotate(rotation(refreshOf(first)))).to.deep.equal(second);
      pass(2);
      expect(await grants.rotate(rotation(refreshOf(first)))).to.equal(undefined);
      expect(await grants.rotate(rotation(refreshOf(second)))).to.equal(undefined);
      for (const dead of [first.access.value, String(second?.access.value)]) {
        expect(await grants.findAccess(dead, CLIENT)).to.equal(undefined);
        expect(await introspect(world, dead)).to.deep.equal({ active: false });
      }
      expect(await grants.rotate(rotation(refreshOf(other)))).to.not.equal(undefined);
    });

    it('where a used token must fail, only requests that were on their way share the successor', async () => {
      const { grants } = world.oidc;
      const first = await grants.issue(input());
      const early = new Date(Date.now() - 1);
      const strict = { reuse: 'in-flight' as const };
      const second = await grants.rotate(rotation(refreshOf(first), strict));
      expect(await grants.rotate(rotation(refreshOf(first), { ...strict, arrivedAt: early }))).to.deep.equal(
        second,
      );
      pass(3);
      expect(await grants.rotate(rotation(refreshOf(first), strict))).to.equal(undefined);
      expect(await grants.rotate(rotation(refreshOf(second), strict))).to.not.equal(undefined);
      pass(11);
      expect(await grants.rotate(rotation(refreshOf(first), strict))).to.equal(undefined);
      expect(await grants.findAccess(String(second?.access.value), CLIENT)).to.equal(undefined);
    });

    it('a refusal by the dialect uses nothing up', async () => {
      const { grants } = world.oidc;
      const first = await grants.issue(input());
      const refused = await grants.rotate(rotation(refreshOf(first), { prepare: async () => undefined }));
      expect(refused).to.equal(undefined);
      const failed = await grants
        .rotate(rotation(refreshOf(first), { prepare: () => Promise.reject(new Error('down')) }))
        .catch(String);
      expect(failed).to.include('down');
      expect(await grants.findRefresh(refreshOf(first), CLIENT)).to.include({ accountId: 'nora' });
      expect(await grants.rotate(rotation(refreshOf(first)))).to.not.equal(undefined);
    });

    it('A8 a crash in the middle of a turn leaves the token usable', async () => {
      const { grants } = world.oidc;
      const first = await grants.issue(input());
      // Never comes back, like a process that was killed.
      void grants.rotate(rotation(refreshOf(first), { prepare: () => new Promise(() => undefined) }));
      await new Promise((resolve) => setTimeout(resolve, 50));
      pass(11);
      const second = await grants.rotate(rotation(refreshOf(first)));
      expect(await grants.findAccess(String(second?.access.value), CLIENT)).to.include({ accountId: 'nora' });
    });

    if (inSteps)
      it('A8 a crash after the successor is stored, before the token is marked, gives that successor again', async () => {
        const own = await openWorld({ inSteps });
        const { grants } = own.oidc;
        const { consume } = own.stores.oidcRecords;
        const first = await grants.issue(input());
        Object.assign(own.stores.oidcRecords, { consume: () => Promise.reject(new Error('killed here')) });
        const killed = await grants.rotate(rotation(refreshOf(first))).catch(String);
        expect(killed).to.include('killed here');
        Object.assign(own.stores.oidcRecords, { consume });
        prepared = 0;
        const [one, two] = [
          await grants.rotate(rotation(refreshOf(first))),
          await grants.rotate(rotation(refreshOf(first))),
        ];
        expect(one).to.not.equal(undefined);
        expect(two).to.deep.equal(one);
        expect(prepared).to.equal(0);
        expect(await grants.rotate(rotation(refreshOf(one)))).to.not.equal(undefined);
        await own.close();
      });

    it('A8 a crash before the successor is stored leaves the token usable', async () => {
      const own = await openWorld({ inSteps });
      const { grants } = own.oidc;
      const { oidcRecords } = own.stores;
      const { rotate, putAll } = oidcRecords;
      const first = await grants.issue(input());
      const kill = () => Promise.reject(new Error('killed here'));
      Object.assign(oidcRecords, inSteps ? { putAll: kill } : { rotate: kill });
      const killed = await grants.rotate(rotation(refreshOf(first))).catch(String);
      expect(killed).to.include('killed here');
      Object.assign(oidcRecords, inSteps ? { putAll } : { rotate });
      const second = await grants.rotate(rotation(refreshOf(first)));
      expect(second).to.not.equal(undefined);
      expect(await grants.rotate(rotation(refreshOf(first)))).to.deep.equal(second);
      await own.close();
    });

    it('T8 a sign-in that ends while its successor is made leaves nothing alive', async () => {
      const { grants } = world.oidc;
      const first = await grants.issue(input());
      const created: string[] = [];
      const rotated = await grants.rotate(
        rotation(refreshOf(first), {
          async prepare() {
            await grants.endGrant(first.grantId);
            const access = { value: hex(), lifetime: 60, audience: 'a', claims: {} };
            const refresh = { value: hex(), lifetime: 60 };
            created.push(access.value, refresh.value);
            return { access, refresh };
          },
        }),
      );
      expect(rotated).to.equal(undefined);
      for (const token of created) {
        expect(await grants.grantOf(token, CLIENT)).to.equal(undefined);
        expect(await introspect(world, token)).to.deep.equal({ active: false });
      }
    });

    it('a line of refresh tokens ends when it was told to', async () => {
      const { grants } = world.oidc;
      const endsAt = Math.floor(Date.now() / 1000) + 100;
      const first = await grants.issue(input({ refresh: { value: hex(), lifetime: 80, endsAt } }));
      pass(60);
      const second = await grants.rotate(rotation(refreshOf(first)));
      expect(second?.refresh?.expiresAt).to.equal(endsAt);
      pass(41);
      expect(await grants.rotate(rotation(refreshOf(second)))).to.equal(undefined);
    });

    it('B9 T11 a line of refresh tokens that began without an end gets one at its next rotation', async () => {
      const { grants } = world.oidc;
      const first = await grants.issue(input({ refresh: { value: hex(), lifetime: 80 } }));
      const endsAt = Math.floor(Date.now() / 1000) + 100;
      const prepare = (end: number) => async () => ({
        access: { value: hex(), lifetime: 60, audience: 'https://visits.test', claims: {} },
        refresh: { value: hex(), lifetime: 80, endsAt: end },
      });
      pass(60);
      const second = await grants.rotate({ ...rotation(refreshOf(first)), prepare: prepare(endsAt) });
      expect(second?.refresh?.expiresAt).to.equal(endsAt);
      const third = await grants.rotate({ ...rotation(refreshOf(second)), prepare: prepare(endsAt + 1000) });
      expect(third?.refresh?.expiresAt, 'its first end stays').to.equal(endsAt);
    });

    it('a grant outlives its tokens however often they are rotated', async () => {
      const { grants } = world.oidc;
      let current = refreshOf(await grants.issue(input()));
      for (let i = 0; i < 5; i += 1) {
        pass(25 * 86_400);
        const next = await grants.rotate(rotation(current));
        expect((await introspect(world, String(next?.access.value))).active, `rotation ${i}`).to.equal(true);
        current = refreshOf(next);
      }
    });

    it('an access token alone is destroyed once', async () => {
      const { grants } = world.oidc;
      const issued = await grants.issue(input());
      expect(await grants.destroyAccess(issued.access.value, 'web')).to.equal(false);
      const destroyed = await Promise.all(
        Array.from({ length: 10 }, () => grants.destroyAccess(issued.access.value, CLIENT)),
      );
      expect(destroyed.filter(Boolean)).to.have.length(1);
      expect(await grants.findAccess(issued.access.value, CLIENT)).to.equal(undefined);
      expect(await grants.rotate(rotation(refreshOf(issued)))).to.not.equal(undefined);
    });

    it('the grant behind a used refresh token is still known, and can be ended', async () => {
      const { grants } = world.oidc;
      const first = await grants.issue(input());
      const second = await grants.rotate(rotation(refreshOf(first)));
      const behind = await grants.grantOf(refreshOf(first), CLIENT);
      expect(behind).to.deep.equal({ grantId: first.grantId, accountId: 'nora' });
      await grants.endGrant(first.grantId);
      expect(await grants.findAccess(String(second?.access.value), CLIENT)).to.equal(undefined);
      expect(await grants.rotate(rotation(refreshOf(first)))).to.equal(undefined);
    });
  });

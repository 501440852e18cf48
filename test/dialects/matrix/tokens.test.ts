/**
 * C2, T3, T4: what a token of one dialect is worth elsewhere (nothing), what it is worth to a resource server,
 * and that it dies on both sides whichever of them ends it. All tokens are one person's.
 */
import { expect } from 'chai';
import { checkDialects } from '../../../src/dialects/pipeline/validate.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { GrantInput } from '../../../src/oidc/grant-contract.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { basicAuth, webApp } from '../../support/clients.ts';
import type { Incoming } from '../../support/http-client.ts';
import { relyingParty, signIn, type Tokens } from '../../support/relying-party.ts';
import { inDefault } from './channels.ts';
import { liveToken, openWorld, PASSWORD, type Sent, type World } from './world.ts';

type Issued = { access: string; refresh: string | undefined };

/** Where a caller shows a token, with whatever else its route wants left out: the credential comes first. */
function bearerRoutes({ dialect }: DialectInfo): { method: string; path: string }[] {
  const settings = { [dialect.name]: { enabled: true } };
  const { mounts } = checkDialects({ dialects: [dialect], settings, reserved: () => false });
  return mounts
    .flatMap(({ mount, routes }) => routes.map(({ endpoint }) => ({ mount, endpoint })))
    .filter(({ endpoint }) => ['token', 'token-or-api-key'].includes(endpoint.caller))
    .map(({ mount, endpoint }) => ({
      method: endpoint.method,
      path: (mount.base + endpoint.path).replace(':env', 'next').replace(/:\w+/g, '1'),
    }));
}

const SIGN_OUT: Readonly<Record<string, (issued: Issued) => Sent>> = {
  visitnote: () => ({ method: 'POST', path: '/api/therapist/v1/logout', json: {} }),
  avycenna: ({ refresh }) => ({
    method: 'POST',
    path: '/api/v1/auth/logout',
    json: { refresh_token: refresh },
  }),
  vsee: ({ access }) => ({ method: 'POST', path: '/api_v3/users/logout', json: { tokens: [access] } }),
};

const REFRESH: Readonly<Record<string, { path: string; refused: unknown }>> = {
  avycenna: { path: '/api/v1/auth/refresh', refused: { detail: 'Invalid refresh token' } },
  vsee: {
    path: '/api_v3/tokens/refresh',
    refused: { code: 401, message: 'Invalid or expired token.' },
  },
};

describe('tokens of the dialects and of the server', () => {
  let world: World;
  let person: AccountRecord;
  let oidc: Tokens;
  const issued = new Map<DialectInfo, Issued>();

  before(async () => {
    world = await openWorld();
    person = await world.person({ organization: 'default' });
    const login = person.email ?? '';
    for (const vendor of inDefault) issued.set(vendor, await world.tokens(vendor, login));
    const party = await relyingParty(world.server.issuer);
    const parameters = { scope: 'openid profile offline_access', prompt: 'consent' };
    ({ tokens: oidc } = await signIn(party, { login, password: PASSWORD, parameters }));
  });
  after(() => world.close());

  const of = (vendor: DialectInfo): Issued => issued.get(vendor) ?? { access: '', refresh: undefined };
  const expectDead = (vendor: DialectInfo, reply: Incoming, where: string) =>
    expect([reply.status, reply.json()], where).to.deep.equal([
      vendor.deadToken.status,
      vendor.deadToken.json,
    ]);

  /** What is no access token of the dialect: the other dialects' tokens and the server's own. */
  function strangers(vendor: DialectInfo): [string, string][] {
    const others = inDefault.filter((one) => one !== vendor);
    return [
      ...others.flatMap((one): [string, string][] => {
        const { access, refresh } = of(one);
        const name = one.dialect.name;
        const both: [string, string][] = [[`${name} access token`, access]];
        return refresh === undefined ? both : [...both, [`${name} refresh token`, refresh]];
      }),
      ...(of(vendor).refresh === undefined
        ? []
        : [[`its own refresh token`, of(vendor).refresh ?? ''] as [string, string]]),
      ['access token of an application', oidc.access_token],
      ['refresh token of an application', oidc.refresh_token ?? ''],
      ['ID token', oidc.id_token ?? ''],
    ];
  }

  for (const vendor of inDefault) {
    const { name } = vendor.dialect;

    describe(name, () => {
      it(`T3 T4 no token but its own opens a route of ${name}, though one person holds them all`, async () => {
        const routes = bearerRoutes(vendor);
        expect(routes).to.not.have.lengthOf(0);
        for (const { method, path } of routes) {
          const ask = (token: string) =>
            world.send({
              method,
              path,
              headers: { ...vendor.headers, ...vendor.me.headers(token) },
              ...(method === 'GET' || method === 'DELETE' ? {} : { json: {} }),
            });
          for (const [what, token] of strangers(vendor)) {
            expectDead(vendor, await ask(token), `${what} at ${method} ${path}`);
          }
        }
        expect((await world.me(vendor, of(vendor).access)).status).to.equal(200);
      });

      it(`T3 a token of ${name} is none to userinfo: 401 invalid_token`, async () => {
        const { access, refresh } = of(vendor);
        for (const token of [access, ...(refresh === undefined ? [] : [refresh])]) {
          const reply = await world.send({
            method: 'GET',
            path: '/userinfo',
            headers: { authorization: `Bearer ${token}` },
          });
          expect(reply.status, reply.text).to.equal(401);
          expect(reply.json()).to.include({ error: 'invalid_token' });
          expect(reply.headers['www-authenticate']).to.match(/error="invalid_token"/);
        }
      });

      it(`T3 a token of ${name} is no ID token hint, no code, no refresh token of an application`, async () => {
        const { access, refresh = access } = of(vendor);
        const party = await relyingParty(world.server.issuer);
        const started = await party.begin({ id_token_hint: access, prompt: 'none' });
        const answer = await fetch(started.url, { redirect: 'manual' });
        const back = new URL(answer.headers.get('location') ?? '', world.server.url);
        expect(back.searchParams.get('error')).to.equal('invalid_request');
        const logout = await world.send({ method: 'GET', path: `/logout?id_token_hint=${access}` });
        expect(logout.status).to.equal(400);
        for (const form of [
          { grant_type: 'refresh_token', refresh_token: refresh },
          {
            grant_type: 'authorization_code',
            code: access,
            redirect_uri: webApp.redirectUri,
            code_verifier: 'v'.repeat(43),
          },
        ]) {
          const exchanged = await fetch(`${world.server.url}/token`, {
            method: 'POST',
            headers: { authorization: basicAuth(webApp) },
            body: new URLSearchParams(form),
          });
          expect([exchanged.status, ((await exchanged.json()) as { error: string }).error]).to.deep.equal([
            400,
            'invalid_grant',
          ]);
        }
        expect((await world.introspect(access)).active, 'it lives on').to.equal(true);
      });

      it(`T3 T4 a token that looks like one of ${name} is none when its client, its audience or its scope is another`, async () => {
        const { accountId, organization } = await liveOf(vendor);
        const { grants } = world.server.running.oidc;
        const right = await grantLike(vendor);
        const issue = async (changes: object, access: object = {}) => {
          const input = {
            ...right,
            ...changes,
            access: { ...right.access, ...access },
            accountId,
            organization,
          };
          return (await grants.issue(input)).access.value;
        };
        const value = (fill: string) => (right.access.value === 'jwt' ? 'jwt' : fill.repeat(32));
        const good = await issue({}, { value: value('a') });
        expect((await world.me(vendor, good)).status, 'as the dialect makes them').to.equal(200);
        const others = {
          client: await issue({ clientId: 'web-app' }, { value: value('b') }),
          audience: await issue({}, { audience: 'https://other.test', value: value('c') }),
          scope: await issue({ scope: 'openid' }, { value: value('d') }),
        };
        for (const [what, token] of Object.entries(others)) {
          expectDead(vendor, await world.me(vendor, token), `another ${what}`);
        }
      });

      it(`C2 a sign-in at ${name} is active to the resource server, as the subject of the hosted page, until it is revoked there`, async () => {
        const mine = await world.tokens(vendor, person.email ?? '');
        expect((await world.me(vendor, mine.access)).status).to.equal(200);
        const settings = vendor.dialect.settings.parse(world.server.config.dialects[name]);
        expect(await world.introspect(mine.access)).to.include({
          active: true,
          client_id: vendor.dialect.clientId(settings),
          sub: oidc.claims()?.sub,
          scope: vendor.dialect.tokens.scope,
          iss: world.server.issuer,
        });
        expect(await world.introspect(mine.access, webApp), 'another client').to.deep.equal({
          active: false,
        });
        expect((await world.revoke(mine.access, webApp)).status, 'another client').to.equal(400);
        expect((await world.me(vendor, mine.access)).status).to.equal(200);
        expect((await world.revoke(mine.access)).status).to.equal(200);
        await expectEnded(vendor, mine);
      });

      it(`C2 a token of ${name} says that its sign-in was a legacy one, by password`, async () => {
        const live = await liveToken(world, vendor, of(vendor).access);
        expect(live?.amr).to.deep.equal(['pwd']);
        expect(live?.accountId).to.equal(person.id);
        expect(live?.organization).to.equal('default');
      });
    });
  }

  async function liveOf(vendor: DialectInfo) {
    const live = await liveToken(world, vendor, of(vendor).access);
    if (live === undefined) throw new Error(`The token of ${vendor.dialect.name} is dead.`);
    return live;
  }

  /** What the dialect asks for at a sign-in. */
  async function grantLike(vendor: DialectInfo): Promise<GrantInput> {
    const live = await liveOf(vendor);
    const { audience = '', claims } = live;
    const access = {
      value: vendor.dialect.tokens.access === 'jwt' ? 'jwt' : '',
      lifetime: 60,
      audience,
      claims,
    };
    return { ...live, access };
  }

  /** All of it is dead, and another sign-in of the same person lives. */
  async function expectEnded(vendor: DialectInfo, mine: Issued): Promise<void> {
    expect(await world.introspect(mine.access)).to.deep.equal({ active: false });
    expectDead(vendor, await world.me(vendor, mine.access), 'me');
    if (mine.refresh !== undefined) {
      expect(await world.introspect(mine.refresh)).to.deep.equal({ active: false });
      await expectNoRefresh(vendor, mine.refresh);
    }
    expect((await world.me(vendor, of(vendor).access)).status, 'another sign-in').to.equal(200);
  }

  async function expectNoRefresh(vendor: DialectInfo, token: string): Promise<void> {
    const place = REFRESH[vendor.dialect.name];
    if (place === undefined) return;
    const reply = await world.send({
      method: 'POST',
      path: place.path,
      headers: { ...vendor.headers },
      json: { refresh_token: token },
    });
    expect([reply.status, reply.json()]).to.deep.equal([401, place.refused]);
  }

  for (const vendor of inDefault.filter(({ dialect }) => REFRESH[dialect.name] !== undefined)) {
    it(`T3 T4 ${vendor.dialect.name} refreshes nothing but its own refresh tokens`, async () => {
      const tokens = strangers(vendor).filter(([what]) => what !== 'its own refresh token');
      tokens.push(['its own access token', of(vendor).access]);
      // Longer ones are no refresh tokens by their form: AVYCENNA tells that before it looks.
      for (const [, token] of tokens.filter(([, { length }]) => length <= 256)) {
        await expectNoRefresh(vendor, token);
      }
    });
  }

  it('T3 a browser is signed in by no token but one of VSee', async () => {
    const [vsee] = inDefault.filter(({ dialect }) => dialect.name === 'vsee');
    expect(vsee).to.not.equal(undefined);
    if (vsee === undefined) return;
    for (const [what, token] of strangers(vsee)) {
      const reply = await world.send({ method: 'GET', path: `/auth?sso_token=${token}&next=/` });
      expect([reply.status, reply.headers.location, reply.cookies], what).to.deep.equal([401, undefined, []]);
    }
  });

  for (const vendor of inDefault.filter(({ dialect }) => SIGN_OUT[dialect.name] !== undefined)) {
    const { name } = vendor.dialect;

    it(`C2 signing out at ${name} ends the sign-in for the resource server too`, async () => {
      const mine = await world.tokens(vendor, person.email ?? '');
      expect((await world.introspect(mine.access)).active).to.equal(true);
      const sent = SIGN_OUT[name]?.(mine);
      expect(sent).to.not.equal(undefined);
      if (sent === undefined) return;
      const headers = { ...vendor.headers, ...vendor.me.headers(mine.access) };
      expect((await world.send({ ...sent, headers })).status).to.equal(200);
      await expectEnded(vendor, mine);
    });
  }
});

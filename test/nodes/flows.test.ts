import { expect } from 'chai';
import { Redis } from 'ioredis';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { clinicdevApp, nativeApp, ownApp, recordsApi, tvApp, webApp } from '../support/clients.ts';
import { inTime } from '../support/in-time.ts';
import { type Nodes, sharedNodes } from '../support/nodes.ts';
import { asksForPassword, relyingParty, signIn, walk } from '../support/relying-party.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';
import {
  doctor,
  freshAddress,
  introspect,
  mara,
  oidcSignIn,
  pat,
  type Reply,
  refreshOidc,
  revoke,
  type Sending,
  send,
  times,
  vseeChannel,
} from './calls.ts';

const OFFLINE = { scope: 'openid profile email offline_access', prompt: 'consent' };

/** A dialect's chain: how its client signs in and asks who it is. */
interface Chain {
  readonly name: string;
  readonly signIn: readonly [path: string, sending: Sending];
  readonly token: (body: unknown) => string;
  readonly me: (token: string) => readonly [path: string, sending: Sending];
  /** What a dead token is told. */
  readonly dead: number;
  /** Of the sign-in's reply: the vendor's sign-out, where there is one. */
  readonly out?: (body: unknown) => readonly [path: string, sending: Sending];
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

const CHAINS: readonly Chain[] = [
  {
    name: 'VisitNote',
    signIn: ['/api/therapist/v1/sign-in', { json: { email: mara.login, password: mara.password } }],
    token: (body) => (body as { data: { token: string } }).data.token,
    me: (token) => ['/api/therapist/v1/my-profile', bearer(token)],
    out: (body) => [
      '/api/therapist/v1/logout',
      { method: 'POST', ...bearer((body as { data: { token: string } }).data.token) },
    ],
    dead: 401,
  },
  {
    name: 'MediSync',
    signIn: [
      '/api/login',
      { json: { email: 'n.okafor@ward.test', password: 'Copper-Meadow-Falcon-72', remember: true } },
    ],
    token: (body) => (body as { token: string }).token,
    me: (token) => ['/api/user/profile', bearer(token)],
    dead: 401,
  },
  {
    name: 'CarePortals',
    signIn: [
      '/patient/auth/login',
      {
        json: { username: 'lea@x.test', password: 'Marble-Orchid-Signal-33' },
        headers: { organization: 'north_clinic' },
      },
    ],
    token: (body) => (body as { token: string }).token,
    me: (token) => [
      '/patient/users/account',
      { headers: { organization: 'north_clinic', authorization: `Bearer ${token}` } },
    ],
    dead: 401,
  },
  {
    name: 'AVYCENNA',
    signIn: ['/api/v1/auth/login', { json: { email: doctor.login, password: doctor.password } }],
    token: (body) => (body as { access_token: string }).access_token,
    me: (token) => ['/api/v1/auth/me', bearer(token)],
    out(body) {
      const { access_token: access, refresh_token: refresh } = body as Record<string, string>;
      return ['/api/v1/auth/logout', { ...bearer(access ?? ''), json: { refresh_token: refresh } }];
    },
    dead: 401,
  },
  {
    name: 'VSee',
    signIn: [
      '/api_v3/users/login.json',
      {
        form: { username: pat.login, password: pat.password },
        headers: { 'x-accountcode': 'clinicdev' },
      },
    ],
    token: (body) => (body as { data: { token: string } }).data.token,
    me: (token) => ['/api_v3/me.json', { headers: { 'x-apitoken': token } }],
    out(body) {
      const { token } = (body as { data: { token: string } }).data;
      return ['/api_v3/users/logout.json', { headers: { 'x-apitoken': token }, form: { tokens: token } }];
    },
    dead: 401,
  },
];

describe('three nodes, every request to another one', function () {
  this.timeout(60_000);
  let nodes: Nodes;
  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
  });

  const call = ([path, sending]: readonly [string, Sending], at = nodes.url): Promise<Reply> =>
    send(`${at}${path}`, { ...sending, headers: { ...freshAddress(), ...sending.headers } });

  /** The statuses that all nodes give at once, asked directly. */
  const everywhere = async (ask: (at: string) => Promise<Reply>) =>
    (await Promise.all(nodes.nodes.map(({ url }) => ask(url)))).map(({ status }) => status);

  for (const client of [webApp, ownApp, nativeApp]) {
    it(`the code flow with its pages, refresh and userinfo work as ${client.clientId}`, async () => {
      const before = [...nodes.served];
      const party = await relyingParty(nodes.issuer, client);
      const { tokens } = await signIn(party, { ...mara, parameters: OFFLINE });
      const keys = createRemoteJWKSet(new URL(`${nodes.issuer}/jwks`));
      await jwtVerify(tokens.id_token ?? '', keys, { issuer: nodes.issuer, audience: client.clientId });
      const info = await oidc.fetchUserInfo(
        party.configuration,
        tokens.access_token,
        tokens.claims()?.sub ?? '',
      );
      expect(info.email).to.equal(mara.login);
      const refreshed = await oidc.refreshTokenGrant(party.configuration, tokens.refresh_token ?? '');
      expect(refreshed.refresh_token).to.be.a('string').and.not.equal(tokens.refresh_token);
      // Every node had a part in it, so nothing rested on one.
      for (const [which, count] of nodes.served.entries())
        expect(count).to.be.greaterThan(before[which] ?? 0);
    });
  }

  it('a pushed authorization request is found by the next node', async () => {
    const party = await relyingParty(nodes.issuer);
    const started = await party.begin();
    const { searchParams } = new URL(started.url);
    const pushed = await oidc.buildAuthorizationUrlWithPAR(party.configuration, searchParams);
    const callback = await walk(openWebSession(), pushed.href, webApp.redirectUri, mara);
    expect((await party.finish(started, callback)).access_token).to.be.a('string');
  });

  it('the device flow: a device asks one node, a person answers another, and fifty polls get one set of tokens', async () => {
    const { configuration } = await relyingParty(nodes.issuer, tvApp);
    const device = await oidc.initiateDeviceAuthorization(configuration, {
      scope: 'openid profile email offline_access',
    });
    const session = openWebSession({ headers: freshAddress() });
    let at = await session.open(device.verification_uri_complete ?? '');
    for (let pages = 0; pages < 5 && typeof at !== 'string' && at.forms.length > 0; pages += 1) {
      at = await session.submit(at, asksForPassword(at) ? mara : {});
    }
    const polls = await times(50, () =>
      send(`${nodes.url}/token`, {
        form: {
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          client_id: tvApp.clientId,
          device_code: device.device_code,
        },
      }),
    );
    const [input, ...more] = polls.filter(({ status }) => status === 200);
    if (input === undefined) throw new Error('No poll got tokens.');
    expect(more.length, 'X2 further sets of tokens').to.equal(0);
    const { access_token: token } = input.json() as { access_token: string };
    const info = await send(`${nodes.url}/userinfo`, bearer(token));
    expect(info.json()).to.include({ email: mara.login });
  });

  it('a wrong password is told on the page, and the right one then goes on in the same interaction', async () => {
    const party = await relyingParty(nodes.issuer, ownApp);
    const started = await party.begin();
    const session = openWebSession({ headers: freshAddress() });
    const page = (await session.open(started.url)) as Page;
    const refused = (await session.submit(page, { ...mara, password: 'not-the-password' })) as Page;
    expect(asksForPassword(refused)).to.equal(true);
    const callback = await session.submit(refused, mara, { until: [ownApp.redirectUri] });
    expect((await party.finish(started, String(callback))).access_token).to.be.a('string');
  });

  for (const chain of CHAINS) {
    it(`T12 ${chain.name}: sign-in, me, introspect, revoke, me, each at another node`, () =>
      inTime(async (watch) => {
        const signedIn = await call(chain.signIn);
        expect(signedIn.status, signedIn.text).to.be.oneOf([200, 201]);
        const token = chain.token(signedIn.json());
        expect((await call(chain.me(token))).status).to.equal(200);
        expect(await introspect(nodes.url, token, recordsApi)).to.include({
          active: true,
          client_id: `${chain.name.toLowerCase()}-legacy`,
        });
        expect((await revoke(nodes.url, token, recordsApi)).status).to.equal(200);
        const told = await watch.around('being dead everywhere', 1000, () =>
          everywhere((at) => call(chain.me(token), at)),
        );
        expect(told).to.deep.equal(Array(3).fill(chain.dead));
        expect(await introspect(nodes.url, token, recordsApi)).to.deep.equal({ active: false });
      }));
  }

  for (const chain of CHAINS.filter(({ out }) => out !== undefined)) {
    it(`T12 ${chain.name}: a sign-out at one node is one at all, and ends no other sign-in`, async () => {
      const [body, other] = await times(2, async () => (await call(chain.signIn)).json());
      expect((await call(chain.out?.(body) ?? ['', {}])).status).to.equal(200);
      const me = chain.me(chain.token(body));
      expect(await everywhere((at) => call(me, at))).to.deep.equal(Array(3).fill(chain.dead));
      expect((await call(chain.me(chain.token(other)))).status).to.equal(200);
    });
  }

  it('T12 what an OIDC client revokes at one node is dead at all within a second', () =>
    inTime(async (watch) => {
      const { access, refresh } = await oidcSignIn(nodes.issuer);
      const [one] = nodes.nodes;
      expect((await revoke(one?.url ?? '', refresh)).status).to.equal(200);
      const [active, refreshed] = await watch.around('being dead everywhere', 1000, async () => [
        await Promise.all(nodes.nodes.map(({ url }) => introspect(url, access))),
        await everywhere((at) => refreshOidc(at, refresh)),
      ]);
      expect(active).to.deep.equal(Array(3).fill({ active: false }));
      expect(refreshed).to.deep.equal(Array(3).fill(400));
    }));

  it('S4 after logging out, the old cookie means nothing at any node', async () => {
    const { session, party, idToken } = await oidcSignIn(nodes.issuer);
    const old = await session.jar.serialize();
    const thief = async () => {
      const browser = openWebSession();
      for (const { key, value } of old?.cookies ?? [])
        await browser.jar.setCookie(`${key}=${value}`, nodes.url);
      return silently(nodes, browser);
    };
    expect(await thief(), 'the cookie is what signs in').to.equal('code');
    const url = oidc.buildEndSessionUrl(party.configuration, {
      id_token_hint: idToken,
      post_logout_redirect_uri: ownApp.postLogoutRedirectUri ?? '',
    });
    const until = [ownApp.postLogoutRedirectUri ?? ''];
    let at = await session.open(url.href, until);
    if (typeof at !== 'string') at = await session.submit(at, { logout: 'yes' }, { until });
    expect(at).to.equal(ownApp.postLogoutRedirectUri);
    for (let i = 0; i < 3; i += 1) expect(await thief()).to.equal('login_required');
  });

  it('S4 T12 a password reset, each step at another node, ends the sign-ins of every node', async () => {
    const headers = { organization: 'north_clinic', ...freshAddress() };
    const patient = (path: string, json: unknown) => send(`${nodes.url}/patient${path}`, { headers, json });
    const account = { email: 'nodes-ada@x.test', firstName: 'Ada', lastName: 'Quill', gender: 'female' };
    const password = 'Tundra-Velvet-Ladder-38';
    const more = { phone: '+15555550188', dob: '1990-01-01', password };
    expect((await patient('/users', { ...account, ...more })).status).to.equal(201);
    const signIn = (word: string) => patient('/auth/login', { username: account.email, password: word });
    const { token } = (await signIn(password)).json() as { token: string };
    const me = (at: string) =>
      send(`${at}/patient/users/account`, { headers: { ...headers, authorization: `Bearer ${token}` } });
    expect(await everywhere(me)).to.deep.equal([200, 200, 200]);
    expect((await patient('/auth/forgot', { email: account.email })).status).to.equal(201);
    const email = await nodes.mail.take(account.email);
    const linkToken = /token=(rst_[A-Za-z0-9_-]{43})/.exec(email.text)?.[1];
    const reset = await times(10, () =>
      patient('/auth/reset', { token: linkToken, password: 'Cinder-Maple-Voyage-52' }),
    );
    expect(reset.filter(({ status }) => status === 201).length, 'X2 the link works once').to.equal(1);
    expect(await everywhere(me)).to.deep.equal([401, 401, 401]);
    expect((await signIn(password)).status).to.equal(401);
    expect((await signIn('Cinder-Maple-Voyage-52')).status).to.equal(201);
  });

  it('R3 three nodes have one budget of attempts, not three', async () => {
    const address = freshAddress();
    const guess = (i: number) =>
      send(`${nodes.url}/api_v3/users/login`, {
        headers: { 'x-accountcode': 'clinicdev', ...address },
        form: { username: pat.login, password: `not-the-password-${i}` },
      });
    const statuses = (await times(40, guess)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 401).length, 'judged').to.equal(10);
    expect(statuses.filter((status) => status === 429).length, 'turned away').to.equal(30);
    const right = await everywhere((at) =>
      send(`${at}/api_v3/users/login`, {
        headers: { 'x-accountcode': 'clinicdev', ...address },
        form: { username: pat.login, password: pat.password },
      }),
    );
    expect(right).to.deep.equal([429, 429, 429]);
  });

  it('R3 every key in Redis has an end', async () => {
    await Promise.all([vseeChannel.signIn(nodes.url), oidcSignIn(nodes.issuer)]);
    await call(['/api/v1/auth/otp/send', { json: { email: doctor.login } }]);
    await call([
      '/api_v3/users/login',
      {
        form: { username: pat.login, password: 'not-the-password' },
        headers: { 'x-accountcode': 'clinicdev' },
      },
    ]);
    const redis = new Redis(nodes.stores.redis);
    const endless: string[] = [];
    let seen = 0;
    for await (const keys of redis.scanStream({ count: 500 }) as AsyncIterable<string[]>) {
      for (const key of keys) {
        seen += 1;
        if ((await redis.pttl(key)) === -1) endless.push(key);
      }
    }
    await redis.quit();
    expect(seen).to.be.greaterThan(10);
    expect(endless).to.deep.equal([]);
  });

  it('a client of another organization takes the browser for signed out at every node', async () => {
    const { session } = await oidcSignIn(nodes.issuer);
    const other = await relyingParty(nodes.issuer, clinicdevApp);
    const { url } = await other.begin({ prompt: 'none' });
    const at = await session.open(url, [clinicdevApp.redirectUri]);
    expect(new URL(String(at)).searchParams.get('error')).to.equal('login_required');
  });
});

/** `code`, or the error, of a silent request. */
async function silently(nodes: Nodes, session: WebSession): Promise<string> {
  const { url } = await (await relyingParty(nodes.issuer, ownApp)).begin({ prompt: 'none' });
  const at = await session.open(url, [ownApp.redirectUri]);
  const query = new URL(String(at)).searchParams;
  return query.get('error') ?? (query.has('code') ? 'code' : 'neither');
}

/** Pairwise subjects: what a client, an API and the server itself call the same person. */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { INES } from '../support/client-app.ts';
import { ownApp } from '../support/clients.ts';
import { relyingParty, signIn as signInTo } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import {
  API,
  authorizePath,
  Browser,
  basic,
  codeFor,
  introspect,
  openWorld,
  type Page,
  RECORDS_API,
  REDIRECT,
  redeem,
  refresh,
  type Tokens,
  userinfo,
  type World,
} from './support.ts';

const OTHER = 'https://other.test/callback';
const REDIRECTS: Readonly<Record<string, string>> = {
  ...{ one: REDIRECT, sibling: `${REDIRECT}/second`, other: OTHER, open: REDIRECT },
  ...{ phone: 'com.example:/callback', desktop: 'com.example:/callback' },
  // The host in a scheme of its own proves nothing: the provider takes both for one host.
  pretender: 'com.example://app.test/callback',
};
const NATIVE = ['phone', 'desktop', 'pretender'];

describe('pairwise subjects', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    for (const [clientId, redirect] of Object.entries(REDIRECTS)) {
      await world.putClient({
        ...{ clientId, secret: `${clientId}-secret`, traits: { firstParty: true } },
        metadata: {
          ...{ redirect_uris: clientId === 'pretender' ? [REDIRECT, redirect] : [redirect] },
          ...{ grant_types: ['authorization_code', 'refresh_token'] },
          post_logout_redirect_uris: ['https://app.test/out'],
          subject_type: clientId === 'open' ? 'public' : 'pairwise',
          ...(NATIVE.includes(clientId) && { application_type: 'native' }),
        },
      });
    }
    const asks = await world.stores.clients.byId('records-api');
    if (asks === undefined) throw new Error('no API');
    await world.stores.clients.put({ ...asks, introspects: Object.keys(REDIRECTS) });
  });
  after(() => world.close());

  const of = (clientId: string, changes: Record<string, string> = {}) => ({
    ...{ client_id: clientId, redirect_uri: REDIRECTS[clientId] ?? '', ...changes },
  });
  const secretOf = (clientId: string) => basic(clientId, `${clientId}-secret`);

  async function signIn(
    clientId: string,
    { browser = new Browser(world, 'nora'), at = world, changes = {} as Record<string, string> } = {},
  ): Promise<Tokens> {
    const code = await codeFor(browser, of(clientId, changes));
    const { resource } = changes;
    const reply = await redeem(
      at,
      code,
      { redirect_uri: REDIRECTS[clientId] ?? '', ...(resource && { resource }) },
      secretOf(clientId),
    );
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return reply.body as unknown as Tokens;
  }

  const subjectFor = async (clientId: string) => decodeJwt((await signIn(clientId)).id_token).sub;
  const errorIn = ({ url }: Page) => url.searchParams.get('error');

  it('PR1 are the same at every place where the client and its APIs meet the person', async () => {
    const browser = new Browser(world, 'nora');
    const tokens = await signIn('one', { browser });
    const { sub } = decodeJwt(tokens.id_token);
    expect(sub).to.match(/^[\w-]{43}$/);
    const forApi = await signIn('one', { browser, changes: { resource: API, scope: 'openid records:read' } });
    const renewed = await refresh(world, tokens.refresh_token, {}, secretOf('one'));
    const told = {
      userinfo: (await userinfo(world, tokens.access_token)).body.sub,
      renewed: decodeJwt(String(renewed.body.id_token)).sub,
      'own introspection': (await introspect(world, tokens.access_token, secretOf('one'))).sub,
      'refresh token': (await introspect(world, String(renewed.body.refresh_token), secretOf('one'))).sub,
      'introspection by another': (await introspect(world, tokens.access_token, RECORDS_API)).sub,
      'JWT access token': decodeJwt(forApi.access_token).sub,
      'its introspection': (await introspect(world, forApi.access_token, RECORDS_API)).sub,
    };
    expect(told).to.deep.equal(Object.fromEntries(Object.keys(told).map((place) => [place, sub])));
  });

  it('PR1 tell clients of different hosts nothing, and those of one host that it is the same person', async () => {
    const all = Object.keys(REDIRECTS);
    const subjects = await Promise.all(all.map(subjectFor));
    const [one, sibling, other, open, phone, desktop, pretender] = subjects;
    expect(open).to.equal('nora');
    expect(sibling).to.equal(one);
    expect(new Set([one, other, open, phone, desktop, pretender]).size).to.equal(6);
    const otto = decodeJwt((await signIn('one', { browser: new Browser(world, 'otto') })).id_token).sub;
    expect(otto)
      .to.match(/^[\w-]{43}$/)
      .and.not.to.equal(one);
  });

  it('PR1 are taken back as a hint and as a claim, and those of another client or person are not', async () => {
    const browser = new Browser(world, 'nora');
    const mine = (await signIn('one', { browser })).id_token;
    const others = (await signIn('other', { browser })).id_token;
    const ottos = (await signIn('one', { browser: new Browser(world, 'otto') })).id_token;
    const silent = new Browser(world);
    for (const cookie of await browser.jar.getCookies(world.issuer)) {
      await silent.jar.setCookie(cookie, world.issuer);
    }
    const ask = (changes: Record<string, string>) =>
      silent.open(authorizePath(of('one', { prompt: 'none', ...changes })));
    const wanted = (sub: unknown) => JSON.stringify({ id_token: { sub: { value: sub } } });
    expect(errorIn(await ask({ id_token_hint: mine }))).to.equal(null);
    expect(errorIn(await ask({ id_token_hint: ottos }))).to.equal('login_required');
    expect(errorIn(await ask({ id_token_hint: others }))).to.equal('invalid_request');
    expect(errorIn(await ask({ claims: wanted(decodeJwt(mine).sub) }))).to.equal(null);
    expect(errorIn(await ask({ claims: wanted('nora') }))).to.equal('login_required');

    const leave = (id_token_hint: string) =>
      browser.open(
        `/logout?${new URLSearchParams({ id_token_hint, post_logout_redirect_uri: 'https://app.test/out' })}`,
      );
    expect((await leave(ottos)).text).to.contain('xsrf');
    expect((await leave(mine)).url.href).to.equal('https://app.test/out');
  });

  it('PR1 survive new signing keys and a second node', async () => {
    const before = await subjectFor('one');
    await world.oidc.rotateKeys({ force: true });
    expect(await subjectFor('one'), 'after a rotation').to.equal(before);
    const second = await openWorld({ beside: world });
    const { id_token } = await signIn('one', { browser: new Browser(second, 'nora'), at: second });
    expect(decodeJwt(id_token).sub, 'on a second node').to.equal(before);
    await second.close();
  });

  it('PR1 survive another server key', async () => {
    const [before, after] = [7, 8].map((byte) => Buffer.alloc(32, byte).toString('base64'));
    const subjectAt = async (server: TestServer) => {
      const { tokens } = await signInTo(await relyingParty(server.issuer, ownApp), INES);
      return tokens.claims()?.sub;
    };
    const first = await startTestServer();
    const own = await first.running.stores.clients.byId(ownApp.clientId);
    if (own === undefined) throw new Error('no client');
    await first.running.stores.clients.put({
      ...own,
      metadata: { ...own.metadata, subject_type: 'pairwise' },
    });
    const subject = await subjectAt(first);
    expect(subject).to.match(/^[\w-]{43}$/);
    await first.close({ keepStore: true });
    const keys = { encryption: String(after), decryption: [String(before)] };
    const second = await startTestServer({ folder: first.folder, config: { keys } });
    expect(await subjectAt(second)).to.equal(subject);
    await second.close();
  });
});

import { expect } from 'chai';
import { formTo, shown } from '../browser/account/account-world.ts';
import { shownBy } from '../support/authenticator-app.ts';
import { basicAuth, ownApp, webApp } from '../support/clients.ts';
import { type Nodes, sharedNodes } from '../support/nodes.ts';
import { relyingParty } from '../support/relying-party.ts';
import { openWebSession } from '../support/web-session.ts';
import { freshAddress, introspect, oidcSignIn, type Reply, send, times, vseeChannel } from './calls.ts';

/** The long form: FAULT_ROUNDS=1000. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 1);
const PARALLEL = 50;
/** Of another client, so that its secret is not the one that a code was made for. */
const FOREIGN = webApp;

describe('what is used once, fifty times at once over three nodes', function () {
  this.timeout(60_000 + ROUNDS * 10_000);
  let nodes: Nodes;
  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
  });

  const with200 = (replies: readonly Reply[]) => replies.filter(({ status }) => status === 200);

  it('X2 A6 P2 an authorization code is redeemed once, and what it gave lives', async () => {
    const { session, party } = await oidcSignIn(nodes.issuer);
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = await party.begin();
      const callback = new URL(String(await session.open(started.url, [ownApp.redirectUri])));
      const form = {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: ownApp.redirectUri,
        code_verifier: started.verifier,
      };
      const redeem = (client = ownApp) =>
        send(`${nodes.url}/token`, { headers: { authorization: basicAuth(client) }, form });
      expect((await redeem(FOREIGN)).status).to.equal(400);
      const replies = await times(PARALLEL, () => redeem());
      const [won, ...more] = with200(replies);
      if (won === undefined) throw new Error('Nobody redeemed it.');
      expect(more.length, 'further redemptions').to.equal(0);
      for (const reply of replies.filter((one) => one !== won)) {
        expect(reply.status).to.equal(400);
        expect(reply.json()).to.include({ error: 'invalid_grant' });
      }
      const { access_token: access } = won.json() as { access_token: string };
      expect(await introspect(nodes.url, access)).to.include({ active: true });
    }
  });

  it('X2 A6 O3 a mailed code signs in once', async () => {
    for (let round = 0; round < Math.min(ROUNDS, 20); round += 1) {
      const headers = freshAddress();
      const email = `once-${round}@x.test`;
      const register = { name: 'Dr. Once', email, password: 'Thistle-Quarry-Beacon-52' };
      expect((await send(`${nodes.url}/api/v1/auth/register`, { headers, json: register })).status).to.equal(
        201,
      );
      expect((await send(`${nodes.url}/api/v1/auth/otp/send`, { headers, json: { email } })).status).to.equal(
        200,
      );
      const otp = /\b(\d{6})\b/.exec((await nodes.mail.take(email)).text)?.[1];
      const replies = await times(PARALLEL, () =>
        send(`${nodes.url}/api/v1/auth/otp/verify`, { headers, json: { email, otp } }),
      );
      expect(with200(replies).length, 'sign-ins').to.equal(1);
      for (const { status } of replies) expect(status).to.be.oneOf([200, 401, 429]);
    }
  });

  it('X2 N4 N5 N6 a code of an app, and a recovery code, sign in once over the nodes, and five guesses are judged', async () => {
    const person = { login: 'app-once@x.test', password: 'Thistle-Quarry-Beacon-52' };
    const json = { name: 'Dr. App', email: person.login, password: person.password };
    const registered = await send(`${nodes.url}/api/v1/auth/register`, { headers: freshAddress(), json });
    expect(registered.status).to.equal(201);
    const party = await relyingParty(nodes.issuer, ownApp);
    /** A browser that has given the password. */
    const half = async () => {
      const session = openWebSession({ headers: freshAddress() });
      const { url } = await party.begin();
      const first = shown(await session.open(url));
      return { session, page: shown(await session.submit(first, person)) };
    };
    const account = openWebSession({ headers: freshAddress() });
    const first = shown(await account.open(`${nodes.url}/account/factors`));
    const list = shown(await account.submit(first, person));
    const setup = shown(await account.submit(list, {}, { form: formTo(list, '/account/factors/app/new') }));
    const secret = (/<pre class="key">([^<]*)</.exec(setup.body)?.[1] ?? '').replaceAll(' ', '');
    const done = shown(await account.submit(setup, { code: shownBy(secret, new Date()) }));
    const recovery = /<li><code>([^<]*)</.exec(done.body)?.[1] ?? '';
    for (const [action, sent] of [
      // The step that set the app up is used at every node.
      ['app-code', shownBy(secret, new Date(), 1)],
      ['recovery-code', recovery],
    ] as const) {
      const browsers = await Promise.all([half(), half(), half()]);
      const ends = await Promise.all(
        browsers.map(({ session, page }) =>
          session.submit(
            page,
            { code: sent },
            { form: formTo(page, new RegExp(`/${action}$`)), until: [ownApp.redirectUri] },
          ),
        ),
      );
      expect(ends.filter((end) => typeof end === 'string').length, action).to.equal(1);
    }
    const { session, page } = await half();
    const { action, fields } = formTo(page, /\/app-code$/);
    const guesses = await times(20, async (i) => {
      const headers = { origin: nodes.url, 'sec-fetch-site': 'same-origin', ...freshAddress() };
      const body = new URLSearchParams({ ...fields, code: `00000${i % 10}` });
      return (await session.request(action, { method: 'POST', body, headers })).status;
    });
    // Those that lost above counted too, and the right one that followed some of them ended their row.
    expect(guesses.filter((status) => status === 400).length, 'judged').to.be.within(1, 5);
    expect(guesses.filter((status) => status === 429).length, 'refused').to.be.at.least(15);
  });

  it('X2 A6 C4 a single-use sign-on token opens one browser session', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { access } = await vseeChannel.signIn(nodes.url);
      const headers = freshAddress();
      const replies = await times(PARALLEL, () =>
        send(`${nodes.url}/auth?sso_token=${access}&next=/u/clinic&one_time_token=1`, { headers }),
      );
      expect(replies.filter(({ status }) => status === 303).length, 'browsers let in').to.equal(1);
      expect(replies.filter(({ cookies }) => cookies.length > 0).length, 'cookies given').to.equal(1);
      expect(replies.filter(({ status }) => status === 401).length).to.equal(PARALLEL - 1);
    }
  });

  it('X2 a pushed authorization request that was used begins nothing again', async () => {
    const { session, party } = await oidcSignIn(nodes.issuer);
    const { searchParams } = new URL((await party.begin()).url);
    const pushed = await send(`${nodes.url}/par`, {
      headers: { authorization: basicAuth(ownApp) },
      form: Object.fromEntries(searchParams),
    });
    expect(pushed.status, pushed.text).to.equal(201);
    const { request_uri: uri } = pushed.json() as { request_uri: string };
    const query = new URLSearchParams({ client_id: ownApp.clientId, request_uri: uri });
    const begin = () => session.open(`${nodes.url}/authorize?${query}`, [ownApp.redirectUri]);
    const codes = (await times(10, begin))
      .map((at) => (typeof at === 'string' ? new URL(at).searchParams.get('code') : null))
      .filter((code) => code !== null);
    expect(codes.length).to.equal(1);
  });

  it('X4 fifty sign-ups of one address in its spellings make one account', async () => {
    const spell = (i: number) =>
      [...'many-nodes@x.test'].map((sign, at) => ((i >> (at % 6)) & 1 ? sign.toUpperCase() : sign)).join('');
    const replies = await times(PARALLEL, (i) =>
      send(`${nodes.url}/api/v1/auth/register`, {
        headers: freshAddress(),
        json: { name: 'Dr. Many', email: spell(i), password: 'Thistle-Quarry-Beacon-52' },
      }),
    );
    expect(replies.filter(({ status }) => status === 201).length).to.equal(1);
  });

  it('S1 a browser session that was given at one node is renewed, not taken over, at the next', async () => {
    const { access } = await vseeChannel.signIn(nodes.url);
    const session = openWebSession();
    const ids: (string | undefined)[] = [];
    for (let i = 0; i < 2; i += 1) {
      await session.request(`${nodes.url}/auth?sso_token=${access}&next=/`);
      const cookies = await session.jar.getCookies(nodes.url);
      ids.push(cookies.find(({ key }) => key.includes('session') && !key.endsWith('.sig'))?.value);
    }
    expect(ids[0]).to.be.a('string');
    expect(ids[1]).to.be.a('string').and.not.equal(ids[0]);
  });
});

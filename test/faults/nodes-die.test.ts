import { execFile } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { buildEndSessionUrl } from 'openid-client';
import { avycennaChannel, freshAddress, oidcSignIn, pat, send, times } from '../nodes/calls.ts';
import { basicAuth, ownApp } from '../support/clients.ts';
import { startLogoutReceiver } from '../support/logout-receiver.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { relyingParty } from '../support/relying-party.ts';
import { sharedServers, startRedis, type TestServer } from '../support/servers.ts';
import { report, startLoad } from './load.ts';
import { stepKeys } from './step-keys.ts';

/** The long form: FAULT_KILLS=200. */
const KILLS = Number(process.env.FAULT_KILLS ?? 3);
const LONG = process.env.FAULT_KILLS !== undefined;
/** Clients at work at a time. */
const CLIENTS = 6;
const CLI = path.join(import.meta.dirname, '../../src/cli.ts');

describe('two nodes under load, when one dies or is replaced', function () {
  this.timeout(120_000 + KILLS * 20_000);
  let nodes: Nodes;
  let redis: TestServer | undefined;
  before(async function () {
    this.timeout(300_000);
    const servers = await sharedServers();
    if (!servers) return this.skip();
    redis = await startRedis({ own: true }).catch(() => undefined);
    nodes = await startNodes({
      stores: { mongo: servers.mongo.url, redis: (redis ?? servers.redis).url },
      // Longer than the longest run: nothing but a crash could end a lock before.
      config: {
        attempts: { pair: { window: '1d' } },
        outbound: { allowPrivate: true },
        oidc: { rememberConsent: 'session', backchannelLogout: { timeout: 1 } },
      },
    });
  });
  after(async () => {
    await nodes?.close();
    await redis?.stop();
  });

  const node = (which: number) => {
    const result = nodes.nodes[which];
    if (!result) throw new Error(`There is no node ${which}.`);
    return result;
  };

  it('A1 a node that is killed costs the requests it had in hand, and no acknowledged token', async () => {
    const load = await startLoad(nodes.url, { clients: CLIENTS });
    await sleep(LONG ? 30_000 : 1500);
    const killedAt = performance.now();
    await node(0).end('SIGKILL');
    await sleep(3000);
    await node(0).start();
    await sleep(1500);
    await load.stop();
    const { tally } = load;
    const late = tally.failedAt.filter((at) => at > killedAt + 5000);
    report('A1', { requests: tally.requests, failed: tally.failedAt.length, refreshes: tally.refreshes });
    expect(tally.wrong).to.deep.equal([]);
    expect(tally.failedAt.length, tally.failures.join('\n')).to.be.at.most(CLIENTS);
    if (LONG) expect(tally.failedAt.length / tally.requests, 'of all requests').to.be.at.most(0.01);
    expect(late.length, 'failed later than five seconds after').to.equal(0);
    expect(tally.gaveUp).to.equal(0);
    expect(tally.refreshes).to.be.greaterThan(CLIENTS);
    expect(await load.audit()).to.deep.include({ lost: [], doubled: [], undead: [] });
  });

  it('A2 T6 a rolling restart with a key rotation in it fails no request and no signature', async () => {
    const load = await startLoad(nodes.url, { clients: CLIENTS });
    const verifier = await startVerifier(nodes);
    const restart = async (which: number) => {
      const { code, took } = await node(which).end('SIGTERM');
      expect(code).to.equal(0);
      expect(took).to.be.lessThan(10_000);
      await node(which).start();
    };
    const before = await currentKey();
    // The new key is published before it signs, as the rotation by the calendar does in a day.
    await stepKeys(nodes);
    await restart(0);
    await restart(1);
    await sleep(2100);
    await stepKeys(nodes);
    await restart(0);
    await restart(1);
    await sleep(500);
    await load.stop();
    const { verified, failed } = await verifier.stop();
    const { tally } = load;
    report('A2', {
      requests: tally.requests,
      failed: tally.failedAt.length,
      verified,
      'not verified': failed.length,
    });
    expect(await currentKey()).to.not.equal(before);
    expect(failed).to.deep.equal([]);
    expect(verified).to.be.greaterThan(5);
    expect(tally.wrong).to.deep.equal([]);
    expect(tally.failures, 'failed requests').to.deep.equal([]);
    expect(await load.audit()).to.deep.include({ lost: [], doubled: [], undead: [] });
  });

  it('A2 a node that is told to stop says so at /readyz first and still serves, then ends within ten seconds', async () => {
    const { url } = node(1);
    const ending = node(1).end('SIGTERM');
    let ready = await send(`${url}/readyz`);
    for (let i = 0; i < 50 && ready.status === 200; i += 1) ready = await send(`${url}/readyz`);
    expect(ready.status).to.equal(503);
    const served = await send(`${url}/jwks`);
    expect(served.status).to.equal(200);
    expect(served.headers.connection).to.equal('close');
    const { code, took } = await ending;
    expect(code).to.equal(0);
    expect(took).to.be.lessThan(10_000);
    expect((await send(`${nodes.url}/jwks`)).status, 'the other one').to.equal(200);
    await node(1).start();
  });

  it('T10 a rotated token stays dead when the nodes start again', async () => {
    const first = await avycennaChannel.signIn(nodes.url);
    const second = avycennaChannel.pair(await avycennaChannel.refresh(nodes.url, first.refresh));
    await Promise.all(nodes.nodes.map((one) => one.end('SIGKILL')));
    await Promise.all(nodes.nodes.map((one) => one.start()));
    expect((await avycennaChannel.refresh(nodes.url, first.refresh)).status).to.equal(401);
    expect(second.refresh).to.not.equal(first.refresh);
  });

  it('LO9 a logout outlives the node that was sending it, and both nodes send each one once', async () => {
    const receiver = await startLogoutReceiver(() => nodes.issuer);
    try {
      const uri = receiver.uriOf(ownApp.clientId);
      const told = ['--backchannel-logout-uri', uri, '--backchannel-logout-session', '--json'];
      await portico('client', 'set', ownApp.clientId, ...told);
      // No node has the client of before in mind any more.
      await Promise.all(nodes.nodes.map((one) => one.end('SIGKILL')));
      await node(0).start();
      const signOut = async () => {
        const { party, session, idToken } = await oidcSignIn(nodes.url);
        const back = String(ownApp.postLogoutRedirectUri);
        const parameters = { id_token_hint: idToken, post_logout_redirect_uri: back };
        const at = await session.open(buildEndSessionUrl(party.configuration, parameters).href, [back]);
        expect(at).to.be.a('string');
      };
      receiver.reply = () => {};
      await signOut();
      const [begun] = await receiver.until(ownApp.clientId);
      await node(0).end('SIGKILL');
      receiver.reply = undefined;
      await node(1).start();
      const [, again] = await receiver.until(ownApp.clientId, 2);
      expect(again?.payload).to.include({ jti: begun?.payload.jti, sid: begun?.payload.sid });
      await node(0).start();
      receiver.forget();
      for (let i = 0; i < 10; i += 1) await signOut();
      await receiver.until(ownApp.clientId, 10);
      expect(new Set(receiver.received.map(({ payload }) => payload.jti)).size).to.equal(10);
      for (let left: unknown; !isDeepStrictEqual(left, []); )
        left = await portico('logout', 'list', '--json');
      expect(receiver.received).to.have.length(10);
    } finally {
      await receiver.close();
    }
  });

  it('A8 a crash loop leaves every client a working token, no code twice, no counter reset', async () => {
    const spent = await spendOnce(nodes);
    const load = await startLoad(nodes.url, { clients: CLIENTS });
    for (let kill = 0; kill < KILLS; kill += 1) {
      await sleep(100 + Math.random() * 700);
      await node(kill % 2).end('SIGKILL');
      await node(kill % 2).start();
    }
    await load.stop();
    const { tally } = load;
    const findings = await load.audit();
    report('A8', {
      kills: KILLS,
      ...{ requests: tally.requests, failed: tally.failedAt.length, refreshes: tally.refreshes },
      ...{ lines: findings.lines, tokens: findings.tokens },
      ...{ lost: findings.lost.length, doubled: findings.doubled.length },
    });
    expect(tally.wrong).to.deep.equal([]);
    expect(tally.gaveUp, 'clients that gave up').to.equal(0);
    expect(findings).to.deep.include({ lost: [], doubled: [], undead: [] });
    expect(await spent.again(), 'what was used before the crashes').to.deep.equal({
      code: 400,
      otp: 401,
      guess: 429,
    });
  });

  async function currentKey(): Promise<string> {
    const keys = (await portico('keys', 'list', '--json')) as { kid: string; alg: string; state: string }[];
    return keys.find(({ alg, state }) => alg === 'ES256' && state === 'current')?.kid ?? '';
  }

  /** A command of the operator's, which prints JSON. */
  async function portico(...args: string[]): Promise<unknown> {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...args], {
      env: { ...process.env, NODE_ENV: 'test', PORTICO_CONFIG: nodes.file },
    });
    return JSON.parse(stdout);
  }
});

/** A relying party that goes on signing in and verifies each ID token with the keys it finds published. */
async function startVerifier(nodes: Nodes) {
  const keys = createRemoteJWKSet(new URL(`${nodes.issuer}/jwks`), { cooldownDuration: 1000 });
  const failed: string[] = [];
  let verified = 0;
  let stopped = false;
  const { session } = await oidcSignIn(nodes.issuer);
  const verify = async () => {
    const party = await relyingParty(nodes.issuer, ownApp);
    const started = await party.begin();
    const callback = await session.open(started.url, [ownApp.redirectUri]);
    if (typeof callback !== 'string')
      throw new Error(`A page: ${callback.status} ${callback.body.slice(0, 200)}`);
    const tokens = await party.finish(started, callback);
    await jwtVerify(tokens.id_token ?? '', keys, { issuer: nodes.issuer, audience: ownApp.clientId });
  };
  const running = (async () => {
    while (!stopped) {
      await verify().then(
        () => {
          verified += 1;
        },
        (error: unknown) => failed.push(String(error)),
      );
      await sleep(50);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await running;
      return { verified, failed };
    },
  };
}

/** Uses a code, a mailed code and a budget of attempts up; `again` tells what each is worth afterwards. */
async function spendOnce(nodes: Nodes) {
  const headers = freshAddress();
  const { session, party } = await oidcSignIn(nodes.issuer);
  const started = await party.begin();
  const callback = new URL(String(await session.open(started.url, [ownApp.redirectUri])));
  const redeem = () =>
    send(`${nodes.url}/token`, {
      headers: { authorization: basicAuth(ownApp) },
      form: {
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: ownApp.redirectUri,
        code_verifier: started.verifier,
      },
    });
  const email = 'crash@x.test';
  const register = { name: 'Dr. Crash', email, password: 'Thistle-Quarry-Beacon-52' };
  await send(`${nodes.url}/api/v1/auth/register`, { headers, json: register });
  await send(`${nodes.url}/api/v1/auth/otp/send`, { headers, json: { email } });
  const otp = /\b(\d{6})\b/.exec((await nodes.mail.take(email)).text)?.[1];
  const verify = () => send(`${nodes.url}/api/v1/auth/otp/verify`, { headers, json: { email, otp } });
  const stranger = { 'x-accountcode': 'clinicdev', ...freshAddress() };
  const guess = () =>
    send(`${nodes.url}/api_v3/users/login`, {
      headers: stranger,
      form: { username: pat.login, password: 'not-the-password' },
    });
  expect((await redeem()).status).to.equal(200);
  expect((await verify()).status).to.equal(200);
  await times(10, guess);
  return {
    again: async () => ({
      code: (await redeem()).status,
      otp: (await verify()).status,
      guess: (await guess()).status,
    }),
  };
}

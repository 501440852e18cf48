/** Back-channel logout: how what is queued reaches a client that is down, slow, hostile or gone. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { buildEndSessionUrl } from 'openid-client';
import { StoreUnavailable } from '../../src/core/errors.ts';
import type { AuditRecord } from '../../src/model/audit-event.ts';
import type { DeliveryRecord } from '../../src/store/ports/deliveries.ts';
import { openTerminal, type Terminal } from '../cli/run-portico.ts';
import { mara, oidcSignIn } from '../nodes/calls.ts';
import { ownApp } from '../support/clients.ts';
import { inTime } from '../support/in-time.ts';
import { type LogoutReceiver, startLogoutReceiver, tellAt } from '../support/logout-receiver.ts';
import { relyingParty, walk } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type WebSession } from '../support/web-session.ts';

const APP = ownApp.clientId;
const MINUTE = 60_000;

/** Whether a delivery has failed so often, and is not being tried. */
const isAfter =
  (tries: number) =>
  ([one]: readonly DeliveryRecord[]) =>
    one?.tries === tries && one.version === 1 + 2 * tries;

/** Clients like APP, each with an address of its own. */
async function addClients(server: TestServer, uris: Readonly<Record<string, string>>): Promise<void> {
  const { clients } = server.running.stores;
  const known = await clients.byId(APP);
  if (known === undefined) throw new Error('The client is not there.');
  for (const [clientId, uri] of Object.entries(uris)) {
    await clients.put({ ...known, clientId, metadata: { ...known.metadata, backchannel_logout_uri: uri } });
  }
}

/** One browser, signed in at all of them. */
async function signInAt(server: TestServer, ids: readonly string[]): Promise<WebSession> {
  const session = openWebSession();
  const party = await relyingParty(server.issuer, ownApp);
  await walk(session, (await party.begin()).url, ownApp.redirectUri, mara);
  for (const clientId of ids) {
    const url = new URL((await party.begin()).url);
    url.searchParams.set('client_id', clientId);
    expect(await session.open(url.href, [ownApp.redirectUri])).to.be.a('string');
  }
  return session;
}

async function endAllAt({ running }: TestServer): Promise<void> {
  const account = await running.stores.accounts.byEmail('default', mara.login);
  await running.identity.access.endAll(String(account?.id));
}

describe('the delivery of logouts', function () {
  this.timeout(60_000);
  let server: TestServer;
  let receiver: LogoutReceiver;
  let terminal: Terminal;
  let ahead = 0;
  const clock = { now: () => new Date(Date.now() + ahead) };
  /** The port of the first server: the issuer stays when it starts again. */
  let port = 0;

  const start = (folder?: string) =>
    startTestServer({
      clock,
      config: {
        ...(port > 0 && { issuer: `http://127.0.0.1:${port}`, http: { port } }),
        outbound: { allowPrivate: true },
        oidc: { backchannelLogout: { timeout: 1, maximumAge: '10m' } },
      },
      ...(folder !== undefined && { folder }),
    });

  before(async () => {
    server = await start();
    ({ port } = server.running);
    receiver = await startLogoutReceiver(() => server.issuer);
    await tellAt(server.running.stores, receiver, APP, { backchannel_logout_session_required: true });
    terminal = openTerminal({
      ...{ issuer: server.issuer, store: { embedded: { file: path.join(server.folder, 'portico.db') } } },
      keys: { encryption: Buffer.alloc(32, 7).toString('base64') },
    });
  });
  after(async () => {
    terminal.close();
    await server.close();
    await receiver.close();
  });
  afterEach(async () => {
    ahead = 0;
    receiver.forget();
    receiver.reply = undefined;
    const { deliveries } = server.running.stores;
    for (const { id } of await deliveries.list(new Date(0), { limit: 1000 })) await deliveries.remove(id);
  });

  const waiting = (clientId = APP) =>
    server.running.stores.deliveries.list(clock.now(), { clientId, limit: 100 });
  const command = async (...args: string[]) => {
    const ran = await terminal.session(['logout', ...args]);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  };

  /** Resolves with the deliveries of a client once they are as `check` wants them. */
  async function once(check: (all: readonly DeliveryRecord[]) => boolean, clientId = APP) {
    for (const end = Date.now() + 15_000; ; await sleep(20)) {
      const all = await waiting(clientId);
      if (check(all)) return all;
      if (Date.now() > end) expect.fail(`The deliveries are ${JSON.stringify(all)}.`);
    }
  }

  /** Signs a person in and out again; resolves with the session's name at the client. */
  async function signInAndOut(): Promise<void> {
    await oidcSignIn(server.issuer);
    await endAllAt(server);
  }

  it('LO4 a client that was down for a minute gets it from a server that was restarted meanwhile', async () => {
    await receiver.down();
    await signInAndOut();
    const waits: number[] = [];
    for (let tries = 1; tries <= 4; tries += 1) {
      const [delivery] = await once(isAfter(tries));
      expect(delivery?.problem).to.equal('ECONNREFUSED');
      const wait = Number(delivery?.dueAt) - clock.now().getTime();
      waits.push(wait);
      ahead += Math.max(0, wait) + 1;
    }
    for (const [index, wait] of waits.entries()) {
      expect(wait, String(waits)).to.be.within(5000 * 2 ** index * 0.8 - 2000, 5000 * 2 ** index * 1.2);
    }
    await once(isAfter(5));
    const [queued] = await waiting();
    await server.close({ keepStore: true });
    ahead += 2 * MINUTE;
    await receiver.up();
    server = await start(server.folder);
    const [told] = await receiver.until(APP);
    expect(told?.payload).to.include({ jti: queued?.id, sid: queued?.sid, sub: queued?.accountId });
    await once((all) => all.length === 0);
    expect(receiver.of(APP)).to.have.length(1);
  });

  it('LO4 P12 one that took it and broke off before it answered gets the same jti again, freshly signed', async () => {
    receiver.reply = (response) => response.destroy();
    await signInAndOut();
    const [delivery] = await once(isAfter(1));
    expect(delivery?.problem).to.equal('ECONNRESET');
    receiver.reply = undefined;
    ahead += MINUTE;
    const [first, second] = await receiver.until(APP, 2);
    expect(second?.payload.jti).to.equal(first?.payload.jti);
    expect(second?.payload.sid).to.equal(first?.payload.sid);
    expect(Number(second?.payload.exp)).to.be.at.least(Number(first?.payload.exp));
    await once((all) => all.length === 0);
  });

  it('LO9 a server that stops breaks off what it was sending, and the next one sends it at once', async () => {
    receiver.reply = () => {};
    await signInAndOut();
    await receiver.until(APP);
    await server.close({ keepStore: true });
    receiver.reply = undefined;
    server = await start(server.folder);
    const [first, second] = await receiver.until(APP, 2);
    expect(second?.payload.jti).to.equal(first?.payload.jti);
    await once((all) => all.length === 0);
    // It waited for no lease: the try that was broken off does not count.
    const { audit } = server.running.stores;
    const lines = async () =>
      (await audit.latest({ event: 'logout.delivered', limit: 100 })).filter(
        ({ detail }) => detail?.delivery === first?.payload.jti,
      );
    for (const end = Date.now() + 10_000; (await lines()).length === 0 && Date.now() < end; ) await sleep(20);
    expect((await lines()).map(({ detail }) => detail?.tries)).to.deep.equal([1]);
  });

  it('LO6 what no try delivered is given up in the end, told to the operator, and sent again', async () => {
    receiver.reply = (response) => response.writeHead(500).end();
    await signInAndOut();
    await once(isAfter(1));
    ahead += 9 * MINUTE;
    await once(isAfter(2));
    ahead += 9 * MINUTE;
    const [dead] = await once(([one]) => one !== undefined && one.dueAt === undefined);
    const id = String(dead?.id);
    const { audit } = server.running.stores;
    let line: AuditRecord | undefined;
    for (const end = Date.now() + 10_000; line === undefined && Date.now() < end; await sleep(20))
      [line] = await audit.latest({ event: 'logout.dead', limit: 1 });
    expect(line).to.deep.include({ outcome: 'error', clientId: APP, subject: dead?.accountId });
    expect(line?.detail).to.deep.equal({ delivery: id, tries: 3, problem: 'HTTP 500' });

    expect((await command('list', '--dead', '--json')).json()).to.have.length(1);
    expect((await command('list', '--waiting', '--json')).json()).to.have.length(0);
    expect((await command('list')).stdout).to.match(
      /^ID +CLIENT +SINCE +STATE +TRIES +NEXT +PROBLEM\n\w+ +own-app/,
    );
    expect((await command('show', id, '--json')).json()).to.include({
      id,
      state: 'dead',
      problem: 'HTTP 500',
    });
    for (const [args, words] of [
      [['show', 'unknown'], 'There is no delivery unknown'],
      [['retry'], 'Give one of'],
      [['retry', id, '--all'], 'Give one of'],
      [['list', '--dead', '--waiting'], 'Give --dead or --waiting'],
    ] as const) {
      const ran = await terminal.session(['logout', ...args]);
      expect([ran.code, ran.stderr.includes(words)], ran.stderr).to.deep.equal([1, true]);
    }
    expect((await command('retry', '--client', 'another')).stdout).to.contain('Nothing was given up.');
    receiver.forget();
    receiver.reply = undefined;
    ahead = 0;
    expect((await command('retry', '--client', APP)).stdout).to.contain('1 of them is sent again.');
    const [told] = await receiver.until(APP);
    expect(told?.payload.jti).to.equal(id);
    await once((all) => all.length === 0);
    const [retried] = await server.running.stores.audit.latest({ event: 'logout.retry', limit: 1 });
    expect(retried?.detail).to.include({ delivery: id, client: APP });
  });

  it('LO6 one that was given up goes with the sweep, a week later', async () => {
    receiver.reply = (response) => response.writeHead(500).end();
    await signInAndOut();
    await once(isAfter(1));
    const { stores } = server.running;
    ahead = 11 * MINUTE;
    await once(([one]) => one !== undefined && one.dueAt === undefined);
    ahead += 7 * 86_400_000;
    expect(await waiting()).to.have.length(0);
    await stores.sweep(clock.now());
    expect(await stores.deliveries.list(new Date(0), { limit: 10 })).to.have.length(0);
  });

  it('LO7 P13 redirects are not followed, and one that does not answer, or without end, is left in time', async () => {
    const replies: readonly (readonly [string, NonNullable<LogoutReceiver['reply']>])[] = [
      ['HTTP 302', (response) => response.writeHead(302, { location: receiver.uriOf('elsewhere') }).end()],
      ['HTTP 307', (response) => response.writeHead(307, { location: receiver.uriOf('elsewhere') }).end()],
      ['HTTP 400', (response) => response.writeHead(400).end('{"error":"invalid_request"}')],
      ['no answer in time', () => {}],
      ['no answer in time', (response) => void response.writeHead(200).write('x')],
      [
        'the reply is longer than 262144 bytes',
        (response) => response.writeHead(200).end(Buffer.alloc(300_000)),
      ],
    ];
    for (const [problem, reply] of replies) {
      receiver.reply = reply;
      const begun = performance.now();
      await signInAndOut();
      const [delivery] = await once(isAfter(1));
      expect(delivery?.problem).to.equal(problem);
      expect(performance.now() - begun).to.be.below(10_000);
      await server.running.stores.deliveries.remove(String(delivery?.id));
    }
    expect(receiver.received.filter(({ clientId }) => clientId !== APP)).to.deep.equal([]);
    expect(receiver.refused).to.deep.equal([]);
    expect(server.logText()).to.not.match(/logout_token|eyJ[\w-]{20}/);
  });

  async function manyClients(count: number, prefix: string): Promise<string[]> {
    const ids = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
    await addClients(server, Object.fromEntries(ids.map((id) => [id, receiver.uriOf(id)])));
    return ids;
  }

  it('LO5 a hundred clients of one session are told within two seconds, and the person does not wait', async () => {
    const ids = await manyClients(100, 'many');
    await inTime(async (watch) => {
      const session = await signInAt(server, ids);
      receiver.forget();
      // None of them answers at once.
      receiver.reply = async (response) => {
        await sleep(20);
        response.writeHead(200).end();
      };
      const party = await relyingParty(server.issuer, ownApp);
      const out = buildEndSessionUrl(party.configuration, {}).href;
      const asked = await session.open(out);
      if (typeof asked === 'string') throw new Error(asked);
      const begun = performance.now();
      await watch.around('the sign-out', 1500, () => session.submit(asked, {}));
      await Promise.all(ids.map((clientId) => receiver.until(clientId)));
      watch.within('telling a hundred clients', performance.now() - begun, 2000);
      expect(receiver.refused).to.deep.equal([]);
      await once((all) => all.length === 0);
    });
  });

  it('LO5 clients that do not answer hold up no other', async () => {
    const silent = await manyClients(5, 'silent');
    const [open, most] = [new Map<string, number>(), new Map<string, number>()];
    const count = (clientId: string, by: number) => {
      const now = (open.get(clientId) ?? 0) + by;
      open.set(clientId, now);
      most.set(clientId, Math.max(most.get(clientId) ?? 0, now));
    };
    receiver.reply = (response, clientId) => {
      if (!clientId.startsWith('silent')) return response.writeHead(204).end();
      count(clientId, 1);
      return response.on('close', () => count(clientId, -1));
    };
    await signInAt(server, silent);
    await endAllAt(server);
    for (const clientId of silent) await once(isAfter(1), clientId);
    // Sixty more are due at once for each of them, and for one that was never asked before.
    const { deliveries } = server.running.stores;
    const [sample] = await waiting(silent[0]);
    await addClients(server, { 'silent-new': receiver.uriOf('silent-new') });
    const copies = [...silent, 'silent-new'].flatMap((clientId) =>
      Array.from({ length: 60 }, (_, index) => ({
        ...(sample as DeliveryRecord),
        ...{ id: `${clientId}-${index}`, clientId, dueAt: clock.now(), tries: 0, version: 1 },
      })),
    );
    await deliveries.add(copies);
    receiver.forget();
    await Promise.all([...silent, 'silent-new'].map((clientId) => receiver.until(clientId)));
    await signInAndOut();
    await receiver.until(APP);
    expect(Math.max(...silent.map((clientId) => most.get(clientId) ?? 0))).to.equal(1);
    expect(most.get('silent-new')).to.be.within(2, 8);
  });

  it('LO10 where it cannot be noted whom to tell, the session stays, and the person hears of it', async () => {
    const { deliveries } = server.running.stores;
    const { add } = deliveries;
    const line = await oidcSignIn(server.issuer);
    const out = (hint?: string) =>
      buildEndSessionUrl(line.party.configuration, {
        post_logout_redirect_uri: String(ownApp.postLogoutRedirectUri),
        ...(hint !== undefined && { id_token_hint: hint }),
      }).href;
    try {
      Object.assign(deliveries, { add: () => Promise.reject(new StoreUnavailable('test')) });
      const unasked = await line.session.open(out(line.idToken));
      expect(typeof unasked !== 'string' && unasked.status).to.equal(503);
      const asked = await line.session.open(out());
      if (typeof asked === 'string') throw new Error(asked);
      const confirmed = await line.session.submit(asked, {});
      expect(typeof confirmed !== 'string' && confirmed.status).to.equal(503);
      const hinted = await line.session.open(out());
      if (typeof hinted === 'string') throw new Error(hinted);
      const form = hinted.forms.find(({ fields }) => 'xsrf' in fields && !('logout' in fields));
      const stayed = await line.session.submit(hinted, {}, form && { form });
      expect(typeof stayed !== 'string' && stayed.status, 'at the one client').to.equal(503);
      await endAllAt(server).then(
        () => expect.fail('It should have been refused.'),
        (error: Error) => expect(error).to.be.instanceOf(StoreUnavailable),
      );
      const { accountAccess } = server.running.oidc;
      const account = await server.running.stores.accounts.byEmail('default', mara.login);
      expect(await accountAccess.listSessions(String(account?.id))).to.have.length(1);
    } finally {
      Object.assign(deliveries, { add });
    }
    const again = await line.session.open(out(line.idToken), [String(ownApp.postLogoutRedirectUri)]);
    expect(again).to.be.a('string');
    await receiver.until(APP);
  });

  it('LO11 S4 a request under way when its session ends brings neither the session back nor a code', async () => {
    const { oidcRecords, accounts } = server.running.stores;
    const { put } = oidcRecords;
    await addClients(server, { late: receiver.uriOf('late') });
    const line = await oidcSignIn(server.issuer);
    const url = new URL((await line.party.begin()).url);
    url.searchParams.set('client_id', 'late');
    const [reached, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    try {
      Object.assign(oidcRecords, {
        async put(...record: Parameters<typeof put>) {
          if (record[0] === 'Session') {
            reached.resolve();
            await ended.promise;
          }
          await put(...record);
        },
      });
      const flow = line.session.open(url.href, [ownApp.redirectUri]);
      await reached.promise;
      await endAllAt(server);
      ended.resolve();
      const { searchParams } = new URL(String(await flow));
      expect([searchParams.get('code'), searchParams.get('error')]).to.deep.equal([null, 'login_required']);
    } finally {
      Object.assign(oidcRecords, { put });
    }
    const account = await accounts.byEmail('default', mara.login);
    expect(await server.running.oidc.accountAccess.listSessions(String(account?.id))).to.deep.equal([]);
    await receiver.until(APP);
  });
});

describe('the delivery of logouts in production', () => {
  it('LO7 P13 never leads to this machine or its network, and such an address is not taken', async function () {
    this.timeout(60_000);
    const server = await startTestServer();
    const receiver = await startLogoutReceiver(() => server.issuer);
    const { stores, oidc } = server.running;
    const { port } = new URL(receiver.origin);
    const cases: readonly (readonly [uri: string, problem: string])[] = [
      [receiver.uriOf('own-0'), 'http: is not fetched'],
      [`https://127.0.0.1:${port}/own-1`, 'the address is not public'],
      [`https://[::ffff:10.0.0.1]:${port}/own-2`, 'the address is not public'],
      [`https://localhost:${port}/own-3`, 'the name leads to an address that is not public'],
    ];
    const ids = cases.map((_, index) => `own-${index}`);
    try {
      await addClients(server, Object.fromEntries(cases.map(([uri], index) => [ids[index], uri])));
      await signInAt(server, ids);
      await endAllAt(server);
      const list = () => stores.deliveries.list(new Date(), { limit: 10 });
      for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) {
        if ((await list()).filter((one) => isAfter(1)([one])).length === cases.length) break;
      }
      const problems = Object.fromEntries((await list()).map(({ clientId, problem }) => [clientId, problem]));
      for (const [index, [uri, problem]] of cases.entries()) {
        expect(problems[`own-${index}`], uri).to.equal(problem);
        const client = await stores.clients.byId(`own-${index}`);
        const [issue] = client ? await oidc.judgeClient(client) : [];
        // Where a name leads is known when it is asked for.
        const said = uri.includes('localhost') ? undefined : 'backchannel_logout_uri';
        expect(issue?.path, uri).to.equal(said);
        if (issue) expect(issue.message).to.equal(`must be a URL that the server may call: ${problem}`);
      }
      expect(receiver.received.length + receiver.refused.length).to.equal(0);
    } finally {
      await server.close();
      await receiver.close();
    }
  });
});

/** What Portico takes along in stage proxy, so that a person who came by once needs the legacy system no more. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';
import { insertAccount } from '../../src/identity/accounts/create-account.ts';
import { createLearner } from '../../src/legacy/learn.ts';
import { changeStageRecord, type Stage, withStage } from '../../src/migration/stage-record.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { eventually } from '../support/in-time.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { CONTEXT } from './world.ts';

const PASSWORD = 'Old-Password-Of-Ada-17';

describe('In stage proxy Portico learns', function () {
  this.timeout(60_000);
  let system: LegacySystem;
  let server: TestServer;
  let learn: string[];
  const start = async (what: string[] = ['accounts', 'passwords', 'tokens']) => {
    learn = what;
    const legacy = { url: system.url, stage: 'proxy', learn, timeout: '2s', roles: ['patient'] };
    server = await startTestServer({ config: { dialects: { visitnote: { legacy }, vsee: { legacy } } } });
  };
  beforeEach(async () => {
    system = await startLegacySystem();
  });
  afterEach(async () => {
    await server.close();
    await system.close();
  });

  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const signIn = (email: string, password = PASSWORD) =>
    post('/api/therapist/v1/sign-in', { email, password });
  const accounts = () => server.running.stores.accounts;
  const byEmail = (email: string) => accounts().byEmail('default', email);
  const until = <Value>(find: () => Promise<Value | undefined>) =>
    eventually(async () => {
      const value = await find();
      if (value === undefined) throw new Error('It was not learned.');
      return value;
    });
  const learned = (email: string, holds: (account: AccountRecord) => boolean) =>
    until(async () => {
      const account = await byEmail(email);
      return account && holds(account) ? account : undefined;
    });
  const to = async (dialect: string, stage: Stage) => {
    const { metadata } = server.running.stores;
    await changeStageRecord(metadata, dialect, (record) => withStage(record, {}, stage));
  };

  it('a person and their password from a sign-in, after the reply: the legacy system can go', async () => {
    system.add('visitnote', { email: 'ada@old.test', password: PASSWORD });
    await start();
    expect((await signIn('ada@old.test')).status).to.equal(200);
    const account = await learned('ada@old.test', ({ passwordHash }) => passwordHash !== undefined);
    expect(account.aliases.visitnote).to.be.a('string');
    expect(account.legacy?.visitnote).to.include({ password: 'legacy' });
    await to('visitnote', 'standalone');
    await system.close();
    await until(async () => ((await signIn('ada@old.test')).status === 200 ? true : undefined));
    expect((await signIn('ada@old.test', 'another password')).status).to.equal(401);
    system = await startLegacySystem();
  });

  it('of a vendor whose sign-in names a login, not an address, and whose replies say little each', async () => {
    system.add('vsee', { email: 'ben@old.test', password: PASSWORD });
    await start();
    const reply = await post('/api_v3/users/login', { username: 'ben@old.test', password: PASSWORD });
    expect(reply.status, await reply.text()).to.equal(200);
    await learned('ben@old.test', ({ passwordHash }) => passwordHash !== undefined);
  });

  it('a sign-out and a refresh of a vendor whose token names the organization', async () => {
    system.add('vsee', { email: 'gus@old.test', password: PASSWORD });
    await start();
    const reply = await post('/api_v3/users/login', { username: 'gus@old.test', password: PASSWORD });
    const { data } = (await reply.json()) as { data: { token: string; refresh_token: { token: string } } };
    await learned('gus@old.test', ({ passwordHash }) => passwordHash !== undefined);
    const { grants } = server.running.oidc;
    const isKnown = async (token: string) => (await grants.findAccess(token, 'vsee-legacy')) !== undefined;
    await until(async () => ((await isKnown(data.token)) ? true : undefined));
    const refreshed = await post('/api_v3/tokens/refresh', { refresh_token: data.refresh_token.token });
    const next = ((await refreshed.json()) as { data: { token: string } }).data.token;
    await until(async () => ((await isKnown(next)) ? true : undefined));
    expect((await post('/api_v3/users/logout', { tokens: [next] })).status).to.equal(200);
    await until(async () => ((await isKnown(next)) ? undefined : true));
  });

  it('M22 while the client has its reply, however long it takes', async () => {
    system.add('visitnote', { email: 'cora@old.test', password: PASSWORD });
    await start();
    system.suffer({ kind: 'hang' }, /my-profile/);
    const began = Date.now();
    expect((await signIn('cora@old.test')).status).to.equal(200);
    expect(Date.now() - began).to.be.below(1500);
    // What is asked for in addition never came.
    await until(async () => (system.calls.some(({ url }) => url.endsWith('/my-profile')) ? true : undefined));
    expect(await byEmail('cora@old.test')).to.equal(undefined);
  });

  it('no password that was refused, and nothing of a deleted person', async () => {
    system.add('visitnote', { email: 'dora@old.test', password: PASSWORD });
    await start();
    expect((await signIn('dora@old.test', 'wrong')).status).to.equal(401);
    expect((await signIn('dora@old.test')).status).to.equal(200);
    const { id, passwordHash = '' } = await learned('dora@old.test', (one) => one.passwordHash !== undefined);
    const { hasher } = server.running.identity;
    expect((await hasher.verify('wrong', passwordHash)).right).to.equal(false);
    expect((await hasher.verify(PASSWORD, passwordHash)).right).to.equal(true);
    const { deleteAccount } = await import('../../src/identity/accounts/delete-account.ts');
    const account = await accounts().byId(id);
    if (account) await deleteAccount(server.running.identity, { accountId: account.id });
    expect((await signIn('dora@old.test', `${PASSWORD} `)).status).to.equal(401);
    system.add('visitnote', { email: 'last@old.test', password: PASSWORD });
    expect((await signIn('dora@old.test')).status).to.equal(200);
    expect((await signIn('last@old.test')).status).to.equal(200);
    await learned('last@old.test', ({ passwordHash: hash }) => hash !== undefined);
    expect(await byEmail('dora@old.test')).to.equal(undefined);
  });

  it('M22 how often a password was wrong: no person is refused while the legacy system answers, and then at once', async () => {
    system.add('visitnote', { email: 'fay@old.test', password: PASSWORD });
    await start();
    expect((await signIn('fay@old.test')).status).to.equal(200);
    await learned('fay@old.test', ({ passwordHash }) => passwordHash !== undefined);
    for (let tries = 0; tries < 12; tries += 1) {
      expect((await signIn('fay@old.test', `wrong ${tries}`)).status).to.equal(401);
    }
    await until(async () => {
      const account = await byEmail('fay@old.test');
      const { attempts } = server.running.identity;
      const who = {
        organization: 'default',
        accountId: account?.id,
        name: 'fay@old.test',
        address: '127.0.0.1',
      };
      return attempts.check(who).then(
        () => undefined,
        () => true,
      );
    });
    await to('visitnote', 'standalone');
    await until(async () => ((await signIn('fay@old.test')).status === 429 ? true : undefined));
  });

  it('no token that was signed out a moment after it was made', async () => {
    const { grants } = await start().then(() => server.running.oidc);
    const tokens: string[] = [];
    for (let number = 0; number < 8; number += 1) {
      const email = `fay-${number}@old.test`;
      system.add('visitnote', { email, password: PASSWORD });
      const { data } = (await (await signIn(email)).json()) as { data: { token: string } };
      tokens.push(data.token);
      const authorization = `Bearer ${data.token}`;
      expect((await post('/api/therapist/v1/logout', {}, { authorization })).status).to.equal(200);
    }
    system.add('visitnote', { email: 'last@old.test', password: PASSWORD });
    expect((await signIn('last@old.test')).status).to.equal(200);
    await learned('last@old.test', ({ passwordHash }) => passwordHash !== undefined);
    await sleep(200);
    const found = await Promise.all(tokens.map((token) => grants.findAccess(token, 'visitnote-legacy')));
    expect(found.filter((token) => token !== undefined)).to.deep.equal([]);
  });

  it('only what the configuration lists', async () => {
    system.add('visitnote', { email: 'eve@old.test', password: PASSWORD });
    await start(['accounts']);
    expect((await signIn('eve@old.test')).status).to.equal(200);
    const account = await learned('eve@old.test', () => true);
    expect(account.passwordHash).to.equal(undefined);
  });

  it('nothing twice in a minute of a person who is in conflict here', async () => {
    system.add('visitnote', { email: 'finn@old.test', password: PASSWORD });
    await start();
    await insertAccount(server.running.identity, {
      organization: 'default',
      account: { email: 'finn@old.test', emailVerified: true },
    });
    const asked = () => system.calls.filter(({ url }) => url.endsWith('/my-profile')).length;
    await signIn('finn@old.test');
    await until(async () => {
      const [conflict] = await server.running.stores.audit.latest({ event: 'migration.conflict', limit: 1 });
      return conflict;
    });
    await signIn('finn@old.test');
    // Who comes behind is learned from after that.
    system.add('visitnote', { email: 'gwen@old.test', password: PASSWORD });
    await signIn('gwen@old.test');
    await learned('gwen@old.test', () => true);
    expect(asked()).to.equal(2);
  });
});

describe('What passes by faster than it is learned from', () => {
  it('is dropped past 16 MiB, and taken again when there is room', async () => {
    const server = await startTestServer();
    const [mounted] = parseSettings([visitnote], {
      visitnote: { legacy: { url: 'https://a.example', stage: 'proxy' } },
    });
    if (mounted === undefined) throw new Error('The settings are good.');
    const outcomes: string[] = [];
    const { identity, oidc } = server.running;
    const learner = createLearner({
      ...{ identity, issuer: server.issuer, grants: oidc.grants },
      calls: { confirm: () => Promise.reject(new Error('no reply is a yes')) },
      count: (_dialect, outcome) => void outcomes.push(outcome),
      saw: () => undefined,
    });
    let go: (organization: undefined) => void = () => undefined;
    const waits = new Promise<undefined>((resolve) => {
      go = resolve;
    });
    const [endpoint] = visitnote.mounts(mounted.settings).flatMap(({ endpoints }) => endpoints);
    if (endpoint === undefined) throw new Error('The vendor has endpoints.');
    const exchange = {
      ...{ mounted, endpoint, pattern: '/my-profile', context: CONTEXT, organization: () => waits },
      stage: 'proxy' as const,
      again: () => {
        throw new Error('Nothing is compared.');
      },
      request: { host: 'a.example', method: 'GET', target: '/', headers: [], body: Buffer.alloc(0) },
      reply: { status: 200, headers: [], body: Buffer.alloc(512 * 1024 - 1) },
    };
    const fill = () => {
      for (let count = 0; count < 40; count += 1) learner.learn(exchange);
    };
    fill();
    expect(outcomes).to.deep.equal(Array(8).fill('dropped'));
    go(undefined);
    while (outcomes.length < 40) await sleep(5);
    fill();
    expect(outcomes.filter((outcome) => outcome === 'dropped')).to.have.length(16);
    await learner.close();
    await server.close();
  });
});

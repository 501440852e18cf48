/** Tokens that a legacy system made, in stage primary (M16 to M21). */
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { jwtClaims } from '../../src/dialects/runtime/jwt-claims.ts';
import { insertAccount } from '../../src/identity/accounts/create-account.ts';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { setPassword } from '../../src/identity/self-service/set-password.ts';
import { changeStageRecord, withStage } from '../../src/migration/stage-record.ts';
import type { DialectInfo } from '../conformance/dialect-under-test.ts';
import { medisync, vendors, visitnote, vsee } from '../dialects/vendors.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const SECRET = 'the-secret-of-the-legacy-system-41';

interface World {
  /** Seconds that the server's clock is ahead. */
  ahead: number;
  readonly server: TestServer;
  readonly system: LegacySystem;
  readonly client: HttpClient;
  close(): Promise<void>;
}

/** Every vendor's dialect in stage primary, its legacy system played by one server. */
async function start(legacy: object = {}): Promise<World> {
  const time = { ahead: 0 };
  const clock = { now: () => new Date(Date.now() + time.ahead * 1000) };
  const system = await startLegacySystem();
  const table = { url: system.url, stage: 'primary', timeout: '1s', rate: '1000/1s', ...legacy };
  const roles = ['doctor', 'patient', 'user', 'therapist', 'provider'];
  // Whoever signs in with Google at AVYCENNA could not be asked about: it is off.
  const google = (name: string) => name === 'avycenna' && { googleProvider: 'none' };
  const entries = vendors.map(({ dialect: { name } }) => [
    name,
    { legacy: { roles, ...table }, ...google(name) },
  ]);
  // Whoever signs in with Google at AVYCENNA cannot be asked about.
  const federation = { google: { enabled: false } };
  const config = { dialects: Object.fromEntries(entries), federation };
  const server = await startTestServer({ config, clock });
  const client = openClient(server.url);
  return Object.assign(time, {
    ...{ server, system, client },
    async close() {
      client.close();
      await Promise.all([server.close(), system.close()]);
    },
  });
}

const nameOf = ({ dialect }: DialectInfo) => dialect.name as Parameters<LegacySystem['add']>[0];
let people = 0;
let address = 0;

function newPerson(system: LegacySystem, vendor: DialectInfo) {
  people += 1;
  return system.add(nameOf(vendor), { email: `live-${people}@clinic.test`, password: 'Granite-Lotus-41' });
}

/** From a client address of its own, unless one is given. */
function ask({ client }: World, vendor: DialectInfo, token: string, from?: string) {
  address += 1;
  const forwarded = { 'x-forwarded-for': from ?? `198.51.100.${address % 250}` };
  const headers = { ...vendor.headers, ...vendor.me.headers(token), ...forwarded };
  return client.send({ method: 'GET', path: vendor.me.path, headers });
}

describe('Live tokens of a legacy system', function () {
  this.timeout(30_000);
  let world: World;
  before(async () => {
    world = await start();
  });
  after(() => world.close());

  for (const vendor of vendors) {
    it(`M16 ${nameOf(vendor)}: one that was made there works here, asked about once, and is dead after it ended`, async () => {
      const { system, server } = world;
      const { access } = system.issue(newPerson(system, vendor));
      system.forget();
      const first = await ask(world, vendor, access.value);
      expect(first.status, first.text).to.equal(200);
      const asked = system.calls.length;
      expect(asked).to.be.within(1, 3);
      const again = await ask(world, vendor, access.value);
      expect(again.text).to.equal(first.text);
      expect(system.calls).to.have.length(asked);
      const { grants } = server.running.oidc;
      const clientId = `${nameOf(vendor)}-legacy`;
      const grant = await grants.grantOf(access.value, clientId);
      await grants.endGrant(String(grant?.grantId));
      world.ahead += 5;
      const dead = await ask(world, vendor, access.value);
      expect({ status: dead.status, json: JSON.parse(dead.text) }).to.deep.include(vendor.deadToken);
      expect(system.calls).to.have.length(asked);
    });
  }

  it('M16 one that many present at once is adopted once: one grant', async () => {
    const { system, server } = world;
    const { access } = system.issue(newPerson(system, visitnote));
    const use = () => ask(world, visitnote, access.value);
    const replies = await Promise.all(Array.from({ length: 10 }, use));
    expect(replies.map(({ status }) => status)).to.deep.equal(Array(10).fill(200));
    const { grants, accountAccess } = server.running.oidc;
    const { accountId = '' } = (await grants.grantOf(access.value, 'visitnote-legacy')) ?? {};
    expect(await accountAccess.listGrants(accountId)).to.have.length(1);
  });

  it('M16 a refresh token that many present at once is asked about once, and has one successor', async () => {
    const { system } = world;
    const { refresh } = system.issue(newPerson(system, vsee));
    system.forget();
    const use = () =>
      world.client.send({
        ...{ method: 'POST', path: '/api_v3/tokens/refresh.json' },
        headers: { ...vsee.headers, 'content-type': 'application/json' },
        body: JSON.stringify({ refresh_token: refresh?.value }),
      });
    const replies = await Promise.all(Array.from({ length: 10 }, use));
    expect(replies.map(({ status }) => status)).to.deep.equal(Array(10).fill(200));
    const tokens = replies.map(({ text }) => JSON.parse(text).data.refresh_token.token);
    expect(new Set(tokens).size).to.equal(1);
    expect(system.calls.filter(({ url }) => url.includes('refresh'))).to.have.length(1);
    expect((await ask(world, vsee, JSON.parse(replies[0]?.text ?? '').data.token)).status).to.equal(200);
  });

  it('M17 a token of before a new password is not adopted after it', async () => {
    const { system, server } = world;
    const person = newPerson(system, visitnote);
    const [one, other] = [system.issue(person), system.issue(person)];
    expect((await ask(world, visitnote, one.access.value)).status).to.equal(200);
    const { identity } = server.running;
    const account = await identity.stores.accounts.byEmail('default', person.email);
    await identity.access.endAll(String(account?.id));
    world.ahead += 5;
    expect((await ask(world, visitnote, one.access.value)).status).to.equal(401);
    expect((await ask(world, visitnote, other.access.value)).status).to.equal(401);
  });

  it('M5 a password that is set here ends what that of the legacy system opens: tokens made by it later are none', async () => {
    const own = await start();
    const { system, server } = own;
    const person = newPerson(system, medisync);
    expect((await ask(own, medisync, system.issue(person).access.value)).status).to.equal(200);
    const { identity } = server.running;
    const { id = '' } = (await identity.stores.accounts.byEmail('default', person.email)) ?? {};
    await setPassword(identity, { accountId: id, password: 'Quartz-Harbour-97', minimum: 8 });
    // A token tells whole seconds.
    await sleep(1001);
    const { access } = system.issue(person);
    expect(Number(jwtClaims(access.value).iat) * 1000).to.be.above(
      Date.parse((await identity.stores.accounts.byId(id))?.tokensFrom ?? ''),
    );
    expect((await ask(own, medisync, access.value)).status).to.equal(401);
    await own.close();
  });

  it('M16 one that ended here stays dead as long as the legacy system takes it, whenever that is', async () => {
    const { system, server } = world;
    const { access } = system.issue(newPerson(system, visitnote));
    expect((await ask(world, visitnote, access.value)).status).to.equal(200);
    const { grants } = server.running.oidc;
    await grants.endGrant(String((await grants.grantOf(access.value, 'visitnote-legacy'))?.grantId));
    const before = world.ahead;
    for (const days of [2, 400]) {
      world.ahead = before + days * 86_400;
      await server.running.stores.sweep(new Date(Date.now() + world.ahead * 1000));
      system.forget();
      expect((await ask(world, visitnote, access.value)).status, `${days} days later`).to.equal(401);
      expect(system.calls).to.deep.equal([]);
    }
    world.ahead = before;
  });

  it('M8 one of a person who was deleted here is not adopted for whoever has the address now', async () => {
    const verified = await start({ addresses: 'verified' });
    const { system, server } = verified;
    const { identity } = server.running;
    const { accounts } = identity.stores;
    const person = newPerson(system, visitnote);
    expect((await ask(verified, visitnote, system.issue(person).access.value)).status).to.equal(200);
    const { id: accountId = '' } = (await accounts.byEmail('default', person.email)) ?? {};
    await deleteAccount(identity, { accountId });
    const account = { email: person.email, emailVerified: true };
    await insertAccount(identity, { organization: 'default', account });
    expect((await ask(verified, visitnote, system.issue(person).access.value)).status).to.equal(401);
    const present = await accounts.byEmail('default', person.email);
    expect([present?.aliases, present?.legacy]).to.deep.equal([{}, undefined]);
    await verified.close();
  });

  it('M8 M17 an account of the vendor’s id that an operator made ends for good, and all that it has, as any other', async () => {
    const { system, server } = world;
    const { identity } = server.running;
    const { accounts } = identity.stores;
    const person = newPerson(system, visitnote);
    const account = { email: person.email, aliases: { visitnote: person.id } };
    await insertAccount(identity, { organization: 'default', account });
    const { id: accountId = '' } = (await accounts.byEmail('default', person.email)) ?? {};
    const [first, other] = [system.issue(person), system.issue(person)];
    expect((await ask(world, visitnote, first.access.value)).status).to.equal(200);
    await identity.access.endAll(accountId);
    expect((await ask(world, visitnote, other.access.value)).status).to.equal(401);
    await deleteAccount(identity, { accountId });
    expect((await ask(world, visitnote, system.issue(person).access.value)).status).to.equal(401);
    expect(await accounts.byEmail('default', person.email)).to.equal(undefined);
  });

  it('M8 M17 so does one with a password of its own, which no yes of the legacy system makes its account', async () => {
    const { system, server } = world;
    const { identity } = server.running;
    const { accounts } = identity.stores;
    const person = newPerson(system, visitnote);
    const account = { email: person.email, aliases: { visitnote: person.id } };
    const passwordHash = await identity.hasher.hash('Quartz-Harbour-97');
    await insertAccount(identity, { organization: 'default', account, passwordHash });
    const { id: accountId = '' } = (await accounts.byEmail('default', person.email)) ?? {};
    const [first, other] = [system.issue(person), system.issue(person)];
    expect((await ask(world, visitnote, first.access.value)).status).to.equal(200);
    await identity.access.endAll(accountId);
    expect((await ask(world, visitnote, other.access.value)).status).to.equal(401);
    // A token tells whole seconds: this one was made after all others had ended, by a password that counts no more.
    await sleep(1001);
    expect((await ask(world, visitnote, system.issue(person).access.value)).status).to.equal(401);
    await deleteAccount(identity, { accountId });
    expect((await ask(world, visitnote, system.issue(person).access.value)).status).to.equal(401);
    expect(await accounts.byEmail('default', person.email)).to.equal(undefined);
  });

  it('M20 a token of a person in conflict, or deleted here, is asked about once a minute', async () => {
    const { system, server } = world;
    const { identity } = server.running;
    const { accounts } = identity.stores;
    const [conflicting, deleted] = [newPerson(system, visitnote), newPerson(system, visitnote)];
    await insertAccount(identity, { organization: 'default', account: { email: conflicting.email } });
    expect((await ask(world, visitnote, system.issue(deleted).access.value)).status).to.equal(200);
    const { id: accountId = '' } = (await accounts.byEmail('default', deleted.email)) ?? {};
    await deleteAccount(identity, { accountId });
    for (const person of [conflicting, deleted]) {
      const { access } = system.issue(person);
      system.forget();
      expect((await ask(world, visitnote, access.value)).status).to.equal(401);
      const asked = system.calls.length;
      for (let times = 0; times < 3; times += 1)
        expect((await ask(world, visitnote, access.value)).status).to.equal(401);
      expect(system.calls).to.have.length(asked);
      world.ahead += 61;
      expect((await ask(world, visitnote, access.value)).status).to.equal(401);
      expect(system.calls).to.have.length(asked * 2);
    }
  });

  it('M1 in stage primary of one endpoint the legacy system is asked, whatever the stage of the others is', async () => {
    const mixed = await start({ stage: 'proxy' });
    const { system, server } = mixed;
    const profile = { endpoint: 'GET /my-profile' };
    await changeStageRecord(server.running.stores.metadata, 'visitnote', (record) =>
      withStage(record, profile, 'primary'),
    );
    await sleep(2500);
    const { access } = system.issue(newPerson(system, visitnote));
    system.forget();
    expect((await ask(mixed, visitnote, access.value)).status).to.equal(200);
    const { grants } = server.running.oidc;
    expect(await grants.grantOf(access.value, 'visitnote-legacy')).to.have.property('grantId');
    await mixed.close();
  });

  it('M19 it is asked about again after a while: an outage changes nothing, a no ends it', async () => {
    const { system } = world;
    const issued = system.issue(newPerson(system, visitnote));
    const status = async () => (await ask(world, visitnote, issued.access.value)).status;
    expect(await status()).to.equal(200);
    system.world.revoke(issued.access.value);
    expect(await status()).to.equal(200);
    world.ahead += 901;
    system.suffer({ kind: 'status', status: 500 });
    expect(await status()).to.equal(200);
    system.suffer(undefined);
    world.ahead += 901;
    expect(await status()).to.equal(401);
    system.forget();
    expect(await status()).to.equal(401);
    expect(system.calls).to.deep.equal([]);
  });

  it('M18 it ends when its maker said, and at the latest when the operator says', async () => {
    const bounded = await start({ tokens: { maximum: '2h' } });
    const { access } = bounded.system.issue(newPerson(bounded.system, visitnote));
    expect((await ask(bounded, visitnote, access.value)).status).to.equal(200);
    const { grants } = bounded.server.running.oidc;
    const live = await grants.findAccess(access.value, 'visitnote-legacy');
    expect(Number(live?.expiresAt) - Date.now() / 1000).to.be.within(7100, 7201);
    await bounded.close();
  });

  it('M20 an outage is 503 with Retry-After and never 401, and charges no client address', async () => {
    const { system } = world;
    const from = '203.0.113.9';
    for (const fault of [{ kind: 'reset' }, { kind: 'garbage' }, { kind: 'status', status: 500 }] as const) {
      system.suffer(fault);
      const { access } = system.issue(newPerson(system, visitnote));
      const away = await ask(world, visitnote, access.value, from);
      expect(away.status, fault.kind).to.equal(503);
      expect(Number(away.headers['retry-after'])).to.be.at.least(1);
      system.suffer(undefined);
      expect((await ask(world, visitnote, access.value, from)).status).to.equal(200);
    }
  });

  it('M20 refused tokens of one client address cost the legacy system 20 calls, and one token one', async () => {
    const { system } = world;
    const from = '203.0.113.77';
    system.forget();
    const known = system.issue(newPerson(system, visitnote)).access.value;
    const likeIt = (at: number) => known.slice(0, -6) + String(100_000 + at);
    for (let at = 0; at < 30; at += 1) {
      expect((await ask(world, visitnote, likeIt(at), from)).status).to.equal(401);
      expect((await ask(world, visitnote, likeIt(at), from)).status).to.equal(401);
      expect(system.calls).to.have.length(Math.min(at + 1, 20));
    }
    expect(system.calls).to.have.length(20);
    expect((await ask(world, visitnote, known)).status).to.equal(200);
  });
});

describe('M21 JWTs of a legacy system whose secret is known', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (claims: object, { alg = 'HS256', secret = SECRET } = {}) => {
    const text = `${part({ alg, typ: 'JWT' })}.${part(claims)}`;
    const signature = alg === 'none' ? '' : createHmac('sha256', secret).update(text).digest('base64url');
    return `${text}.${signature}`;
  };
  const now = () => Math.floor(Date.now() / 1000);
  const good = () => ({ sub: 'old-17', iat: now() - 60, exp: now() + 3600 });

  it('cost no call when they are forged, over, of the future or unsigned; ask: never lets the signature decide', async () => {
    const tokens = { secret: SECRET, algorithms: ['HS256'], ask: 'never' };
    const world = await start({ tokens });
    const { identity } = world.server.running;
    const { accounts } = identity.stores;
    const mara = await accounts.byEmail('default', 'mara@clinic.test');
    if (mara === undefined) throw new Error('no account');
    await accounts.update({ ...mara, aliases: { ...mara.aliases, medisync: 'old-17' } });
    const { exp: _, ...endless } = good();
    const hostile = [
      signed(good(), { secret: `${SECRET}!` }),
      signed(good(), { alg: 'none' }),
      signed(good(), { alg: 'HS512' }),
      signed(endless),
      signed({ ...good(), exp: now() - 60 }),
      signed({ ...good(), iat: now() + 600 }),
      signed({ ...good(), sub: 'nobody' }),
    ];
    for (const token of hostile) expect((await ask(world, medisync, token)).status, token).to.equal(401);
    const reply = await ask(world, medisync, signed(good()));
    expect(reply.status, reply.text).to.equal(200);
    expect(world.system.calls).to.deep.equal([]);
    await world.close();
  });
});

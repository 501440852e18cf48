/**
 * Anonymous clients that fill Redis. Before they were counted, 5,000 requests took 102 MB, and every sign-in was 503 while
 * /readyz said 200.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { webApp } from '../support/clients.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { passwordOf } from '../support/scenario-format.ts';
import { PEOPLE, startTestServer, type TestServer } from '../support/server.ts';
import {
  canStartServers,
  type TestServer as Started,
  sharedServers,
  startRedis,
} from '../support/servers.ts';
import { openWebSession } from '../support/web-session.ts';

const PASSWORD = passwordOf('mara@clinic.test', PEOPLE);

describe('a Redis of 64 MB that strangers fill', function () {
  this.timeout(120_000);
  let redis: Started;
  let direct: Redis;
  let server: TestServer;
  let client: HttpClient;

  before(async function () {
    this.timeout(300_000);
    const shared = canStartServers() ? await sharedServers() : undefined;
    if (shared === undefined) return this.skip();
    redis = await startRedis({ own: true, values: ['--maxmemory', '64mb'] });
    direct = new Redis(redis.url);
    server = await startTestServer({
      config: {
        store: {
          kind: 'distributed',
          mongo: { url: shared.mongo.url, database: `portico-${randomUUID()}` },
          redis: { url: redis.url },
        },
        log: { level: 'silent' },
      },
    });
    client = openClient(server.url);
  });
  after(async () => {
    await server?.close();
    await direct?.quit();
    await redis?.stop();
  });
  beforeEach(async () => {
    await direct.flushall();
    // What people keep: the strangers are at the rest of it.
    await direct.setrange('ballast', 40 * 1024 * 1024, 'x');
  });

  /** The longest that is taken. */
  function requestOf(): string {
    const text = (bytes: number) => randomBytes(bytes).toString('base64url').slice(0, bytes);
    return new URLSearchParams({
      client_id: webApp.clientId,
      redirect_uri: webApp.redirectUri,
      response_type: 'code',
      scope: 'openid',
      state: text(2048),
      nonce: text(512),
      acr_values: text(5200),
    }).toString();
  }

  /** How many of so many were let in. `addressOf`: by the number of the request. */
  async function ask(requests: number, addressOf: (at: number) => string): Promise<number> {
    let next = 0;
    let kept = 0;
    const one = async () => {
      while (next < requests) {
        const headers = { 'x-forwarded-for': addressOf(next++), accept: 'text/html' };
        const { status } = await client.send({ method: 'GET', path: `/authorize?${requestOf()}`, headers });
        expect(status).to.be.oneOf([303, 429]);
        if (status === 303) kept += 1;
      }
    };
    await Promise.all(Array.from({ length: 24 }, one));
    return kept;
  }

  async function shareInUse(): Promise<number> {
    const told = (name: string, info: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
    const info = await direct.info('memory');
    return told('used_memory', info) / told('maxmemory', info);
  }

  async function expectSignInsFrom(address: string): Promise<void> {
    const headers = { 'x-forwarded-for': address };
    const party = await relyingParty(server.issuer);
    const { tokens } = await signIn(party, {
      session: openWebSession({ headers }),
      login: 'mara@clinic.test',
      password: PASSWORD,
    });
    expect(tokens.access_token).to.be.a('string');
    const dialect = await client.send({
      method: 'POST',
      path: '/api/therapist/v1/sign-in',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'mara@clinic.test', password: PASSWORD }),
    });
    expect(dialect.status).to.equal(200);
    expect((await client.send({ method: 'GET', path: '/readyz' })).status).to.equal(200);
  }

  it('B4 from one address, or from five hundred, leaves room for the sign-ins of everybody else', async () => {
    const fromOne = await ask(500, () => '198.51.100.1');
    expect(fromOne).to.be.within(20, 400);
    await expectSignInsFrom('192.0.2.77');
    const fromMany = await ask(1500, (at) => `10.0.${at % 2}.${(at >> 1) % 250}`);
    expect(fromMany).to.be.within(300, 1300);
    expect(await shareInUse()).to.be.below(0.97);
    await expectSignInsFrom('192.0.2.78');
  });
});

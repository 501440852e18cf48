/**
 * Introspection and UserInfo whose answers are kept: what the store says now is what they say, as on the long way, and
 * while it says the same it is not asked again.
 */
import { connect } from 'node:net';
import { expect } from 'chai';
import { countStoreCalls } from '../../bench/crossings.ts';
import { randomToken, secretsFrom } from '../../src/core/crypto.ts';
import { createLog } from '../../src/observe/log.ts';
import { createOidcRecords } from '../../src/oidc/persistence/records.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { basicAuth, ownApp, service, type TestClient, webApp } from '../support/clients.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const CALLBACK = 'https://app.example/callback';

interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

describe('introspection and UserInfo, kept', function () {
  this.timeout(60_000);
  let server: TestServer;
  let now = new Date();
  let calls: string[];
  let other: Stores;
  before(async () => {
    server = await startTestServer({
      clock: { now: () => now },
      config: { oidc: { registration: { mode: 'open', organization: 'default' } } },
    });
    calls = countStoreCalls(server.running.stores);
    other = await openStores(server.config.store, { log: createLog({ level: 'silent' }) });
  });
  after(async () => {
    await other.close();
    await server.close();
  });

  async function send({ path, headers, body }: Request) {
    const init = body === undefined ? {} : { method: 'POST', body };
    const reply = await fetch(server.url + path, { headers, ...init });
    const id = reply.headers.get('x-request-id') ?? '';
    const said = [...reply.headers].filter(([name]) => !/^(date|x-request-id)$/.test(name));
    return { status: reply.status, said, body: (await reply.text()).replaceAll(id, '-') };
  }

  /** As the provider answers it. */
  const sendLong = (request: Request) =>
    send({ ...request, headers: { ...request.headers, 'content-encoding': 'identity' } });

  const introspection = (token: string, client: TestClient, headers = {}): Request => ({
    path: '/introspect',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basicAuth(client),
      ...headers,
    },
    body: `token=${token}`,
  });
  const userinfo = (token: string): Request => ({
    path: '/userinfo',
    headers: { authorization: `Bearer ${token}` },
  });

  /** What is asked about a new token. */
  async function freshRequests(client: TestClient, scope = 'openid profile email') {
    const party = await relyingParty(server.issuer, client);
    const { tokens } = await signIn(party, { ...MARA, parameters: { scope } });
    return {
      token: tokens.access_token,
      asked: [introspection(tokens.access_token, client), userinfo(tokens.access_token)],
    };
  }

  const asked = () => calls.filter((call) => /^(oidcRecords|accounts|clients)\./.test(call)).length;

  /** Twice: the second time nothing is read. */
  async function expectKept(requests: readonly Request[]) {
    for (const request of requests) {
      const first = await send(request);
      calls.length = 0;
      expect(await send(request)).to.deep.equal(first);
      expect(asked()).to.equal(0);
      expect(first.status).to.equal(200);
    }
  }

  async function expectSame(requests: readonly Request[]) {
    const replies = [];
    for (const request of requests) {
      const reply = await send(request);
      expect(reply, JSON.stringify(request)).to.deep.equal(await sendLong(request));
      replies.push(reply);
    }
    return replies.map(({ status, body }) => `${status} ${body}`).join(' ');
  }

  it('FP20 are answered without a read while nothing changes, and never by what was changed or taken back', async () => {
    const { accounts } = server.running.stores;
    const { token, asked: requests } = await freshRequests(ownApp);
    const { sub } = JSON.parse((await send(userinfo(token))).body);
    const change = async (changes: object, by = accounts) => {
      const account = await by.byId(sub);
      if (account) await by.update({ ...account, ...changes });
    };
    const refused = /"active":false.*401.*invalid_token/s;
    for (const [make, expected] of [
      [() => change({ claims: { name: 'Mara Kept' } }), /"active":true.*Mara Kept/s],
      [
        () => change({ claims: { name: 'Mara Elsewhere' } }, other.accounts),
        /"active":true.*Mara Elsewhere/s,
      ],
      [() => change({ status: 'blocked' }), refused],
      [() => change({ status: 'active' }), /Mara Elsewhere/],
      [() => change({ status: 'blocked' }, other.accounts), refused],
      [() => change({ status: 'active' }, other.accounts), /Mara Elsewhere/],
    ] as const) {
      await make();
      expect(await expectSame(requests)).to.match(expected);
      if (expected !== refused) await expectKept(requests);
    }
    await send({ ...introspection(token, ownApp), path: '/revoke' });
    expect(await expectSame(requests)).to.match(refused);
  });

  it('FP21 are made anew for another client, secret, form of the answer or token, and each second', async () => {
    const { token, asked: requests } = await freshRequests(ownApp);
    const { token: next } = await freshRequests(ownApp, 'openid');
    await expectKept(requests);
    const others = [
      introspection(token, webApp),
      introspection(token, service),
      introspection(token, { ...ownApp, secret: 'wrong' }),
      introspection(token, ownApp, { accept: 'text/html' }),
      introspection(next, ownApp),
      userinfo(next),
      userinfo(`${token}x`),
      { ...userinfo(token), headers: { authorization: basicAuth(ownApp) } },
    ];
    await expectSame(others);
    const signed = await send(
      introspection(token, ownApp, { accept: 'application/token-introspection+jwt' }),
    );
    expect(signed.body).to.match(/^ey/);
    now = new Date(Math.ceil((now.getTime() + 1) / 1000) * 1000);
    for (const request of requests) {
      calls.length = 0;
      await send(request);
      expect(asked()).to.equal(3);
    }
  });

  it('FP22 are made anew once a client has changed its registration', async () => {
    const metadata = { redirect_uris: [CALLBACK], client_name: 'Reading list' };
    const made = await register(metadata);
    const client = { clientId: made.client_id, secret: String(made.client_secret), redirectUri: CALLBACK };
    const { asked: requests } = await freshRequests({ ...webApp, ...client });
    await expectKept(requests);
    await change(made, { ...metadata, userinfo_signed_response_alg: 'ES256' });
    const [, claims] = await Promise.all(requests.map(send));
    expect(claims?.body).to.match(/^ey/);
  });

  it('FP23 reads a body that comes in pieces, and bodies of requests that come together', async () => {
    const { token } = await freshRequests(ownApp);
    const { headers, body = '' } = introspection(token, ownApp);
    const head = [
      'POST /introspect HTTP/1.1',
      `host: ${new URL(server.url).host}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      `content-length: ${body.length}`,
    ].join('\r\n');
    const whole = `${head}\r\n\r\n${body}`;
    const half = whole.length - 20;
    for (const [pieces, replies] of [
      [[whole.slice(0, half), whole.slice(half)], 1],
      [[`${head}\r\n\r\n`, body.slice(0, 9), body.slice(9)], 1],
      [[whole + whole + whole], 3],
    ] as const) {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
        .setEncoding('latin1')
        .setNoDelay();
      let seen = '';
      for (const piece of pieces) {
        await new Promise((resolve) => socket.write(piece, resolve));
        // The server has read it.
        await send(userinfo(token));
      }
      for await (const text of socket) {
        seen += String(text);
        if (seen.split('"active":true').length > replies) break;
      }
      expect(seen.split('HTTP/1.1 200 OK')).to.have.length(replies + 1);
    }
  });

  it('FP24 end with the second in which the old secret of a client ends', async () => {
    const { clients } = server.running.stores;
    const old = { ...webApp, clientId: 'rotated', secret: 'a secret until its end' };
    const until = new Date(Math.ceil(now.getTime() / 1000) * 1000 + 2500).toISOString();
    const hash = secretsFrom(Buffer.from(TEST_KEY, 'base64')).hmac('client-secret', old.secret);
    const known = await clients.byId(webApp.clientId);
    if (known) await clients.put({ ...known, clientId: old.clientId, oldSecret: { hash, until } });
    const { token } = await freshRequests({ ...webApp, clientId: old.clientId });
    const requests = [introspection(token, old)];
    await expectKept(requests);
    for (const [milliseconds, expected] of [
      [-1400, /^200 .*"active":true/],
      [-100, /^401 .*invalid_client/],
      [100, /^401 .*invalid_client/],
    ] as const) {
      now = new Date(Date.parse(until) + milliseconds);
      expect(await expectSame(requests)).to.match(expected);
    }
  });

  it('FP25 a token of a client for itself is active until its end, and says whose key it is', async () => {
    const { oidcRecords: store } = server.running.stores;
    const secrets = secretsFrom(Buffer.from(TEST_KEY, 'base64'));
    const records = createOidcRecords({ store, secrets, clock: { now: () => now } });
    const seconds = Math.floor(Date.now() / 1000);
    const made = {
      clientId: service.clientId,
      kind: 'ClientCredentials',
      tokenType: 'Bearer',
      iat: seconds - 60,
    };
    const seen: string[] = [];
    for (const [exp, more] of [
      [seconds + 600, {}],
      [seconds - 1, {}],
      [seconds + 600, { jkt: 'k'.repeat(43), tokenType: 'DPoP' }],
      [seconds + 600, { clientId: ownApp.clientId }],
    ] as const) {
      const jti = randomToken();
      await records.save('ClientCredentials', jti, { ...made, ...more, exp, jti }, 600);
      seen.push(await expectSame([introspection(jti, service)]));
    }
    expect(seen.map((text) => /"active":(\w+)/.exec(text)?.[1])).to.deep.equal([
      'true',
      'false',
      'true',
      'false',
    ]);
    expect(seen[2]).to.contain('"cnf":{"jkt"');
  });

  type Registered = Record<
    'client_id' | 'client_secret' | 'registration_client_uri' | 'registration_access_token',
    string
  >;

  async function register(metadata: object): Promise<Registered> {
    const reply = await fetch(`${server.issuer}/register`, {
      ...{ method: 'POST', body: JSON.stringify(metadata) },
      headers: { 'content-type': 'application/json' },
    });
    expect(reply.status).to.equal(201);
    return (await reply.json()) as Registered;
  }

  async function change(made: Registered, metadata: object) {
    const { client_id, client_secret } = made;
    const reply = await fetch(made.registration_client_uri, {
      ...{ method: 'PUT', body: JSON.stringify({ client_id, client_secret, ...metadata }) },
      headers: {
        authorization: `Bearer ${made.registration_access_token}`,
        'content-type': 'application/json',
      },
    });
    expect(reply.status, await reply.clone().text()).to.equal(200);
  }
});

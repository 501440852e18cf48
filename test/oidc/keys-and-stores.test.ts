import { readFile } from 'node:fs/promises';
import { mock } from 'node:test';
import { expect } from 'chai';
import { createRemoteJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify } from 'jose';
import { StoreUnavailable } from '../../src/core/errors.ts';
import { PrivateKey } from '../../src/oidc/persistence/private-key.ts';
import { createOutboundFetch, isPublicAddress } from '../../src/oidc/server/outbound-fetch.ts';
import { eventually } from '../support/in-time.ts';
import {
  authorizePath,
  Browser,
  basic,
  codeFor,
  getJson,
  openWorld,
  post,
  redeem,
  refresh,
  type Tokens,
  tokensFor,
  WEB,
  type World,
} from './support.ts';

describe('signing keys', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const published = async (from = world) => ((await getJson(from, '/jwks')) as unknown as JSONWebKeySet).keys;

  it('T6 the JWKS holds public halves only: ES256, and RS256 of 3072 bits, each kid once', async () => {
    const keys = await published();
    expect(keys.map(({ alg }) => alg)).to.deep.equal(['ES256', 'RS256']);
    expect(new Set(keys.map(({ kid }) => kid)).size).to.equal(keys.length);
    for (const key of keys) {
      expect(key).to.not.have.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k');
      expect(key.use).to.equal('sig');
    }
    expect(Buffer.from(String(keys[1]?.n), 'base64url')).to.have.length(384);
  });

  it('T6 every ES256 signature has 64 bytes and verifies, those with small numbers too', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const key = new PrivateKey({ kid: 'a', alg: 'ES256', state: 'current', jwk, since: 0 });
    let small = 0;
    for (let i = 0; i < 1500; i += 1) {
      const token = await key.jwt('JWT', { i });
      const { payload, protectedHeader } = await jwtVerify(token, publicKey);
      expect(payload).to.deep.equal({ i });
      expect(protectedHeader).to.deep.equal({ alg: 'ES256', typ: 'JWT', kid: 'a' });
      const signature = Buffer.from(String(token.split('.')[2]), 'base64url');
      if (signature[0] === 0 || signature[32] === 0) small += 1;
    }
    expect(small).to.be.above(0);
  });

  it('T6 a rotation under load fails no verification, and needs no restart', async () => {
    const remote = () => createRemoteJWKSet(new URL(`${world.url}/jwks`), { cooldownDuration: 0 });
    const relyingParty = remote();
    const other = await openWorld({ beside: world });
    const before = await tokensFor(world);
    const kids = new Set<string>();
    let running = true;
    const load = Array.from({ length: 4 }, async (_, i) => {
      let failures = 0;
      let current = await tokensFor(world);
      while (running) {
        current = (await refresh(i % 2 ? world : other, current.refresh_token)).body as unknown as Tokens;
        await jwtVerify(current.id_token, relyingParty, { issuer: world.issuer }).then(
          ({ protectedHeader }) => kids.add(String(protectedHeader.kid)),
          () => {
            failures += 1;
          },
        );
      }
      return failures;
    });
    for (let i = 0; i < 2; i += 1) {
      await world.oidc.rotateKeys({ force: true });
      await eventually(() => expect(kids.size).to.be.above(i));
    }
    await other.oidc.rotateKeys();
    running = false;
    expect(await Promise.all(load)).to.deep.equal([0, 0, 0, 0]);
    expect(kids.size).to.be.at.least(2);
    await jwtVerify(before.id_token, remote(), { issuer: world.issuer });
    expect(await published(other)).to.deep.equal(await published());
    await other.close();
  });

  it('T6 a key is published before it signs and after, and is gone when its last token must be', async () => {
    const day = 86_400_000;
    const start = Date.now();
    const at = async (days: number) => {
      mock.timers.reset();
      mock.timers.enable({ apis: ['Date'], now: start + days * day });
      await world.oidc.rotateKeys();
      return (await published()).filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
    };
    const [current] = await at(0);
    const [, next] = await at(89.5);
    expect(next, 'the next key').to.be.a('string').and.not.equal(current);
    expect((await at(90.6))[0]).to.equal(next);
    expect(await at(100)).to.include(current);
    expect(await at(123)).to.not.include(current);
    // No node rotated when it was due: the new key waits all the same until every client can know it.
    const [still, late] = await at(300);
    expect(still).to.equal(next);
    expect(late, 'the late key').to.be.a('string');
    expect((await at(301.1))[0]).to.equal(late);
  });
});

describe('what the store holds', () => {
  it('X1 no usable secret is in the database file', async () => {
    const world = await openWorld();
    const browser = new Browser(world, 'nora');
    const code = await codeFor(browser);
    const tokens = (await redeem(world, code)).body as unknown as Tokens;
    const rotated = (await refresh(world, tokens.refresh_token)).body as unknown as Tokens;
    const pushed = await post(world, '/par', authorizePath().split('?')[1] ?? '', WEB);
    const machine = await post(
      world,
      '/token',
      { grant_type: 'client_credentials' },
      basic('machine', 'machine-secret'),
    );
    const legacy = await world.oidc.grants.issue({
      ...{
        clientId: 'visits-legacy',
        accountId: 'nora',
        organization: 'north',
        scope: 'visits',
        amr: ['pwd'],
      },
      access: { value: '0123456789abcdef0123456789abcdef', lifetime: 86_400, audience: 'a', claims: {} },
      refresh: { value: 'fedcba9876543210fedcba9876543210', lifetime: 86_400 },
    });
    const started = await new Browser(world).send(authorizePath());
    const cookies = await browser.jar.getCookies(world.issuer);
    const secrets = [
      code,
      ...[tokens, rotated].flatMap((one) => [
        one.access_token,
        one.refresh_token,
        one.id_token.split('.')[2],
      ]),
      String(machine.body.access_token),
      String(pushed.body.request_uri).split(':').at(-1),
      ...[legacy.access.value, legacy.refresh?.value, legacy.grantId],
      ...cookies.map(({ value }) => value),
      started.headers.get('location')?.split('/').at(-1),
      ...['web-secret', 'third-secret', 'machine-secret', '"d":', 'PRIVATE KEY'],
    ];
    expect(secrets.every((secret) => secret !== undefined && secret.length >= 4)).to.equal(true);
    const dump = Buffer.concat(
      await Promise.all(
        ['', '-wal'].map((suffix) => readFile(world.file + suffix).catch(() => Buffer.alloc(0))),
      ),
    );
    expect(dump.byteLength).to.be.greaterThan(10_000);
    expect(dump.includes('visits-legacy')).to.equal(true);
    for (const secret of secrets) expect(dump.includes(String(secret)), String(secret)).to.equal(false);
    await world.close();
  });
});

describe('a store that is down', () => {
  it('A5 is 503 with Retry-After for tokens, and nothing for discovery and JWKS', async () => {
    const world = await openWorld();
    const { refresh_token: token } = await tokensFor(world);
    const down = () => Promise.reject(new StoreUnavailable('embedded'));
    for (const name of ['byId', 'put', 'byUid', 'consume'] as const)
      Object.assign(world.stores.oidcRecords, { [name]: down });
    Object.assign(world.stores.keyring, { read: down });
    const refused = await refresh(world, token);
    expect(refused.status).to.equal(503);
    expect(refused.headers.get('retry-after')).to.equal('5');
    expect(refused.body.error).to.equal('temporarily_unavailable');
    const page = await new Browser(world, 'nora').open(authorizePath());
    expect(page.status).to.equal(503);
    expect(page.text).to.include('temporarily_unavailable');
    expect((await fetch(`${world.url}/.well-known/openid-configuration`)).status).to.equal(200);
    expect((await fetch(`${world.url}/jwks`)).status).to.equal(200);
    await world.close();
  });
});

describe('outbound requests', () => {
  it('P13 private, loopback and special addresses are told from public ones', () => {
    for (const address of [
      ...['127.0.0.1', '127.8.8.8', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '0.0.0.0'],
      ...[
        '100.64.0.1',
        '224.0.0.1',
        '255.255.255.255',
        '::1',
        '::',
        'fe80::1',
        'fd00::1',
        '::ffff:127.0.0.1',
      ],
      ...['::ffff:7f00:1', '64:ff9b::7f00:1', '2002:7f00:1::', 'not an address'],
    ]) {
      expect(isPublicAddress(address), address).to.equal(false);
    }
    for (const address of ['1.1.1.1', '93.184.216.34', '2606:4700::1111', '::ffff:1.1.1.1']) {
      expect(isPublicAddress(address), address).to.equal(true);
    }
  });

  it('P13 a client’s jwks_uri cannot reach this machine or its network', async () => {
    const { createServer } = await import('node:http');
    let visits = 0;
    const inside = createServer((_request, response) => {
      visits += 1;
      response.end('{"keys":[]}');
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const { port } = inside.address() as { port: number };
    const guarded = createOutboundFetch({ allowPrivate: false });
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      '2130706433',
      '0x7f.1',
    ]) {
      for (const scheme of ['http', 'https']) {
        const refused = await guarded(`${scheme}://${host}:${port}/jwks`).catch((error: Error) => error.name);
        expect(refused, `${scheme}://${host}`).to.equal('OutboundRefused');
      }
    }
    const world = await openWorld();
    await world.putClient({
      clientId: 'inside',
      metadata: {
        ...{ grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
        ...{ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `http://localhost:${port}/jwks` },
      },
    });
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: 'inside',
      sub: 'inside',
      aud: world.issuer,
      jti: 'x',
      exp: Math.floor(Date.now() / 1000) + 60,
    };
    const reply = await post(world, '/token', {
      grant_type: 'client_credentials',
      client_assertion: `${part({ alg: 'ES256' })}.${part(claims)}.${'A'.repeat(86)}`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    });
    expect(reply.status).to.be.oneOf([400, 401]);
    expect(visits).to.equal(0);
    inside.close();
    await world.close();
  });

  it('P13 a reply that does not come, or does not end, is given up in five seconds', async () => {
    const { createServer } = await import('node:http');
    const hanging = createServer((request, response) => {
      if (request.url === '/slow') response.writeHead(200).write('{');
    });
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as { port: number };
    const asked: number[] = [];
    const stop = new AbortController();
    // The seconds are asked for here, and not waited for.
    const timeout = mock.method(AbortSignal, 'timeout', (milliseconds: number) => {
      asked.push(milliseconds);
      return stop.signal;
    });
    const open = createOutboundFetch({ allowPrivate: true });
    const both = ['/hangs', '/slow'].map((path) =>
      open(`http://127.0.0.1:${port}${path}`).catch((error: Error) => error.name),
    );
    timeout.mock.restore();
    expect(asked).to.deep.equal([5000, 5000]);
    stop.abort(new DOMException('late', 'TimeoutError'));
    for (const outcome of await Promise.all(both)) expect(outcome).to.be.oneOf(['AbortError', 'Error']);
    hanging.closeAllConnections();
    hanging.close();
  });

  it('P13 replies are capped in size, and redirects are not followed', async () => {
    const { createServer } = await import('node:http');
    const paths: string[] = [];
    /** Bytes that left before the connection was given up, with what lay in the buffers between. */
    const sent: number[] = [];
    const upstream = createServer((request, response) => {
      paths.push(String(request.url));
      if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' }).end();
      else {
        response.on('close', () => sent.push(request.socket.bytesWritten));
        const chunk = Buffer.alloc(64 * 1024);
        const feed = () => {
          while (response.write(chunk));
        };
        response.on('drain', feed);
        feed();
      }
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(upstream.address() as { port: number }).port}`;
    const open = createOutboundFetch({ allowPrivate: true });
    expect((await open(`${url}/moved`)).status).to.equal(302);
    expect(await open(`${url}/endless`).catch((error: Error) => error.name)).to.equal('OutboundRefused');
    while (sent.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sent[0]).to.be.lessThan(32 * 1024 * 1024);
    const aborted = await open(`${url}/endless`, { signal: AbortSignal.abort() }).catch(
      (error: Error) => error.name,
    );
    expect(aborted).to.equal('AbortError');
    expect(paths).to.not.include('/elsewhere');
    upstream.closeAllConnections();
    upstream.close();
  });
});

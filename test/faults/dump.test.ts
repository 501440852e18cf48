import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import {
  avycennaChannel,
  doctor,
  freshAddress,
  mara,
  oidcAgain,
  oidcSignIn,
  pat,
  send,
  vseeChannel,
} from '../nodes/calls.ts';
import { basicAuth, ownApp, recordsApi, strangerApi, webApp } from '../support/clients.ts';
import { type Nodes, sharedNodes } from '../support/nodes.ts';

describe('a dump of both stores after a run', function () {
  this.timeout(120_000);
  let nodes: Nodes;
  /** What a thief could use, by what it is. */
  const secrets = new Map<string, string>();
  let dump = '';

  const keep = (what: string, secret: string | undefined): string => {
    if (!secret) throw new Error(`The run gave no ${what}.`);
    secrets.set(what, secret);
    return secret;
  };

  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
    await run();
    dump = `${await dumpOfMongo(nodes)}\n${await dumpOfRedis(nodes)}`;
  });

  async function run(): Promise<void> {
    for (const client of [ownApp, webApp, recordsApi, strangerApi])
      keep(`secret of ${client.clientId}`, client.secret);
    for (const { login, password } of [mara, doctor, pat]) keep(`password of ${login}`, password);
    keep('the server key', nodes.key);
    keep('the server key in hex', Buffer.from(nodes.key, 'base64').toString('hex'));
    await useOidc();
    await useDialects();
    await useEmails();
  }

  async function useOidc(): Promise<void> {
    const line = await oidcSignIn(nodes.issuer);
    keep('OIDC access token', line.access);
    keep('OIDC refresh token', line.refresh);
    keep('ID token', line.idToken);
    const { cookies = [] } = (await line.session.jar.serialize()) ?? {};
    for (const { key, value } of cookies) {
      if (typeof value === 'string' && value.length > 8) keep(`cookie ${key}`, value);
    }
    // A code that nobody redeemed, and an interaction that nobody finished.
    const unused = await line.party.begin();
    const callback = new URL(String(await line.session.open(unused.url, [ownApp.redirectUri])));
    keep('unused code', callback.searchParams.get('code') ?? undefined);
    keep('used pair', (await oidcAgain(line)).refresh);
    const refreshed = await send(`${nodes.url}/token`, {
      headers: { authorization: basicAuth(ownApp) },
      form: { grant_type: 'refresh_token', refresh_token: line.refresh },
    });
    const { access_token: access, refresh_token: refresh } = refreshed.json() as Record<string, string>;
    keep('access token after refresh', access);
    keep('successor', refresh);
    const { searchParams } = new URL((await line.party.begin()).url);
    const pushed = await send(`${nodes.url}/par`, {
      headers: { authorization: basicAuth(ownApp) },
      form: Object.fromEntries(searchParams),
    });
    const { request_uri: uri } = pushed.json() as { request_uri: string };
    keep('pushed request', uri.split(':').at(-1));
  }

  async function useDialects(): Promise<void> {
    const vsee = await vseeChannel.signIn(nodes.url);
    keep('VSee token', vsee.access);
    keep('VSee refresh token', vsee.refresh);
    keep('VSee successor', vseeChannel.pair(await vseeChannel.refresh(nodes.url, vsee.refresh)).refresh);
    const key = keep('VSee API key', '6f1d2c3b4a5968778695a4b3c2d1e0f1');
    keep('VSee API secret', '0f1e2d3c4b5a69788796a5b4c3d2e1f0');
    const sso = await send(`${nodes.url}/api_v3/users/sso.json`, {
      headers: { 'x-accountcode': 'clinicdev', 'x-apikey': key },
      form: { first_name: 'Kim', last_name: 'Ray', type: '200', code: 'dump-person-1' },
    });
    keep('sso_token', (sso.json() as { data: { token: { token: string } } }).data.token.token);
    const avycenna = await avycennaChannel.signIn(nodes.url);
    keep('AVYCENNA token', avycenna.access);
    keep('AVYCENNA refresh token', avycenna.refresh);
    const created = await send(`${nodes.url}/api/v1/api-keys`, {
      headers: { authorization: `Bearer ${avycenna.access}` },
      json: { name: 'Dump', scopes: ['read:users'] },
    });
    keep('AVYCENNA API key', (created.json() as { key?: string }).key);
  }

  async function useEmails(): Promise<void> {
    const email = 'dumped@x.test';
    const password = keep('password of a new account', 'Thistle-Quarry-Beacon-52');
    const headers = freshAddress();
    await send(`${nodes.url}/api/v1/auth/register`, {
      headers,
      json: { name: 'Dr. Dump', email, password },
    });
    await send(`${nodes.url}/api/v1/auth/otp/send`, { headers, json: { email } });
    keep('mailed code', /\b(\d{6})\b/.exec((await nodes.mail.take(email)).text)?.[1]);
    const patient = { organization: 'north_clinic', ...headers };
    await send(`${nodes.url}/patient/auth/forgot`, { headers: patient, json: { email: 'lea@x.test' } });
    const reset = await nodes.mail.take('lea@x.test');
    keep('reset ticket', /token=(rst_[A-Za-z0-9_-]{43})/.exec(reset.text)?.[1]);
  }

  it('X1 holds the accounts and records of the run, so that this search means something', () => {
    expect(dump).to.contain('dumped@x.test').and.contain('lea@x.test');
    expect(dump.match(/RefreshToken/g)?.length ?? 0).to.be.greaterThan(3);
    expect(dump.match(/AuthorizationCode/g)?.length ?? 0).to.be.greaterThan(0);
    expect(secrets.size).to.be.greaterThan(25);
  });

  it('X1 holds none of the secrets of the run, plain or encoded', () => {
    for (const [what, secret] of secrets) {
      for (const [how, form] of encodingsOf(secret))
        expect(isIn(dump, form), `${what}, ${how}`).to.equal(false);
    }
  });

  it('X1 O7 holds no plain hash of what could be guessed from one: codes, passwords, the server key', () => {
    for (const [what, secret] of secrets) {
      if (!/code$|^password|server key/.test(what)) continue;
      for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
        for (const encoding of ['hex', 'base64', 'base64url'] as const) {
          const hash = createHash(algorithm).update(secret).digest(encoding).replace(/=+$/, '');
          expect(dump.includes(hash), `${algorithm} of ${what}`).to.equal(false);
        }
      }
    }
  });

  it('X1 holds no private key', () => {
    expect(dump).to.not.match(/"d"\s*:\s*"[\w-]{40,}"/);
    expect(dump).to.not.contain('PRIVATE KEY');
  });
});

function encodingsOf(secret: string): [how: string, form: string][] {
  const bytes = Buffer.from(secret);
  const forms: [string, string][] = [['plain', secret]];
  if (secret.length < 8) return forms;
  return [
    ...forms,
    ['reversed', [...secret].reverse().join('')],
    ['hex', bytes.toString('hex')],
    ['base64', bytes.toString('base64').replace(/=+$/, '')],
    ['base64url', bytes.toString('base64url')],
    // The signature alone is what makes a JWT usable.
    ...(secret.startsWith('eyJ') ? [['signature', secret.split('.')[2] ?? secret] as [string, string]] : []),
  ];
}

/** Six digits stand in many a number; as a value of their own they would be the code. */
function isIn(dump: string, form: string): boolean {
  return /^\d{1,8}$/.test(form)
    ? new RegExp(`(?<![\\w.-])${form}(?![\\w.-])`).test(dump)
    : dump.includes(form);
}

async function dumpOfMongo({ stores }: Nodes): Promise<string> {
  const client = new MongoClient(stores.mongo);
  const db = client.db(stores.database);
  const texts: string[] = [];
  for (const { name } of await db.listCollections().toArray()) {
    for (const document of await db.collection(name).find().toArray())
      texts.push(`${name} ${JSON.stringify(document)}`);
  }
  await client.close();
  return texts.join('\n');
}

async function dumpOfRedis({ stores }: Nodes): Promise<string> {
  const redis = new Redis(stores.redis);
  const texts: string[] = [];
  for await (const keys of redis.scanStream({ count: 500 }) as AsyncIterable<string[]>) {
    for (const key of keys) texts.push(`${key} ${JSON.stringify(await readKey(redis, key))}`);
  }
  await redis.quit();
  return texts.join('\n');
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'hash':
      return redis.hgetall(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'set':
      return redis.smembers(key);
    case 'list':
      return redis.lrange(key, '0', '-1');
    default:
      return redis.get(key);
  }
}

/**
 * Stores that the version before the rooms wrote, with the old names of tables, collections and columns: what
 * people and clients held then still works. `before/` has a dump of each back end, made by that version under the
 * key of the test servers at the beginning of 2040, and what a browser and two clients held at that moment.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { compactVerify, createLocalJWKSet } from 'jose';
import { BSON, MongoClient } from 'mongodb';
import { webApp } from '../support/clients.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { sharedServers } from '../support/servers.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

interface Held {
  readonly issuer: string;
  readonly at: string;
  readonly cookies: string;
  readonly refreshToken: string;
  readonly accessToken: string;
  readonly idToken: string;
  readonly resetToken: string;
  readonly vendorToken: string;
}

interface Dump {
  readonly mongo: Readonly<Record<string, BSON.Document[]>>;
  /** The command that writes a key, and what stands behind the key in it. */
  readonly redis: Readonly<Record<string, Readonly<Record<string, string[]>>>>;
}

const read = (file: string) => readFileSync(path.join(import.meta.dirname, 'before', file), 'utf8');

const BACK_ENDS = {
  async embedded(): Promise<TestServerOptions> {
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-upgrade-'));
    const database = new DatabaseSync(path.join(folder, 'portico.db'));
    database.exec(read('embedded.sql'));
    database.close();
    return { folder };
  },

  async distributed(): Promise<TestServerOptions | undefined> {
    const servers = await sharedServers();
    if (!servers) return undefined;
    const dump = JSON.parse(read('distributed.json')) as Dump;
    const database = `upgrade-${process.pid}`;
    const client = new MongoClient(servers.mongo.url);
    for (const [name, documents] of Object.entries(dump.mongo)) {
      const collection = client.db(database).collection(name);
      if (documents.length > 0)
        await collection.insertMany(documents.map((one) => BSON.EJSON.deserialize(one)));
    }
    await client.close();
    const redis = new Redis(servers.redis.url);
    for (const [key, written] of Object.entries(dump.redis))
      for (const [command, values] of Object.entries(written)) await redis.call(command, key, ...values);
    redis.disconnect();
    const [mongoUrl, redisUrl] = [servers.mongo.url, servers.redis.url];
    return {
      config: {
        store: { kind: 'distributed', mongo: { url: mongoUrl, database }, redis: { url: redisUrl } },
      },
    };
  },
};

describe('a store of the version before', () => {
  for (const kind of ['embedded', 'distributed'] as const) {
    it(`opens with its sessions, grants, link tokens and signing keys (${kind})`, async function () {
      this.timeout(120_000);
      const options = await BACK_ENDS[kind]();
      if (options === undefined) return this.skip();
      const held = (JSON.parse(read('held.json')) as Record<typeof kind, Held>)[kind];
      const clock = { now: () => new Date(Date.parse(held.at) + 60_000) };
      const server = await startTestServer({
        ...options,
        config: { ...options.config, issuer: held.issuer },
        seeds: [],
        clock,
      });
      try {
        await expectItWorks(server, held);
      } finally {
        await server.close();
      }
    });
  }
});

async function expectItWorks(server: TestServer, held: Held): Promise<void> {
  const jwks = await (await fetch(`${server.url}/jwks`)).json();
  await compactVerify(held.idToken, createLocalJWKSet(jwks as Parameters<typeof createLocalJWKSet>[0]));

  const authorization = `Bearer ${held.accessToken}`;
  const person = await fetch(`${server.url}/userinfo`, { headers: { authorization } });
  expect(await person.json(), 'the access token').to.have.property('email', 'mara@clinic.test');

  const me = await fetch(`${server.url}/api_v3/me`, { headers: { 'x-apitoken': held.vendorToken } });
  expect(me.status, 'the vendor’s token').to.equal(200);

  const { clientId, redirectUri } = webApp;
  const request = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
  });
  for (const [name, value] of [
    ['scope', 'openid profile email'],
    ['prompt', 'none'],
  ] as const)
    request.set(name, value);
  const url = `${server.url}/authorize?${request}`;
  const silent = await fetch(url, { headers: { cookie: held.cookies }, redirect: 'manual' });
  expect(silent.headers.get('location'), 'the session and its grant').to.match(
    /^https:\/\/app\.test\/callback\?code=/,
  );

  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: held.refreshToken });
  const basic = `Basic ${Buffer.from(`${webApp.clientId}:${webApp.secret}`).toString('base64')}`;
  const refreshed = await fetch(`${server.url}/token`, {
    method: 'POST',
    body,
    headers: { authorization: basic },
  });
  expect(await refreshed.json(), 'the refresh token').to.include.keys(
    'access_token',
    'refresh_token',
    'id_token',
  );

  const browser = openWebSession();
  const form = (await browser.open(`${server.url}/reset?token=${held.resetToken}`)) as Page;
  // The page is of the issuer, wherever the server of this test listens.
  const done = (await browser.submit(
    { ...form, url: `${held.issuer}/reset` },
    { password: 'Pewter-Harvest-Canyon-52' },
  )) as Page;
  expect(done.url, 'the link token').to.contain('/reset/done');
}

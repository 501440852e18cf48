/** What one request asks of each store, in numbers of calls: a change that makes a request slower shows here first. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { countStoreCalls } from '../../bench/crossings.ts';
import { loadSamples, peopleOf, type SampledDialect } from '../../src/dialects/samples.ts';
import { touchOf } from '../../src/store/embedded/sqlite/watch.ts';
import { basicAuth, ownApp, service, spa } from '../support/clients.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** A port that is not named is not called. */
const CALLS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  discovery: {},
  jwks: {},
  'client_credentials opaque': { oidcRecords: 1, audit: 1 },
  'client_credentials jwt': { oidcRecords: 1, audit: 1 },
  'client_credentials refused': { clients: 2, apis: 2 },
  introspection: { oidcRecords: 2, accounts: 1 },
  'introspection again': {},
  userinfo: { oidcRecords: 2, accounts: 1 },
  'userinfo again': {},
  'refresh confidential': { oidcRecords: 3, accounts: 1, audit: 1 },
  'refresh public': { oidcRecords: 3, accounts: 1, audit: 1 },
  'code flow with sign-in': {
    rateLimits: 4,
    organizations: 2,
    oidcRecords: 10,
    clients: 1,
    accounts: 5,
    audit: 3,
  },
  'sign-in visitnote': {
    organizations: 1,
    rateLimits: 4,
    accounts: 3,
    audit: 1,
    oidcRecords: 1,
  },
  'me visitnote': { organizations: 1, oidcRecords: 1, accounts: 1, rateLimits: 1 },
  'sign-in medisync': { organizations: 1, rateLimits: 7, accounts: 3, audit: 1, oidcRecords: 1 },
  'me medisync': { organizations: 1, oidcRecords: 1, accounts: 1 },
  'sign-in careportals': {
    organizations: 1,
    accounts: 3,
    rateLimits: 3,
    audit: 1,
    oidcRecords: 1,
  },
  'me careportals': { oidcRecords: 1, accounts: 1, organizations: 2 },
  'sign-in avycenna': { organizations: 1, accounts: 3, rateLimits: 3, audit: 1, oidcRecords: 1 },
  'me avycenna': { organizations: 1, oidcRecords: 1, accounts: 1 },
  'sign-in vsee': { organizations: 1, accounts: 3, rateLimits: 3, audit: 1, oidcRecords: 1 },
  'me vsee': { oidcRecords: 1, accounts: 1, organizations: 1 },
  'code verify avycenna': {
    organizations: 1,
    accounts: 2,
    rateLimits: 3,
    codes: 1,
    audit: 1,
    oidcRecords: 1,
  },
  'refresh vsee': { oidcRecords: 3, accounts: 2, organizations: 1, audit: 1 },
  'refresh avycenna': { organizations: 1, oidcRecords: 3, accounts: 2, audit: 1 },
};

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const API = 'https://api.store-calls.test';

/** Tables that grow with people and their requests, from the first row to the last. */
const WHOLE =
  /^SCAN (accounts|account_aliases|identities|api_keys|oidc_records|rate_limits|attempt_\w+|codes|link_tokens|leases|presence|audit|deliveries)\b/;

describe('the calls to the stores', () => {
  it('are these, request for request, and none goes through a table that grows', async function () {
    this.timeout(60_000);
    const now = new Date();
    const server = await startTestServer({
      // Nothing is read again because time went by.
      clock: { now: () => now },
      config: {
        oidc: { resources: [{ identifier: API, scopes: ['api:read'], format: 'jwt', open: true }] },
        dialects: { visitnote: { limits: { auth: 100, general: 100 } } },
      },
    });
    const statements = listStatements();
    try {
      const cases = { ...(await standardCases(server)), ...(await dialectCases(server)) };
      const calls = countStoreCalls(server.running.stores);
      const counted: [string, Record<string, number>][] = [];
      for (const [name, request] of Object.entries(cases))
        counted.push([name, await portsOf(calls, request)]);
      expect(Object.fromEntries(counted)).to.deep.equal(CALLS);
      const plans = plansOf(path.join(server.folder, 'portico.db'), statements.texts);
      expect(plans.length).to.be.greaterThan(30);
      expect(plans.filter((plan) => WHOLE.test(plan))).to.deep.equal([]);
      expect(unwatched(path.join(server.folder, 'portico.db'), statements.texts)).to.deep.equal([]);
    } finally {
      statements.end();
      await server.close();
    }
  });
});

describe('the write transactions of the embedded store', () => {
  it('are two of a sign-in at a dialect: what holds the try, and what comes of it', async function () {
    this.timeout(30_000);
    const { prepare } = DatabaseSync.prototype;
    let begun = 0;
    DatabaseSync.prototype.prepare = function (text, options) {
      const statement = prepare.call(this, text, options);
      if (text !== 'BEGIN IMMEDIATE') return statement;
      const counting = new Proxy(statement, {
        get(target, name) {
          begun += Number(name === 'run');
          const member: unknown = Reflect.get(target, name);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
      return counting;
    };
    const server = await startTestServer();
    try {
      const cases = await dialectCases(server);
      const counts: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        const request = await cases['sign-in vsee']?.();
        begun = 0;
        await request?.();
        counts.push(begun);
      }
      // What the server does by the clock may fall into one of them.
      expect(Math.min(...counts)).to.equal(2);
    } finally {
      DatabaseSync.prototype.prepare = prepare;
      await server.close();
    }
  });
});

/** Every statement that the embedded store prepares from now on. */
function listStatements() {
  const texts = new Set<string>();
  const { prepare } = DatabaseSync.prototype;
  DatabaseSync.prototype.prepare = function (text, options) {
    texts.add(text);
    return prepare.call(this, text, options);
  };
  return {
    texts,
    end() {
      DatabaseSync.prototype.prepare = prepare;
    },
  };
}

/** How SQLite finds the rows, and the statement. */
function plansOf(file: string, texts: ReadonlySet<string>): string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  const plans = [...texts]
    .filter((text) => /^\s*(SELECT|UPDATE|DELETE|INSERT)/.test(text))
    .flatMap((text) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all()
        .map(({ detail }) => `${detail}: ${text}`),
    );
  database.close();
  return plans;
}

/**
 * Statements that open a table which is not among those that the watch knows of. A row that is removed takes rows of these
 * tables along, which are read beside it alone.
 */
function unwatched(file: string, texts: ReadonlySet<string>): string[] {
  const parents: Readonly<Record<string, string>> = {
    account_aliases: 'accounts',
    organization_hosts: 'organizations',
  };
  const database = new DatabaseSync(file, { readOnly: true });
  const tables = new Map(
    database
      .prepare('SELECT rootpage, tbl_name FROM sqlite_schema')
      .all()
      .map((row) => [Number(row.rootpage), String(row.tbl_name)]),
  );
  const odd = [...texts]
    .filter((text) => /^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)/.test(text) && !text.includes('sqlite_schema'))
    .filter((text) => {
      const { tables: known, writes } = touchOf(text);
      const opens = writes ? 'OpenWrite' : 'OpenRead';
      const opened = database.prepare(`EXPLAIN ${text}`).all();
      return opened
        .filter(({ opcode }) => opcode === opens)
        .map(({ p2 }) => tables.get(Number(p2)) ?? '')
        .some((table) => !known.includes(table) && !known.includes(parents[table] ?? table));
    });
  database.close();
  return odd;
}

/** Makes a request ready; what it resolves with sends it. */
type Case = () => Promise<() => Promise<unknown>>;
type Cases = Record<string, Case>;

/** Of the second of two requests: some of what the first asks for is kept. */
async function portsOf(calls: string[], prepare: Case): Promise<Record<string, number>> {
  await (await prepare())();
  do {
    const request = await prepare();
    calls.length = 0;
    await request();
    // Every second the server looks at its outbox, every ten it adds to the usage: neither is for a request.
  } while (calls.includes('deliveries.due') || calls.includes('usage.change'));
  const ports: Record<string, number> = {};
  for (const call of calls) {
    const port = call.slice(0, call.indexOf('.'));
    ports[port] = (ports[port] ?? 0) + 1;
  }
  return ports;
}

async function standardCases({ issuer }: TestServer): Promise<Cases> {
  const [web, browser] = await Promise.all([relyingParty(issuer, ownApp), relyingParty(issuer, spa)]);
  const parameters = { scope: 'openid profile email offline_access', prompt: 'consent' };
  const [confidential, open] = [
    (await signIn(web, { ...MARA, parameters })).tokens,
    (await signIn(browser, { ...MARA, parameters })).tokens,
  ];
  const asApp = { authorization: basicAuth(ownApp) };
  const token = (fields: Record<string, string>, headers?: Record<string, string>) =>
    form(`${issuer}/token`, fields, headers);
  const machine = (fields: Record<string, string>) =>
    always(() =>
      token({ grant_type: 'client_credentials', ...fields }, { authorization: basicAuth(service) }),
    );
  const bearer = { authorization: `Bearer ${confidential.access_token}` };
  const introspect = (headers: Record<string, string>) =>
    form(`${issuer}/introspect`, { token: confidential.access_token }, headers);
  const userinfo = (headers: Record<string, string>) => send(`${issuer}/userinfo`, { headers });
  /** What no request before has said: an answer to the same words is kept. */
  const unlike = () => `application/json;n=${randomUUID()}`;
  return {
    discovery: always(() => send(`${issuer}/.well-known/openid-configuration`)),
    jwks: always(() => send(`${issuer}/jwks`)),
    'client_credentials opaque': machine({}),
    'client_credentials jwt': machine({ resource: API, scope: 'api:read' }),
    // Of a client that does not exist: looked for on the fast path and by the provider.
    'client_credentials refused': always(() =>
      fetch(`${issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'x', client_secret: 'x' }),
      }),
    ),
    introspection: always(() => introspect({ ...asApp, accept: unlike() })),
    'introspection again': always(() => introspect(asApp)),
    userinfo: always(() => userinfo({ ...bearer, accept: unlike() })),
    'userinfo again': always(() => userinfo(bearer)),
    'refresh confidential': chain(['refresh_token'], confidential, (value) =>
      token({ grant_type: 'refresh_token', refresh_token: value }, asApp),
    ),
    'refresh public': chain(['refresh_token'], open, (value) =>
      token({ grant_type: 'refresh_token', refresh_token: value, client_id: spa.clientId }),
    ),
    'code flow with sign-in': always(() => signIn(web, MARA)),
  };
}

async function dialectCases(server: TestServer): Promise<Cases> {
  const { url, config, mail } = server;
  const samples = await loadSamples(config.dialects);
  const people = config.seed.flatMap(peopleOf);
  const asks = ({ name, suits, ...sample }: SampledDialect) => {
    const person = people.find(suits);
    if (person === undefined) throw new Error(`The seed has no account that signs in at ${name}.`);
    return sample.signIn(person);
  };
  const signInAt = (dialect: SampledDialect) => {
    const { path, headers, body } = asks(dialect);
    return json(url + path, body, headers);
  };
  const signedIn = async (name: string) => {
    const dialect = samples.find((one) => one.name === name);
    if (dialect === undefined) throw new Error(`There is no dialect ${name}.`);
    return signInAt(dialect);
  };
  const cases = samples.map((dialect): [string, Case][] => [
    [`sign-in ${dialect.name}`, always(() => signInAt(dialect))],
    [
      `me ${dialect.name}`,
      async () => {
        const { path, headers = {} } = dialect.me(memberOf(await signInAt(dialect), dialect.token));
        return () => send(url + path, { headers });
      },
    ],
  ]);
  const { email = '' } = people.find(({ email: address }) => address === MARA.login) ?? {};
  return {
    ...Object.fromEntries(cases.flat()),
    'code verify avycenna': async () => {
      await json(`${url}/api/v1/auth/otp/send`, { email });
      const otp = /\b\d{6}\b/.exec((await mail.take(email)).text)?.[0] ?? '';
      return () => json(`${url}/api/v1/auth/otp/verify`, { email, otp });
    },
    'refresh vsee': chain(['data', 'refresh_token', 'token'], await signedIn('vsee'), (value) =>
      json(`${url}/api_v3/tokens/refresh`, { refresh_token: value }),
    ),
    'refresh avycenna': chain(['refresh_token'], await signedIn('avycenna'), (value) =>
      json(`${url}/api/v1/auth/refresh`, { refresh_token: value }),
    ),
  };
}

const always =
  (request: () => Promise<unknown>): Case =>
  async () =>
    request;

/** Each request has what is at `members` of the reply before. */
function chain(
  members: readonly string[],
  first: unknown,
  request: (value: string) => Promise<unknown>,
): Case {
  let reply = first;
  return async () => async () => {
    reply = await request(memberOf(reply, members));
  };
}

function memberOf(value: unknown, members: readonly string[]): string {
  return String(members.reduce<unknown>((at, name) => Object(at)[name], value));
}

async function send(url: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

const form = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  send(url, { method: 'POST', body: new URLSearchParams(fields), headers });

const json = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  send(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });

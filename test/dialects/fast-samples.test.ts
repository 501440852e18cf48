/**
 * The sign-in and GET me of every dialect on the fast lane, held against the long way as in test/oidc/fast-path.test.ts: replies, audit
 * trail and metrics are the same.
 */
import http from 'node:http';
import { expect } from 'chai';
import { countStoreCalls } from '../../bench/crossings.ts';
import { loadSamples, peopleOf, type SampledDialect } from '../../src/dialects/samples.ts';
import { createLog } from '../../src/observe/log.ts';
import { openStores } from '../../src/store/open-stores.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Absent: a GET. */
  readonly body?: string | Buffer;
}

const MANY = { limit: 1_000_000 };

describe('the sign-in and GET me on the fast lane', function () {
  this.timeout(60_000);
  let server: TestServer;
  let internal: string;
  let now = new Date();
  let agent: http.Agent;
  /** The dialects' own requests, with a live token. */
  let calls: string[];
  let live: (Request & { readonly dialect: string; readonly accountId: string })[];
  before(async () => {
    const port = await freePort();
    internal = `http://127.0.0.1:${port}`;
    server = await startTestServer({
      clock: { now: () => now },
      config: {
        http: { internal: { port } },
        attempts: { pair: MANY, address: MANY, login: MANY },
        dialects: { visitnote: { limits: { general: 30, auth: MANY.limit } } },
      },
    });
    agent = new http.Agent({ keepAlive: true });
    calls = countStoreCalls(server.running.stores);
  });
  beforeEach(signInEverywhere);
  after(async () => {
    agent.destroy();
    await server.close();
  });

  async function signInEverywhere() {
    const samples = await loadSamples(server.config.dialects);
    live = await Promise.all(samples.map(signedIn));
  }

  async function signedIn(sample: SampledDialect) {
    const person = server.config.seed.flatMap(peopleOf).find(sample.suits);
    if (person === undefined) throw new Error(`The seed has no account that signs in at ${sample.name}.`);
    const { path, headers, body } = sample.signIn(person);
    const response = await fetch(server.url + path, {
      ...{ method: 'POST', body: JSON.stringify(body) },
      headers: { 'content-type': 'application/json', ...headers },
    });
    const reply: unknown = await response.json();
    const token = String(sample.token.reduce<unknown>((at, name) => Object(at)[name], reply));
    const { accounts } = server.running.stores;
    const found = await accounts.byLogin(person.organization, person.email ?? person.username ?? '', [
      'email',
      'username',
    ]);
    return { headers: {}, ...sample.me(token), dialect: sample.name, accountId: found?.id ?? '' };
  }

  /** What a sign-in makes anew: tokens, their ends, and when its person was here. */
  const unchanging = (text: string) =>
    text.replace(/"[\w.~-]{24,}"/g, '"-"').replace(/\d{4}-\d\d-\d\dT[\d:.]+|\d{9,}/g, '-');

  function send({ path, headers, body }: Request) {
    const { hostname, port } = new URL(server.url);
    return new Promise<{ status: number; headers: string[]; body: string }>((resolve, reject) => {
      const request = http.request(
        { hostname, port, agent, path, method: body === undefined ? 'GET' : 'POST', headers: { ...headers } },
        async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          const { statusCode: status = 0, rawHeaders } = response;
          const id = rawHeaders[rawHeaders.indexOf('X-Request-Id') + 1] ?? '';
          const masked = rawHeaders.map((text, at) =>
            rawHeaders[at - 1] === 'Date' ? '-' : text.replace(id, '-'),
          );
          const text = Buffer.concat(chunks).toString().replaceAll(id, '-');
          const signsIn = body !== undefined && status < 300;
          resolve({
            status,
            headers: signsIn ? masked.map(unchanging) : masked,
            body: signsIn ? unchanging(text) : text,
          });
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  async function figures(): Promise<Map<string, number>> {
    const text = await (await fetch(`${internal}/metrics`)).text();
    const counts = text.matchAll(/^portico_http_request_seconds_count(\{.*\}) (\d+)$/gm);
    return new Map(Array.from(counts, ([, labels = '', count]) => [labels, Number(count)]));
  }

  async function answered(requests: readonly Request[]) {
    // Every limit begins anew.
    now = new Date(now.getTime() + 120_000);
    const records = () => server.logged.flatMap(({ audit }) => (audit === undefined ? [] : [audit]));
    const [known, before] = [records().length, await figures()];
    const replies = [];
    for (const request of requests) replies.push(await send(request));
    const counts = [...(await figures())].map(([labels, count]) => [
      labels,
      count - (before.get(labels) ?? 0),
    ]);
    // The sum of the minute before is the other way's.
    const audit = records()
      .slice(known)
      .filter((record) => Object(record).detail?.since === undefined);
    return {
      replies,
      audit: audit.map((record) => ({ ...Object(record), at: '', requestId: '' })),
      counts: counts.filter(([, count]) => count !== 0),
    };
  }

  async function expectSame(requests: readonly Request[]) {
    const fast = await answered(requests);
    const marked = requests.map(({ headers, ...request }) => ({
      ...request,
      headers: { 'content-encoding': 'identity', ...headers },
    }));
    const slow = await answered(marked);
    for (const [at, request] of requests.entries())
      expect(fast.replies[at], JSON.stringify(request)).to.deep.equal(slow.replies[at]);
    expect(fast.audit).to.deep.equal(slow.audit);
    expect(fast.counts).to.deep.equal(slow.counts);
    return fast.replies;
  }

  it('ME1 answers each dialect’s own request, whatever is wrong with it, as on the long way', async () => {
    const replies = await expectSame(live);
    expect(replies.map(({ status }) => status)).to.deep.equal(live.map(() => 200));
    const oneOther = live.map(({ path }, at) => ({ path, headers: live[at === 0 ? 1 : 0]?.headers ?? {} }));
    const variants = live.flatMap(({ path, headers }) => [
      { path, headers: {} },
      ...[
        'authorization',
        'x-apitoken',
        'x-api-key',
        'x-apikey',
        'cookie',
        'x-accountcode',
        'organization',
      ].flatMap((name) =>
        ['', 'x', 'Bearer x', 'Bearer  ', '0123456789abcdef0123456789abcdef', 'clinicdev'].map((value) => ({
          path,
          headers: { ...headers, [name]: value },
        })),
      ),
      { path, headers: { ...headers, accept: 'text/html' } },
      { path, headers: { ...headers, origin: 'https://app.test' } },
      { path, headers: { ...headers, 'x-forwarded-for': '198.51.100.7' } },
      { path, headers: { ...headers, 'x-forwarded-host': 'api-clinicdev.vsee.me' } },
      { path, headers: { ...headers, host: 'evil.com:x@good.com' } },
      ...[
        `${path}?`,
        `${path}?user_photo_size=1x1`,
        `${path}/`,
        `${path}.json`,
        path.replace(/\.json$/, ''),
      ].map((other) => ({ path: other, headers })),
    ]);
    await expectSame([...oneOther, ...variants]);
  });

  it('ME2 counts a limit once, and refuses by it', async () => {
    const visitnote = live.filter(({ dialect }) => dialect === 'visitnote');
    const replies = await expectSame(
      visitnote.flatMap((request) => Array.from({ length: 32 }, () => request)),
    );
    expect(replies.filter(({ status }) => status === 429)).to.have.length(2);
  });

  it('ME3 says what is stored now', async () => {
    const { accounts } = server.running.stores;
    const change = async (changes: object) => {
      for (const id of new Set(live.map(({ accountId }) => accountId))) {
        const account = await accounts.byId(id);
        if (account) await accounts.update({ ...account, ...changes });
      }
    };
    const before = await expectSame(live);
    await change({ emailVerified: false, claims: { given_name: 'Renamed', family_name: 'Renamed' } });
    const renamed = await expectSame(live);
    for (const [at, { body }] of renamed.entries()) expect(body).to.not.equal(before[at]?.body);
    await change({ status: 'blocked' });
    for (const { status } of await expectSame(live)) expect(status).to.equal(401);
    await change({ status: 'active' });
  });

  /** How many requests the dialects were told of. */
  async function told(): Promise<number> {
    const text = await (await fetch(`${internal}/metrics`)).text();
    const counts = text.matchAll(/^portico_dialect_requests_total\{.*\} (\d+)$/gm);
    return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
  }

  /** Fast requests that are answered without a look at the store. */
  async function expectKept(requests: readonly Request[]) {
    const before = await told();
    const replies = [];
    for (const request of requests) {
      await send(request);
      calls.length = 0;
      replies.push(await send(request));
      expect(
        calls.filter((call) => /^(accounts|oidcRecords|organizations|clients)\./.test(call)),
      ).to.deep.equal([]);
    }
    expect((await told()) - before).to.equal(2 * requests.length);
    return replies;
  }

  it('ME5 is answered without a read while nothing changes, and never by what was changed, ended or taken back', async () => {
    const { stores, oidc } = server.running;
    const { organizations, accounts } = stores;
    const ids = [...new Set(live.map(({ accountId }) => accountId))];
    const everyAccount = async (changes: object, by = accounts) => {
      for (const id of ids) {
        const account = await by.byId(id);
        if (account) await by.update({ ...account, ...changes });
      }
    };
    const other = await openStores(server.config.store, { log: createLog({ level: 'silent' }) });
    const changes: (() => Promise<unknown>)[] = [
      () => everyAccount({ claims: { given_name: 'Kept', family_name: 'Not' } }),
      () => everyAccount({ claims: { given_name: 'Kept', family_name: 'Elsewhere' } }, other.accounts),
      async () => {
        for (const id of ids) await accounts.touch(id, new Date(now.getTime() + 1000));
      },
      async () => {
        for (const one of await organizations.list())
          await organizations.put({ ...one, name: `${one.name} 2` });
      },
    ];
    for (const change of changes) {
      await signInEverywhere();
      await expectKept(live);
      await change();
      await expectSame(live);
    }
    const refused = async (end: () => Promise<unknown>) => {
      await signInEverywhere();
      for (const { status } of await expectKept(live)) expect(status).to.equal(200);
      await end();
      for (const request of live) expect((await send(request)).status).to.equal(401);
      await expectSame(live);
    };
    await refused(() => everyAccount({ status: 'blocked' }));
    await everyAccount({ status: 'active' });
    await refused(() => everyAccount({ status: 'blocked' }, other.accounts));
    await everyAccount({ status: 'active' });
    await refused(async () => {
      for (const id of ids)
        for (const { grantId } of await oidc.accountAccess.listGrants(id))
          await oidc.accountAccess.endGrant(id, grantId);
    });
    await other.close();
  });

  it('ME4 signs people in, and refuses what is wrong, as on the long way', async () => {
    const samples = await loadSamples(server.config.dialects);
    const people = server.config.seed.flatMap(peopleOf);
    const calls = samples.map((sample) => {
      const person = people.find(sample.suits);
      if (person === undefined) throw new Error(`The seed has no account that signs in at ${sample.name}.`);
      return sample.signIn(person);
    });
    let sent = 0;
    const post = (path: string, body: string | Buffer, headers: Request['headers'] = {}): Request => {
      sent += 1;
      const length = String(Buffer.byteLength(body));
      const from = `198.51.${sent >> 8}.${sent & 255}`;
      const always = {
        'content-type': 'application/json',
        'content-length': length,
        'x-forwarded-for': from,
      };
      return { path, body, headers: { ...always, ...headers } };
    };
    const ordinary = calls.map(({ path, body, headers }) => post(path, JSON.stringify(body), headers));
    const replies = await expectSame(ordinary);
    for (const { status } of replies) expect(status).to.be.within(200, 201);
    const variants = calls.flatMap(({ path, body, headers = {} }) => {
      const text = JSON.stringify(body);
      const bodies = [
        ...Object.keys(body).flatMap((name) =>
          ['', 'x', 7, null].map((value) => JSON.stringify({ ...body, [name]: value })),
        ),
        ...['', ' ', '{}', '[]', 'null', '"x"', text.slice(1), `${text} `, `\ufeff${text}`, `${text}${text}`],
        ...[JSON.stringify({ ...body, more: 'x' }), JSON.stringify({ ...body, more: 'x'.repeat(5000) })],
        Buffer.from(text.replace('"}', 'é"}'), 'latin1'),
      ];
      const others = [
        { 'content-type': 'application/json; charset=utf-8' },
        { 'content-type': 'application/x-www-form-urlencoded' },
        { 'content-type': 'application/json; charset=latin1' },
        { origin: 'https://app.test' },
        { 'x-accountcode': 'nowhere' },
        { host: 'evil.com:x@good.com' },
      ];
      return [
        ...bodies.map((other) => post(path, other, headers)),
        ...others.map((other) => post(path, text, { ...headers, ...other })),
        ...[`${path}?x=1`, `${path}/`, `${path}.json`].map((other) => post(other, text, headers)),
      ];
    });
    await expectSame(variants);
  });
});

/** The ladder down: what announces the end of a vendor's API, and the windows in which new sign-ins are refused. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { fitsClient } from '../../src/dialects/pipeline/brown-out.ts';
import { dialectNames } from '../../src/dialects/registry.ts';
import { loadSamples, peopleOf, type SampledDialect } from '../../src/dialects/samples.ts';
import { usageLines } from '../../src/usage/report.ts';
import { openTerminal } from '../cli/run-portico.ts';
import { startLegacySystem } from '../support/legacy-system.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

const from = new Date('2026-11-02T08:00:00Z');
const to = new Date('2026-11-02T10:00:00Z');
const window = { from: from.toISOString(), to: to.toISOString() };
const deprecation = {
  since: '2026-10-01',
  sunset: '2027-06-30T00:00:00Z',
  link: 'https://portico.example/end',
  brownouts: [window],
};
const ANNOUNCED = {
  deprecation: '@1790812800',
  sunset: 'Wed, 30 Jun 2027 00:00:00 GMT',
  link: '<https://portico.example/end>; rel="deprecation", <https://portico.example/end>; rel="sunset"',
};

function announcedBy({ headers }: Response) {
  return Object.fromEntries(Object.keys(ANNOUNCED).map((name) => [name, headers.get(name)]));
}

/** Each dialect's own sign-in and me, as its sample sends them. */
async function signIn(server: TestServer, sample: SampledDialect, agent = 'OldApp/1.2') {
  const person = server.config.seed.flatMap(peopleOf).find(sample.suits);
  if (person === undefined) throw new Error(`The seed has no account that signs in at ${sample.name}.`);
  const { path: at, headers, body } = sample.signIn(person);
  const response = await fetch(server.url + at, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', 'user-agent': agent, ...headers },
  });
  const text = await response.text();
  const reply: unknown = text === '' ? {} : JSON.parse(text);
  return {
    response,
    token: String(sample.token.reduce<unknown>((value, name) => Object(value)[name], reply)),
  };
}

function me(server: TestServer, sample: SampledDialect, token: string) {
  const { path: at, headers } = sample.me(token);
  return fetch(server.url + at, { headers: { 'user-agent': 'OldApp/1.2', ...headers } });
}

describe('M27 the end of a vendor’s API', function () {
  this.timeout(60_000);
  let now = new Date(from.getTime() - 60_000);
  const clock = { now: () => now };
  const start = (folder?: string) =>
    startTestServer({
      clock,
      config: { dialects: Object.fromEntries(dialectNames.map((name) => [name, { deprecation }])) },
      ...(folder !== undefined && { folder }),
    });

  it('is announced on every reply, and a brown-out refuses new sign-ins of its window alone', async () => {
    const server = await start();
    const samples = await loadSamples(server.config.dialects);
    expect(samples).to.have.length(5);
    const live = new Map<string, string>();
    for (const sample of samples) {
      const { response, token } = await signIn(server, sample);
      expect(response.ok, sample.name).to.equal(true);
      expect(announcedBy(response), sample.name).to.deep.equal(ANNOUNCED);
      live.set(sample.name, token);
      const dead = await me(server, sample, 'dead');
      expect(dead.status, sample.name).to.equal(401);
      expect(announcedBy(dead), sample.name).to.deep.equal(ANNOUNCED);
    }
    const unserved = await fetch(`${server.url}/api/therapist/v1/nothing`);
    expect(announcedBy(unserved)).to.deep.equal(ANNOUNCED);
    expect(announcedBy(await fetch(`${server.url}/.well-known/openid-configuration`)).deprecation).to.equal(
      null,
    );

    now = new Date(from.getTime() + 60_000);
    for (const sample of samples) {
      const { response } = await signIn(server, sample);
      expect(response.status, sample.name).to.equal(503);
      expect(response.headers.get('retry-after'), sample.name).to.equal('7140');
      expect(announcedBy(response), sample.name).to.deep.equal(ANNOUNCED);
      const own = await me(server, sample, live.get(sample.name) ?? '');
      expect(own.status, sample.name).to.equal(200);
      expect(announcedBy(own), sample.name).to.deep.equal(ANNOUNCED);
    }
    const bearer = { authorization: `Bearer ${live.get('visitnote')}` };
    const signOut = await fetch(`${server.url}/api/therapist/v1/logout`, { method: 'POST', headers: bearer });
    expect(signOut.status).to.equal(200);
    now = to;
    for (const sample of samples)
      expect((await signIn(server, sample)).response.ok, sample.name).to.equal(true);
    await server.running.close();
    await server.close();
  });

  it('spares other clients, routes and organizations, is counted, and stops within 5 s on every node', async () => {
    now = from;
    const narrow = {
      ...deprecation,
      brownouts: [{ ...window, endpoints: ['POST /sign-in'], clients: ['OldApp/1.*'] }],
    };
    const spared = { ...deprecation, brownouts: [{ ...window, except: ['north_clinic'] }] };
    const config = { dialects: { visitnote: { deprecation: narrow }, careportals: { deprecation: spared } } };
    const first = await startTestServer({ clock, config });
    const second = await startTestServer({ clock, config, folder: first.folder });
    const samples = await loadSamples(first.config.dialects);
    const of = (name: string) => samples.find((sample) => sample.name === name) as SampledDialect;
    const statusOf = async (server: TestServer, name: string, agent?: string) =>
      (await signIn(server, of(name), agent)).response.status;
    const social = (server: TestServer) =>
      fetch(`${server.url}/api/therapist/v1/sign-in/social`, {
        ...{ method: 'POST', body: '{}' },
        headers: { 'content-type': 'application/json', 'user-agent': 'OldApp/1.2' },
      });
    for (const node of [first, second]) {
      expect(await statusOf(node, 'visitnote')).to.equal(503);
      expect(await statusOf(node, 'visitnote', 'OldApp/2.0')).to.equal(200);
      expect((await social(node)).status).not.to.equal(503);
      expect(await statusOf(node, 'careportals')).to.equal(201);
      expect(await statusOf(node, 'medisync')).to.equal(200);
    }

    const terminal = openTerminal({
      store: { embedded: { file: path.join(first.folder, 'portico.db') } },
      keys: { encryption: TEST_KEY },
      dialects: { visitnote: { enabled: true, deprecation: narrow }, medisync: { enabled: true } },
    });
    const brownouts = async (...args: string[]) => {
      const ran = await terminal.session(['migration', 'brownouts', ...args]);
      expect(ran.code, ran.stderr).to.equal(0);
      return ran;
    };
    expect((await brownouts('stop')).stdout).to.contain('visitnote');
    const stoppedAt = performance.now();
    for (const node of [first, second])
      while ((await statusOf(node, 'visitnote')) === 503 && performance.now() - stoppedAt < 30_000)
        await sleep(50);
    expect(performance.now() - stoppedAt).to.be.below(5000);
    const [listed] = (await brownouts('list', '--json')).json();
    expect(listed).to.deep.include({ dialect: 'visitnote', clients: ['OldApp/1.*'], except: [] });
    expect((await brownouts('resume', 'visitnote')).stdout).to.contain('visitnote');
    expect((await terminal.session(['migration', 'brownouts', 'list', 'medisync'])).code).to.equal(1);
    terminal.close();

    await first.running.close();
    const days = await second.running.stores.usage.since('2026-11-02');
    const refused = usageLines(days, ['client', 'organization']).filter(
      ({ outcomes }) => outcomes.brownout > 0,
    );
    expect(
      refused.map(({ dialect, of: { client, organization } }) => [dialect, client, organization]),
    ).to.deep.equal([['visitnote', 'OldApp/1.2', 'default']]);
    await second.close({ keepStore: true });
    await first.close();
  });

  it('is announced and rehearsed while the legacy system answers, too', async () => {
    now = to;
    const system = await startLegacySystem();
    const legacy = { url: system.url, stage: 'proxy', timeout: '5s' };
    const server = await startTestServer({
      clock,
      config: { dialects: { visitnote: { legacy, deprecation } } },
    });
    const old = { email: 'ada@old.test', password: 'Old-Password-Of-Ada-17' };
    system.add('visitnote', old);
    const send = () =>
      fetch(`${server.url}/api/therapist/v1/sign-in`, {
        ...{ method: 'POST', body: JSON.stringify(old) },
        headers: { 'content-type': 'application/json' },
      });
    const passed = await send();
    expect(passed.status).to.equal(200);
    expect(announcedBy(passed)).to.deep.equal(ANNOUNCED);
    now = from;
    expect((await send()).status).to.equal(503);
    await server.close();
    await system.close();
  });

  it('is refused at start, with its path, where a window or a date makes no sense', async () => {
    const issuesOf = (own: object) =>
      startTestServer({
        config: { dialects: { visitnote: { deprecation: { ...deprecation, ...own } } } },
      }).then(
        (server) => server.close().then(() => 'started'),
        (error: Error) => error.message,
      );
    const at = 'dialects.visitnote.deprecation';
    for (const [own, issue] of [
      [{ sunset: '2026-09-30' }, `${at}.sunset: must not be earlier than since`],
      [{ since: 'soon' }, `${at}.since: must be a day`],
      [
        { brownouts: [{ from: window.to, to: window.from }] },
        `${at}.brownouts.0.to: must be later than from`,
      ],
      [
        { brownouts: [window, { ...window, endpoints: ['GET /my-profile'] }] },
        `${at}.brownouts.1.endpoints.0: must be one of POST /sign-in, POST /sign-in/social`,
      ],
      [
        { brownouts: [{ ...window, clients: ['x'.repeat(65)] }] },
        `${at}.brownouts.0.clients.0: must be at most 64`,
      ],
    ] as const)
      expect(await issuesOf(own)).to.contain(issue);
  });

  it('has patterns of clients that are compared from left to right, and none is slow', () => {
    for (const [pattern, client, fits] of [
      ['OldApp/1.2', 'OldApp/1.2', true],
      ['OldApp/1.2', 'OldApp/1.20', false],
      ['OldApp/1.*', 'OldApp/1.9', true],
      ['OldApp/1.*', 'OldApp/11.9', false],
      ['*', '(none)', true],
      ['*App/*.1', 'OldApp/2.1', true],
      ['a*a', 'a', false],
      ['a*b*a', 'aba', true],
      ['.*', 'x', false],
    ] as const)
      expect(fitsClient(pattern, client), `${pattern} ${client}`).to.equal(fits);
    const before = performance.now();
    for (let n = 0; n < 1000; n += 1) fitsClient(`${'*a'.repeat(32)}b`, 'a'.repeat(64));
    expect(performance.now() - before).to.be.below(2000);
  });
});

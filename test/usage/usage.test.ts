import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { pino } from 'pino';
import { openStores } from '../../src/store/open-stores.ts';
import { usageLines } from '../../src/usage/report.ts';
import { createTallies, OTHER } from '../../src/usage/tallies.ts';
import { openTerminal } from '../cli/run-portico.ts';
import { embeddedConfig } from '../store/embedded-config.ts';
import { startLegacySystem } from '../support/legacy-system.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

const DAY = 86_400_000;
const BASE = '/api/therapist/v1';
const MARA = { email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

interface Sent {
  readonly agent: string | undefined;
  readonly path?: string;
  readonly body?: object;
  readonly token?: string;
}

async function send(
  server: Pick<TestServer, 'url'>,
  { agent = '', path: at = '/sign-in', body, token }: Sent,
) {
  const headers = {
    'user-agent': agent,
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const response = await fetch(`${server.url}${BASE}${at}`, {
    headers,
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  const { data } = (await response.json()) as { data?: { token?: string } };
  return { status: response.status, token: data?.token ?? '' };
}

/** Every day, from the file that a server left. */
async function daysIn(folder: string) {
  const stores = await openStores(embeddedConfig(path.join(folder, 'portico.db')), {
    log: pino({ level: 'silent' }),
  });
  const days = await stores.usage.since('2000-01-01');
  await stores.close();
  return days;
}

async function rowsIn(folder: string) {
  return (await daysIn(folder)).flatMap(({ day, dialect, tallies: text }) => {
    const tallies = createTallies();
    tallies.addAll(text);
    return tallies.rows().map((row) => ({ day, dialect, ...row }));
  });
}

describe('usage', function () {
  this.timeout(60_000);

  it('M26 of 30 days equals a recount, by the command too, and names no person', async () => {
    const begin = Date.now() - 29 * DAY;
    let now = begin;
    const server = await startTestServer({ clock: { now: () => new Date(now) } });
    const expected = new Map<string, number>();
    const count = (...key: string[]) =>
      expected.set(key.join(' | '), (expected.get(key.join(' | ')) ?? 0) + 1);
    for (let day = 0; day < 30; day += 1) {
      now = begin + day * DAY;
      const on = new Date(now).toISOString().slice(0, 10);
      const client = day < 10 ? 'OldApp/1.9' : 'NewApp/2.0';
      const agent = `${client} (mara@clinic.test; iPhone) Mara/1`;
      const { token } = await send(server, { agent, body: MARA });
      count(on, client, 'POST /sign-in', 'ok', 'default');
      for (let calls = 0; calls <= day % 3; calls += 1) {
        expect((await send(server, { agent, path: '/my-profile', token })).status).to.equal(200);
        count(on, client, 'GET /my-profile', 'ok', 'default');
      }
      await send(server, { agent: 'mara@clinic.test', path: '/my-profile', token: 'dead' });
      count(on, '(unreadable)', 'GET /my-profile', 'refused', 'default');
      await send(server, { agent, path: `/people/${MARA.email}`, body: {} });
      count(on, client, OTHER, 'refused', '');
    }
    await server.close({ keepStore: true });
    const rows = await rowsIn(server.folder);
    const counted = rows.map(({ day, client, endpoint, outcome, organization, count: times }) => [
      [day, client, endpoint, outcome, organization].join(' | '),
      times,
    ]);
    expect(Object.fromEntries(counted)).to.deep.equal(Object.fromEntries(expected));

    const terminal = openTerminal({
      store: { embedded: { file: path.join(server.folder, 'portico.db') } },
      keys: { encryption: TEST_KEY },
    });
    const run = async (...args: string[]) => {
      const ran = await terminal.session(['usage', ...args]);
      expect(ran.code, ran.stderr).to.equal(0);
      return ran;
    };
    const byClient = (await run('--json', '--since', '31d')).json();
    const sum = (of: string) =>
      counted.filter(([key]) => String(key).includes(of)).reduce((all, [, n]) => all + Number(n), 0);
    expect(byClient.map(({ client, requests }) => [client, requests])).to.have.deep.members(
      ['OldApp/1.9', 'NewApp/2.0', '(unreadable)'].map((client) => [client, sum(client)]),
    );
    const quiet = (await run('--json', '--since', '31d', '--quiet-for', '14d')).json();
    expect(quiet.map(({ client }) => client)).to.deep.equal(['OldApp/1.9']);
    const byDay = (await run('--json', '--since', '31d', '--by', 'day')).json();
    expect(byDay).to.have.length(30);
    expect(byDay.every(({ people }) => people === 1)).to.equal(true);
    const [whole] = (await run('--json', '--since', '31d', '--by', 'organization')).json();
    expect(whole).to.include({ organization: 'default', people: 1 });
    const table = (await run('--by', 'client,endpoint', '--since', '7d')).stdout;
    expect(table).to.match(/^DIALECT +CLIENT +ENDPOINT +REQUESTS +OK +REFUSED/);
    expect(table).to.contain('NewApp/2.0').and.not.contain('OldApp');
    for (const wrong of [
      ['--by', 'person'],
      ['--dialect', 'nobody'],
      ['--since', '7d', '--quiet-for', '14d'],
    ])
      expect((await terminal.session(['usage', ...wrong])).code).to.equal(1);
    terminal.close();
    const tallies = JSON.stringify(rows) + table + JSON.stringify(byDay);
    expect(tallies).not.to.match(/mara|clinic\.test|Harbour|iPhone/i);
  });

  it('M26 of three nodes adds up, and a stranger makes 300 names of a day', async () => {
    const first = await startTestServer();
    const { folder } = first;
    const nodes = [first, await startTestServer({ folder }), await startTestServer({ folder })];
    for (const [index, node] of nodes.entries()) {
      const { token } = await send(node, { agent: 'OldApp/1', body: MARA });
      for (let calls = 0; calls < 10; calls += 1)
        await send(node, { agent: 'OldApp/1', path: '/my-profile', token });
      for (let n = 0; n < 150; n += 1)
        await send(node, { agent: `Stranger/${index}.${n}`, path: '/my-profile', token: 'dead' });
    }
    for (const node of nodes) await node.close({ keepStore: true });
    const rows = await rowsIn(folder);
    const count = (of: (row: (typeof rows)[number]) => boolean) =>
      rows.filter(of).reduce((sum, row) => sum + row.count, 0);
    expect(count(({ client }) => client === 'OldApp/1')).to.equal(33);
    expect(count(({ outcome }) => outcome === 'refused' || outcome === 'limited')).to.equal(450);
    for (const day of new Set(rows.map((row) => row.day)))
      expect(new Set(rows.filter((row) => row.day === day).map(({ client }) => client)).size).to.be.at.most(
        301,
      );
  });

  it('M26 tells what the legacy system answered from what Portico did, in the metrics too', async () => {
    const system = await startLegacySystem();
    const port = await freePort();
    const legacy = { url: system.url, stage: 'proxy', timeout: '5s' };
    const server = await startTestServer({
      config: { dialects: { visitnote: { legacy } }, http: { internal: { host: '127.0.0.1', port } } },
    });
    const { accounts } = server.running.stores;
    const old = { email: 'ada@old.test', password: 'Old-Password-Of-Ada-17' };
    system.add('visitnote', old);
    await send(server, { agent: 'OldApp/1', body: old });
    await send(server, { agent: 'OldApp/1', body: { ...old, password: 'wrong' } });
    while ((await accounts.byEmail('default', old.email)) === undefined) await sleep(20);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    await server.close({ keepStore: true });
    await system.close();
    for (const [outcome, count] of [
      ['ok', 1],
      ['refused', 1],
    ])
      expect(metrics).to.contain(
        `portico_dialect_requests_total{dialect="visitnote",endpoint="POST /sign-in",outcome="${outcome}",answered="legacy"} ${count}`,
      );
    const rows = await rowsIn(server.folder);
    expect(
      rows.map(({ client, stage, answeredBy, outcome, organization }) =>
        [client, stage, answeredBy, outcome, organization].join(' '),
      ),
    ).to.have.members(['OldApp/1 proxy legacy ok default', 'OldApp/1 proxy legacy refused default']);
    const [line] = usageLines(await daysIn(server.folder), ['organization']);
    expect(line).to.deep.include({ of: { organization: 'default' }, people: 1, byLegacy: 2 });
  });
});

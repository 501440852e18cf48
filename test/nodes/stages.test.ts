/** Stages over nodes on MongoDB and Redis: a change acts on every node, and people are taken over once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type LegacySystem, startLegacySystem } from '../support/legacy-system.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { sharedServers } from '../support/servers.ts';
import { freshAddress, type Reply, send, times, unhurried } from './calls.ts';

/** The long form: FAULT_ROUNDS=1000. */
const ROUNDS = Math.min(Number(process.env.FAULT_ROUNDS ?? 1), 200);
const PARALLEL = 50;
/** Fifty hashes at once take a busy machine longer than the calls of others may. */
const MANY = { timeout: '30s', rate: '1000/1s', concurrency: 64 };

const portico = path.join(import.meta.dirname, '../../bin/portico.js');

describe('a stage over three nodes', function () {
  this.timeout(120_000 + ROUNDS * 20_000);
  let nodes: Nodes;
  let system: LegacySystem;
  before(async function () {
    this.timeout(300_000);
    const servers = await sharedServers();
    if (!servers) return this.skip();
    system = await startLegacySystem();
    const visitnote = { enabled: true, legacy: { url: system.url, stage: 'proxy', ...MANY } };
    nodes = await startNodes({
      count: 3,
      stores: { mongo: servers.mongo.url, redis: servers.redis.url },
      config: { dialects: { visitnote } },
    });
  });
  after(async () => {
    await nodes?.close();
    await system?.close();
  });

  async function command(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [portico, 'migration', ...args], {
      env: { ...process.env, NODE_ENV: 'test', PORTICO_CONFIG: nodes.file },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(code, said).to.equal(0);
    return said;
  }

  const signIn = (url: string) =>
    fetch(`${url}/api/therapist/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' }),
    });

  /** Replies of Portico's own name the request. */
  async function isPassedOn(url: string): Promise<boolean> {
    const reply = await fetch(`${url}/api/therapist/v1/my-profile`, { method: 'DELETE' });
    return !reply.headers.has('x-request-id');
  }

  /** Milliseconds until it holds at every node. */
  async function everywhere(holds: (url: string) => Promise<boolean>): Promise<number> {
    const began = performance.now();
    for (const { url } of nodes.nodes) {
      while (!(await holds(url))) {
        if (performance.now() - began > 10_000) throw new Error(`${url} does not follow`);
        await sleep(100);
      }
    }
    return performance.now() - began;
  }

  it('M1 M2 acts on all within 5 s, and a token of ours works at all in every stage', async () => {
    expect(await everywhere(isPassedOn)).to.be.below(5000);
    await command('stage', 'visitnote', 'standalone');
    expect(await everywhere(async (url) => !(await isPassedOn(url)))).to.be.below(5000);
    const reply = await signIn(nodes.nodes[0]?.url ?? '');
    const { data } = (await reply.json()) as { data: { token: string } };
    for (const stage of ['primary', 'shadow', 'proxy']) {
      await command('stage', 'visitnote', stage);
      const isPassed = stage !== 'primary';
      expect(await everywhere(async (url) => (await isPassedOn(url)) === isPassed)).to.be.below(5000);
      for (const { url } of nodes.nodes) {
        const me = await fetch(`${url}/api/therapist/v1/my-profile`, {
          headers: { authorization: `Bearer ${data.token}` },
        });
        expect(me.status, `${stage} ${url}`).to.equal(200);
      }
    }
  });

  it('M3 fifty first sign-ins at once over the nodes make one account', async () => {
    await command('stage', 'visitnote', 'primary');
    await everywhere(async (url) => !(await isPassedOn(url)));
    for (let round = 0; round < ROUNDS; round += 1) {
      const [email, password] = [`fifty-${round}@old.test`, 'Old-Password-17'];
      const { id } = system.add('visitnote', { email, password });
      const replies = await times(PARALLEL, () =>
        unhurried(() =>
          send(`${nodes.url}/api/therapist/v1/sign-in`, {
            headers: freshAddress(),
            json: { email, password },
          }),
        ),
      );
      const told = replies.map((reply) => (reply.status === 200 ? `200 ${uuidOf(reply)}` : saidBy(reply)));
      expect([...new Set(told)], `round ${round}`).to.deep.equal([`200 ${id}`]);
    }
  });
});

/** What a failed round needs to be understood. */
function saidBy({ status, took, text: body }: Reply): string {
  return `${status} after ${Math.round(took)} ms: ${body}`;
}

function uuidOf({ text: body }: Reply): string | undefined {
  const { data }: { data?: { loginData?: { uuid?: string } } } = JSON.parse(body);
  return data?.loginData?.uuid;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import {
  activeAt,
  auditorAt,
  avycennaChannel,
  oidcChannel,
  type Pair,
  type RefreshChannel,
  type Reply,
  send,
  unhurried,
  vseeChannel,
} from '../nodes/calls.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { type Findings, openLedger } from '../support/ledger.ts';
import { type Nodes, sharedNodes } from '../support/nodes.ts';
import { report } from './load.ts';

/** The long form: FAULT_ROUNDS=1000. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 4);
/** Milliseconds after which a client takes an answer for lost. */
const IMPATIENCE = 1500;
/** Milliseconds: more than the leeway of ten seconds. */
const PAST_LEEWAY = 10_500;

describe('Portico behind a network that loses replies', function () {
  this.timeout(120_000 + ROUNDS * 20_000);
  let nodes: Nodes;
  let proxy: FaultProxy;
  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
    proxy = await startFaultProxy({ host: '127.0.0.1', port: nodes.nodes[0]?.port ?? 0 });
  });
  after(() => proxy?.close());

  /** The first node, over the network that breaks. */
  const far = () => `http://${proxy.host}:${proxy.port}`;

  /** Sends a request whose reply the fault loses. */
  async function lose(fault: Fault, ask: () => Promise<Reply>): Promise<void> {
    proxy.set(fault);
    const asked = ask().then(
      () => 'answered',
      () => 'lost',
    );
    const outcome = await Promise.race([asked, sleep(IMPATIENCE, 'lost')]);
    // Half open: the connection stays until somebody gives up.
    proxy.set({ kind: 'reset' });
    proxy.set({ kind: 'none' });
    expect(outcome, 'the reply').to.equal('lost');
  }

  const CUTS: readonly [name: string, fault: Fault][] = [
    ['cut before its first byte', { kind: 'cut', after: 0 }],
    ['cut in its head', { kind: 'cut', after: 60 }],
    ['never delivered', { kind: 'half-open' }],
  ];

  for (const channel of [oidcChannel, vseeChannel]) {
    it(`T9 A7 ${ROUNDS} of ${ROUNDS} clients whose reply was lost after the commit recover (${channel.name})`, async () => {
      const ledger = openLedger();
      let recovered = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const [name, fault] = CUTS[round % CUTS.length] ?? ['', { kind: 'none' }];
        const line = ledger.open(`${channel.name} ${round}, ${name}`, await channel.signIn(nodes.url));
        await lose(fault, () => channel.refresh(far(), line.last.refresh));
        await happened(line.name, channel, line.last.refresh);
        const retried = await unhurried(() => channel.refresh(nodes.url, line.last.refresh));
        if (retried.status !== 200) continue;
        recovered += 1;
        line.input(channel.pair(retried));
      }
      const findings = await ledger.audit(auditorAt(nodes.url, () => channel));
      report(`A7 ${channel.name}`, { lost: ROUNDS, recovered, doubled: findings.doubled.length });
      expect(recovered).to.equal(ROUNDS);
      expect(findings).to.deep.include({ lost: [], doubled: [], undead: [] } satisfies Partial<Findings>);
    });
  }

  it('T9 A7 a second lost reply is recovered from like the first', async () => {
    const first = await oidcChannel.signIn(nodes.url);
    await lose({ kind: 'cut', after: 0 }, () => oidcChannel.refresh(far(), first.refresh));
    await lose({ kind: 'cut', after: 40 }, () => oidcChannel.refresh(far(), first.refresh));
    const third = await oidcChannel.refresh(nodes.url, first.refresh);
    expect(third.status).to.equal(200);
    expect((await oidcChannel.refresh(nodes.url, oidcChannel.pair(third).refresh)).status).to.equal(200);
  });

  it('T9 AVYCENNA promises that a used token fails, so a client whose reply was lost signs in again', async () => {
    const first = await avycennaChannel.signIn(nodes.url);
    await lose({ kind: 'cut', after: 0 }, () => avycennaChannel.refresh(far(), first.refresh));
    expect((await avycennaChannel.refresh(nodes.url, first.refresh)).status).to.equal(401);
    expect(await active(avycennaChannel, [first.access])).to.deep.equal([true]);
  });

  it('A7 a request that was never delivered used nothing', async () => {
    const first = await oidcChannel.signIn(nodes.url);
    await lose({ kind: 'black-hole' }, () => oidcChannel.refresh(far(), first.refresh));
    expect(await active(oidcChannel, [first.refresh])).to.deep.equal([true]);
    expect((await oidcChannel.refresh(nodes.url, first.refresh)).status).to.equal(200);
  });

  // The short form of this is among the tests of test/nodes.
  if (ROUNDS > 10) {
    it('A7 T7 a token that comes again after the leeway, its reply lost or not, ends its family', async () => {
      const prepared: { channel: RefreshChannel; first: Pair; sibling: Pair }[] = [];
      for (const channel of [oidcChannel, vseeChannel]) {
        const first = await channel.signIn(nodes.url);
        const sibling = await channel.signIn(nodes.url);
        await lose({ kind: 'cut', after: 0 }, () => channel.refresh(far(), first.refresh));
        prepared.push({ channel, first, sibling });
      }
      await sleep(PAST_LEEWAY);
      for (const { channel, first, sibling } of prepared) {
        expect((await channel.refresh(nodes.url, first.refresh)).status, channel.name).to.be.oneOf([
          400, 401,
        ]);
        expect(await active(channel, [first.access, first.refresh])).to.deep.equal([false, false]);
        expect(await active(channel, [sibling.access, sibling.refresh])).to.deep.equal([true, true]);
      }
    });
  }

  it('a slow network slows, and breaks nothing', async () => {
    proxy.set({ kind: 'latency', milliseconds: 150 });
    const reply = await send(`${far()}/livez`);
    proxy.set({ kind: 'none' });
    expect(reply.status).to.equal(200);
    expect(reply.took).to.be.greaterThan(299);
  });

  /** The refresh was delivered, so it comes to pass, also where its client lost patience before the server was done. */
  async function happened(what: string, channel: RefreshChannel, used: string): Promise<void> {
    const begun = performance.now();
    while ((await active(channel, [used]))[0] !== false) {
      if (performance.now() - begun > PAST_LEEWAY)
        throw new Error(`${what}: the lost refresh never happened.`);
      await sleep(50);
    }
  }

  function active(channel: RefreshChannel, tokens: readonly string[]): Promise<boolean[]> {
    return activeAt(nodes.url, channel, tokens);
  }
});

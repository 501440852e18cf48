import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type Nodes, sharedNodes } from '../support/nodes.ts';
import {
  activeAt,
  avycennaChannel,
  oidcChannel,
  type Pair,
  type RefreshChannel,
  revoke,
  times,
  vseeChannel,
} from './calls.ts';

/** The long form: FAULT_ROUNDS=1000. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 1);
const CHANNELS = [oidcChannel, vseeChannel, avycennaChannel];
/** Milliseconds: more than the leeway of ten seconds, and the reply's way. */
const PAST_LEEWAY = 10_500;

describe('refresh tokens over three nodes', function () {
  this.timeout(120_000 + ROUNDS * 20_000);
  let nodes: Nodes;
  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
  });

  const alive = (channel: RefreshChannel, tokens: readonly string[]) => activeAt(nodes.url, channel, tokens);
  const both = ({ access, refresh }: Pair) => [access, refresh];

  for (const channel of [oidcChannel, vseeChannel]) {
    it(`T8 A6 fifty parallel refreshes at the ${channel.name} channel get fifty answers and one successor`, async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const first = await channel.signIn(nodes.url);
        const replies = await times(50, () => channel.refresh(nodes.url, first.refresh));
        expect(replies.map(({ status }) => status)).to.deep.equal(Array(50).fill(200));
        const successors = new Set(replies.map((reply) => channel.pair(reply).refresh));
        expect(successors.size, 'successors').to.equal(1);
        const [successor = ''] = successors;
        const next = await channel.refresh(nodes.url, successor);
        expect(next.status, 'the successor works').to.equal(200);
        expect(await alive(channel, [first.refresh, successor, channel.pair(next).refresh])).to.deep.equal([
          false,
          false,
          true,
        ]);
      }
    });
  }

  it('T8 A6 of fifty at the AVYCENNA channel those in flight together share the one successor, the late ones get 401', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const first = await avycennaChannel.signIn(nodes.url);
      const replies = await times(50, () => avycennaChannel.refresh(nodes.url, first.refresh));
      const answered = replies.filter(({ status }) => status === 200);
      expect(answered.length, 'answered').to.be.greaterThan(1);
      expect(replies.filter(({ status }) => status === 401).length).to.equal(50 - answered.length);
      const successors = new Set(answered.map((reply) => avycennaChannel.pair(reply).refresh));
      expect(successors.size, 'successors').to.equal(1);
      const [successor = ''] = successors;
      expect((await avycennaChannel.refresh(nodes.url, successor)).status, 'the successor works').to.equal(
        200,
      );
    }
  });

  for (const channel of [oidcChannel, vseeChannel]) {
    it(`T9 a retry at another node gets the very same reply (${channel.name})`, async () => {
      const first = await channel.signIn(nodes.url);
      const lost = await channel.refresh(nodes.url, first.refresh);
      for (const node of nodes.nodes) {
        const retried = await channel.refresh(node.url, first.refresh);
        expect(retried.status).to.equal(200);
        expect(retried.json()).to.deep.equal(lost.json());
      }
    });
  }

  it('T9 AVYCENNA answers only requests in flight together; a later one is refused and ends nothing', async () => {
    const first = await avycennaChannel.signIn(nodes.url);
    const second = avycennaChannel.pair(await avycennaChannel.refresh(nodes.url, first.refresh));
    const [one, two] = nodes.nodes;
    for (const node of [one, two]) {
      const late = await avycennaChannel.refresh(node?.url ?? '', first.refresh);
      expect(late.status).to.equal(401);
      expect(late.json()).to.deep.equal({ detail: 'Invalid refresh token' });
    }
    expect((await avycennaChannel.refresh(nodes.url, second.refresh)).status).to.equal(200);
  });

  it('T8 a refresh that races a revocation on another node leaves nothing alive', async () => {
    for (let round = 0; round < 6 * ROUNDS; round += 1) {
      const channel = CHANNELS[round % CHANNELS.length] ?? oidcChannel;
      const first = await channel.signIn(nodes.url);
      const [one, two] = nodes.nodes;
      const [refreshed, revoked] = await Promise.all([
        channel.refresh(one?.url ?? '', first.refresh),
        revoke(two?.url ?? '', first.refresh, channel.introspector),
      ]);
      expect(revoked.status).to.equal(200);
      const created = refreshed.status === 200 ? both(channel.pair(refreshed)) : [];
      const after = `${channel.name}, round ${round}, the refresh answered ${refreshed.status}`;
      expect(await alive(channel, [...both(first), ...created]), after).to.not.include(true);
      for (const token of [first.refresh, ...created.slice(1)]) {
        expect((await channel.refresh(nodes.url, token)).status, after).to.be.oneOf([400, 401]);
      }
    }
  });

  for (const channel of [oidcChannel, vseeChannel]) {
    it(`T8 three rotations within a second, then the first again: no second line (${channel.name})`, async () => {
      const first = await channel.signIn(nodes.url);
      let newest = first;
      const line = [first];
      for (let i = 0; i < 3; i += 1) {
        newest = channel.pair(await channel.refresh(nodes.url, newest.refresh));
        line.push(newest);
      }
      const replayed = await channel.refresh(nodes.url, first.refresh);
      // In time, it is told what it was told before; nothing new begins.
      expect(replayed.status).to.equal(200);
      expect(channel.pair(replayed)).to.deep.equal(line[1]);
      const living = await alive(
        channel,
        line.map(({ refresh }) => refresh),
      );
      expect(living).to.deep.equal([false, false, false, true]);
      expect((await channel.refresh(nodes.url, newest.refresh)).status).to.equal(200);
    });
  }

  it('T7 A7 reuse after the leeway ends that family on every node, and a sibling sign-in lives', async () => {
    const prepared = await Promise.all(
      CHANNELS.map(async (channel) => {
        const [first, sibling] = await times(2, () => channel.signIn(nodes.url));
        if (!first || !sibling) throw new Error('There are two.');
        const second = channel.pair(await channel.refresh(nodes.url, first.refresh));
        return { door: channel, first, second, sibling };
      }),
    );
    await sleep(PAST_LEEWAY);
    for (const { door: channel, first, second, sibling } of prepared) {
      const reused = await channel.refresh(nodes.url, first.refresh);
      expect(reused.status, channel.name).to.be.oneOf([400, 401]);
      for (const node of nodes.nodes) {
        const next = await channel.refresh(node.url, second.refresh);
        expect(next.status, `${channel.name}: the successor is dead`).to.be.oneOf([400, 401]);
      }
      expect(await alive(channel, [...both(first), ...both(second)]), channel.name).to.not.include(true);
      expect(await alive(channel, both(sibling)), `${channel.name}: the sibling`).to.not.include(false);
      expect((await channel.refresh(nodes.url, sibling.refresh)).status).to.equal(200);
    }
  });
});

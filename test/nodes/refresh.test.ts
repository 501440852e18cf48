import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { Nodes } from '../support/nodes.ts';
import { sharedNodes } from '../support/nodes.ts';
import type { Pair, RefreshDoor } from './calls.ts';
import { activeAt, avycennaDoor, oidcDoor, revoke, times, vseeDoor } from './calls.ts';

/** The long form: FAULT_ROUNDS=1000. */
const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 1);
const DOORS = [oidcDoor, vseeDoor, avycennaDoor];
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

  const alive = (door: RefreshDoor, tokens: readonly string[]) => activeAt(nodes.url, door, tokens);
  const both = ({ access, refresh }: Pair) => [access, refresh];

  for (const door of [oidcDoor, vseeDoor]) {
    it(`T8 A6 fifty parallel refreshes at the ${door.name} door get fifty answers and one successor`, async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const first = await door.signIn(nodes.url);
        const replies = await times(50, () => door.refresh(nodes.url, first.refresh));
        expect(replies.map(({ status }) => status)).to.deep.equal(Array(50).fill(200));
        const successors = new Set(replies.map((reply) => door.pair(reply).refresh));
        expect(successors.size, 'successors').to.equal(1);
        const [successor = ''] = successors;
        const next = await door.refresh(nodes.url, successor);
        expect(next.status, 'the successor works').to.equal(200);
        expect(await alive(door, [first.refresh, successor, door.pair(next).refresh])).to.deep.equal([
          false,
          false,
          true,
        ]);
      }
    });
  }

  it('T8 A6 of fifty at the AVYCENNA door those in flight together share the one successor, the late ones get 401', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const first = await avycennaDoor.signIn(nodes.url);
      const replies = await times(50, () => avycennaDoor.refresh(nodes.url, first.refresh));
      const answered = replies.filter(({ status }) => status === 200);
      expect(answered.length, 'answered').to.be.greaterThan(1);
      expect(replies.filter(({ status }) => status === 401).length).to.equal(50 - answered.length);
      const successors = new Set(answered.map((reply) => avycennaDoor.pair(reply).refresh));
      expect(successors.size, 'successors').to.equal(1);
      const [successor = ''] = successors;
      expect((await avycennaDoor.refresh(nodes.url, successor)).status, 'the successor works').to.equal(200);
    }
  });

  for (const door of [oidcDoor, vseeDoor]) {
    it(`T9 a retry at another node gets the very same reply (${door.name})`, async () => {
      const first = await door.signIn(nodes.url);
      const lost = await door.refresh(nodes.url, first.refresh);
      for (const node of nodes.nodes) {
        const retried = await door.refresh(node.url, first.refresh);
        expect(retried.status).to.equal(200);
        expect(retried.json()).to.deep.equal(lost.json());
      }
    });
  }

  it('T9 AVYCENNA answers only requests in flight together; a later one is refused and ends nothing', async () => {
    const first = await avycennaDoor.signIn(nodes.url);
    const second = avycennaDoor.pair(await avycennaDoor.refresh(nodes.url, first.refresh));
    const [one, two] = nodes.nodes;
    for (const node of [one, two]) {
      const late = await avycennaDoor.refresh(node?.url ?? '', first.refresh);
      expect(late.status).to.equal(401);
      expect(late.json()).to.deep.equal({ detail: 'Invalid refresh token' });
    }
    expect((await avycennaDoor.refresh(nodes.url, second.refresh)).status).to.equal(200);
  });

  it('T8 a refresh that races a revocation on another node leaves nothing alive', async () => {
    for (let round = 0; round < 6 * ROUNDS; round += 1) {
      const door = DOORS[round % DOORS.length] ?? oidcDoor;
      const first = await door.signIn(nodes.url);
      const [one, two] = nodes.nodes;
      const [refreshed, revoked] = await Promise.all([
        door.refresh(one?.url ?? '', first.refresh),
        revoke(two?.url ?? '', first.refresh, door.introspector),
      ]);
      expect(revoked.status).to.equal(200);
      const made = refreshed.status === 200 ? both(door.pair(refreshed)) : [];
      const after = `${door.name}, round ${round}, the refresh answered ${refreshed.status}`;
      expect(await alive(door, [...both(first), ...made]), after).to.not.include(true);
      for (const token of [first.refresh, ...made.slice(1)]) {
        expect((await door.refresh(nodes.url, token)).status, after).to.be.oneOf([400, 401]);
      }
    }
  });

  for (const door of [oidcDoor, vseeDoor]) {
    it(`T8 three rotations within a second, then the first again: no second line (${door.name})`, async () => {
      const first = await door.signIn(nodes.url);
      let newest = first;
      const line = [first];
      for (let i = 0; i < 3; i += 1) {
        newest = door.pair(await door.refresh(nodes.url, newest.refresh));
        line.push(newest);
      }
      const replayed = await door.refresh(nodes.url, first.refresh);
      // In time, it is told what it was told before; nothing new begins.
      expect(replayed.status).to.equal(200);
      expect(door.pair(replayed)).to.deep.equal(line[1]);
      const living = await alive(
        door,
        line.map(({ refresh }) => refresh),
      );
      expect(living).to.deep.equal([false, false, false, true]);
      expect((await door.refresh(nodes.url, newest.refresh)).status).to.equal(200);
    });
  }

  it('T7 A7 reuse after the leeway ends that family on every node, and a sibling sign-in lives', async () => {
    const prepared = await Promise.all(
      DOORS.map(async (door) => {
        const [first, sibling] = await times(2, () => door.signIn(nodes.url));
        if (!first || !sibling) throw new Error('There are two.');
        const second = door.pair(await door.refresh(nodes.url, first.refresh));
        return { door, first, second, sibling };
      }),
    );
    await sleep(PAST_LEEWAY);
    for (const { door, first, second, sibling } of prepared) {
      const reused = await door.refresh(nodes.url, first.refresh);
      expect(reused.status, door.name).to.be.oneOf([400, 401]);
      for (const node of nodes.nodes) {
        const next = await door.refresh(node.url, second.refresh);
        expect(next.status, `${door.name}: the successor is dead`).to.be.oneOf([400, 401]);
      }
      expect(await alive(door, [...both(first), ...both(second)]), door.name).to.not.include(true);
      expect(await alive(door, both(sibling)), `${door.name}: the sibling`).to.not.include(false);
      expect((await door.refresh(nodes.url, sibling.refresh)).status).to.equal(200);
    }
  });
});

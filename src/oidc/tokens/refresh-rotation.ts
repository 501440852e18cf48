/**
 * One refresh token, one successor, over all nodes (engine.md, Refresh races; security.md T7 to T9).
 *
 * Whoever presents a refresh token first takes the *turn* (a claim in the shared store), makes the
 * successor, settles the claim with the sealed reply, and only then marks the token used and answers.
 * Everyone else who comes while the turn runs, or within the leeway after it, gets the settled reply.
 *
 * - A crash before settling: nobody was answered, the claim runs out, the token is as good as before.
 * - A crash between settling and marking: whoever replays marks first. If nobody does, nobody has the
 *   successor, and making another one starts no second line.
 * - A revocation removes the used token's record; whoever makes or replays looks for it last.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { ClaimStore } from '../../store/ports/leases.ts';
import type { Artifacts } from '../persistence/records.ts';

/** A turn that takes longer is taken for crashed; until then a crash keeps the token's next user waiting. Milliseconds. */
const TURN = 4200;
/** How long a request waits for another one's turn: longer than a turn, so that a crash costs a wait and no error. Milliseconds. */
const PATIENCE = 4500;
/** Results stay this much longer than the leeway, so that the used token's own time decides. Seconds. */
const MARGIN = 5;

export interface Turn {
  /**
   * Stores the reply for the leeway (seconds) and marks the token used. Unless it is 'settled' what was made
   * must go: the token was 'revoked' meanwhile, or this turn took too long ('late') and somebody else may have
   * the next one, so that the client must ask again.
   */
  settle(reply: string, leeway: number): Promise<'settled' | 'revoked' | 'late'>;
  /** Gives the turn up: the token is as good as before. */
  release(): Promise<void>;
}

export interface Settled {
  readonly reply: string;
  readonly at: Date;
}

export interface Rotations {
  /**
   * Takes the turn, or waits for the one who has it. 'spent': used before, and its reply is gone.
   * `used`: the caller saw the token marked already, so it cannot take the turn.
   * Throws StoreUnavailable when the other one's turn does not end.
   */
  enter(token: string, options: { used: boolean }): Promise<{ turn: Turn } | { settled: Settled } | 'spent'>;
}

export function createRotations(parts: {
  claims: ClaimStore;
  artifacts: Artifacts;
  secrets: Secrets;
  clock: Clock;
}): Rotations {
  const { claims, artifacts, secrets, clock } = parts;
  const keyOf = (token: string) => `rotation:${secrets.mac('rotation', token)}`;

  const isThere = async (token: string) => (await artifacts.load('RefreshToken', token)) !== undefined;

  function turnOf(token: string, owner: string): Turn {
    const key = keyOf(token);
    return {
      async settle(reply, leeway) {
        const at = clock.now();
        const until = new Date(at.getTime() + (leeway + MARGIN) * 1000);
        const held = await claims.settle(key, owner, { sealed: secrets.seal(reply, key), at, until });
        if (!held) return (await isThere(token)) ? 'late' : 'revoked';
        // False also when somebody who replayed was faster: then the record is still there.
        const marked = await artifacts.consume('RefreshToken', token);
        if (marked || (await isThere(token))) return 'settled';
        await claims.forget(key);
        return 'revoked';
      },
      release: () => claims.release(key, owner),
    };
  }

  async function tryTurn(token: string): Promise<{ turn: Turn } | 'spent' | undefined> {
    const owner = randomUUID();
    const now = clock.now();
    const mine = await claims.claim(keyOf(token), owner, now, new Date(now.getTime() + TURN));
    if (!mine) return undefined;
    // Somebody may have finished a whole turn between the caller's look at the token and this claim.
    const record = await artifacts.load('RefreshToken', token);
    if (record && !record.consumedAt) return { turn: turnOf(token, owner) };
    await claims.release(keyOf(token), owner);
    return 'spent';
  }

  async function settledReply(
    token: string,
    state: { sealed: string; at: Date },
  ): Promise<{ settled: Settled } | 'spent'> {
    await artifacts.consume('RefreshToken', token);
    if (!(await isThere(token))) return 'spent';
    return { settled: { reply: secrets.open(state.sealed, keyOf(token)), at: state.at } };
  }

  return {
    async enter(token, { used }) {
      const deadline = performance.now() + PATIENCE;
      for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 2, 80)) {
        const taken = used ? undefined : await tryTurn(token);
        if (taken !== undefined) return taken;
        const state = await claims.read(keyOf(token), clock.now());
        if (typeof state === 'object') return settledReply(token, state);
        if (used && state === 'free') return 'spent';
        await delay(pause);
      }
      throw new StoreUnavailable('claims', { cause: new Error('A rotation did not end in time.') });
    },
  };
}

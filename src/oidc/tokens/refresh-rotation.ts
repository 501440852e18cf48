/**
 * Refresh token rotation: one refresh token, one successor, over all nodes.
 *
 * The first request with a refresh token takes the lease in the shared store, makes the successor, completes
 * the lease with the encrypted reply, and only then marks the token used and answers. Every other request
 * that arrives while the lease runs, or within the leeway after it, gets the same reply.
 *
 * - A crash before completing: no client was answered, the lease runs out, the token is as good as before.
 * - A crash between completing and marking: a retry marks first. If no retry arrives, no client holds the
 *   successor, so issuing a new one cannot fork the token family.
 * - A revocation removes the used token's record; making and replaying both look for it last.
 *
 * A store that has records and leases in one place does all of it in one step, which finds the token unused or
 * changes nothing.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import type { OidcRecords, UnsavedRecord } from '../persistence/records.ts';

/** A lease that runs longer is taken for crashed; until then a crash keeps the next request waiting. Milliseconds. */
const LEASE = 4200;
/** How long a request waits for another one's lease: longer than a lease, so that a crash costs a wait and no error. Milliseconds. */
const PATIENCE = 4500;
/** Results stay this much longer than the leeway, so that the used token's own time decides. Seconds. */
const MARGIN = 5;

/** Whether the leeway (seconds) after `moment` runs still. `moment`: epoch seconds, with a fraction. */
export function within(moment: number, { clock, leeway }: { clock: Clock; leeway: number }): boolean {
  return clock.now().getTime() <= (moment + leeway) * 1000;
}

export type Rotations = ReturnType<typeof createRotations>;
export type RotationLease = Extract<Awaited<ReturnType<Rotations['enter']>>, { lease: unknown }>['lease'];

export interface Rotated {
  readonly successors: readonly UnsavedRecord[];
  readonly reply: string;
  /** Seconds. */
  readonly leeway: number;
}

export function createRotations(deps: {
  leases: LeaseStore;
  oidcRecords: OidcRecords;
  secrets: Secrets;
  clock: Clock;
}) {
  const { leases, oidcRecords, secrets, clock } = deps;
  const keyOf = (token: string) => `rotation:${secrets.hmac('rotation', token)}`;

  const isThere = async (token: string) => (await oidcRecords.load('RefreshToken', token)) !== undefined;

  function leaseOf(token: string, owner: string) {
    const key = keyOf(token);
    return {
      /**
       * Stores the reply for the leeway (seconds) and marks the token used. Unless it is 'completed' the caller
       * deletes what it made: the token was 'revoked' meanwhile, or the lease ran out ('late') and another
       * request may have the next one, so that the client must ask again.
       */
      async complete(reply: string, leeway: number): Promise<'completed' | 'revoked' | 'late'> {
        const held = await leases.complete(key, owner, resultOf(key, { reply, leeway }));
        if (!held) return (await isThere(token)) ? 'late' : 'revoked';
        // False also when a replaying request was faster: then the record is still there.
        const marked = await oidcRecords.consume('RefreshToken', token);
        if (marked || (await isThere(token))) return 'completed';
        await leases.forget(key);
        return 'revoked';
      },
      /** Gives the lease up: the token is as good as before. */
      release: () => leases.release(key, owner),
    };
  }

  async function tryLease(token: string) {
    const owner = randomUUID();
    const now = clock.now();
    const mine = await leases.acquire(keyOf(token), owner, now, new Date(now.getTime() + LEASE));
    if (!mine) return undefined;
    // Another request may have completed a whole lease between the caller's look at the token and this one.
    const record = await oidcRecords.load('RefreshToken', token);
    if (record && !record.consumedAt) return { lease: leaseOf(token, owner) };
    await leases.release(keyOf(token), owner);
    return 'spent';
  }

  async function completedReply(token: string, state: { encrypted: string; at: Date }) {
    await oidcRecords.consume('RefreshToken', token);
    if (!(await isThere(token))) return 'spent';
    return { completed: { reply: secrets.decrypt(state.encrypted, keyOf(token)), at: state.at } };
  }

  /** What a lease keeps of a reply, for the leeway (seconds). */
  function resultOf(key: string, { reply, leeway }: { reply: string; leeway: number }) {
    const at = clock.now();
    const until = new Date(at.getTime() + (leeway + MARGIN) * 1000);
    return { encrypted: secrets.encrypt(reply, key), at, until };
  }

  /**
   * Takes the lease, or waits for the request that has it. 'spent': used before, and its reply is gone.
   * `used`: the caller saw the token marked already, so it cannot take the lease.
   * Throws StoreUnavailable when the other request's lease does not end.
   */
  async function enter(token: string, { used }: { used: boolean }) {
    const deadline = performance.now() + PATIENCE;
    for (let pause = 5; performance.now() < deadline; pause = Math.min(pause * 2, 80)) {
      const taken = used ? undefined : await tryLease(token);
      if (taken !== undefined) return taken;
      const state = await leases.read(keyOf(token), clock.now());
      if (typeof state === 'object') return completedReply(token, state);
      if (used && state === 'free') return 'spent';
      await delay(pause);
    }
    throw new StoreUnavailable('leases', { cause: new Error('A rotation did not end in time.') });
  }

  async function rotateUnderLease(token: string, { successors, reply, leeway }: Rotated): Promise<boolean> {
    const entered = await enter(token, { used: false });
    if (entered === 'spent' || 'completed' in entered) return false;
    const { lease } = entered;
    let outcome: Awaited<ReturnType<typeof lease.complete>> | undefined;
    try {
      await oidcRecords.saveAll(successors);
      outcome = await lease.complete(reply, leeway);
    } finally {
      if (outcome === undefined) await lease.release();
    }
    if (outcome === 'completed') return true;
    await Promise.all(successors.map(({ kind, value }) => oidcRecords.remove(kind, value)));
    if (outcome === 'late') throw new StoreUnavailable('leases', { cause: new Error('The lease ran out.') });
    return false;
  }

  return {
    enter,
    /**
     * Stores the successors and the reply and marks the token used, in the shortest way that the store has. False:
     * another request was faster, or the token is gone, and nothing is left of this one. Throws StoreUnavailable.
     */
    rotate(token: string, rotated: Rotated): Promise<boolean> {
      if (!oidcRecords.rotatesAtOnce) return rotateUnderLease(token, rotated);
      const key = keyOf(token);
      const lease = { key, owner: randomUUID(), ...resultOf(key, rotated) };
      return oidcRecords.rotate(token, rotated.successors, lease);
    },
  };
}

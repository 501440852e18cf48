/** GrantIssuer.rotate: refresh-rotation.ts for the refresh tokens of dialects. */

import { StoreUnavailable } from '../../core/errors.ts';
import type { GrantIssuer, IssuedGrant, RotationInput } from '../grant-contract.ts';
import type { OidcRecord } from '../persistence/records.ts';
import {
  endGrant,
  type GrantIssuerDeps,
  liveToken,
  type SignIn,
  seconds,
  type TokenMaker,
} from './dialect-tokens.ts';
import { type RotationLease, within } from './refresh-rotation.ts';
import { handleOf } from './token-handle.ts';

type Rotated = IssuedGrant & { accountId: string };

export function createDialectRotation(deps: GrantIssuerDeps & { make: TokenMaker }): GrantIssuer['rotate'] {
  const { oidcRecords, rotations, clock, reused, make } = deps;

  return async function rotate(input) {
    const result = await oidcRecords.load('RefreshToken', input.token);
    if (result?.payload.clientId !== input.clientId) return undefined;
    const { organization = result.payload.organization } = input;
    if (result.payload.organization !== organization) return undefined;
    const { consumedAt } = result;
    if (consumedAt && !within(consumedAt.getTime() / 1000, { clock, leeway: input.leeway })) {
      await endGrant(oidcRecords, String(result.payload.grantId));
      reused({ clientId: input.clientId, accountId: String(result.payload.accountId) });
      return undefined;
    }
    if (oidcRecords.rotatesAtOnce && consumedAt === undefined) {
      const made = await successorOf(result, input);
      if (made === undefined) return undefined;
      const { created, successors } = made;
      const rotated = { successors, reply: JSON.stringify(created), leeway: input.leeway };
      if (await rotations.rotate(input.token, rotated)) return created;
      // Another request was faster, or the sign-in has ended.
    }
    const entered = await rotations.enter(input.token, { used: consumedAt !== undefined });
    if (entered === 'spent') return undefined;
    if ('lease' in entered) return makeSuccessor(result, input, entered.lease);
    // Where the vendor promises that a used token fails, only what was on its way already is answered.
    if (input.reuse === 'in-flight' && input.arrivedAt > entered.completed.at) return undefined;
    const replayed: Rotated = JSON.parse(entered.completed.reply);
    return replayed;
  };

  async function makeSuccessor(
    result: OidcRecord,
    input: RotationInput,
    lease: RotationLease,
  ): Promise<Rotated | undefined> {
    let created: Rotated | undefined;
    try {
      const made = await successorOf(result, input);
      if (made !== undefined) await oidcRecords.saveAll(made.successors);
      created = made?.created;
    } finally {
      // Refused, or failed: the token stays as good as it was.
      if (created === undefined) await lease.release();
    }
    if (created === undefined) return undefined;
    const outcome = await lease.complete(JSON.stringify(created), input.leeway);
    if (outcome === 'completed') return created;
    await Promise.all([
      oidcRecords.remove('RefreshToken', String(created.refresh?.value)),
      oidcRecords.remove('AccessToken', handleOf(created.access.value)),
    ]);
    // The grant and the tokens of a faster request stay.
    if (outcome === 'late') throw new StoreUnavailable('leases', { cause: new Error('The lease ran out.') });
    await endGrant(oidcRecords, created.grantId);
    return undefined;
  }

  /** Undefined: refused. Nothing of it is stored yet. */
  async function successorOf(result: OidcRecord, input: RotationInput) {
    const live = liveToken(result);
    const prepared = await input.prepare(live);
    if (!prepared) return undefined;
    const { payload } = result;
    // The end that the family began with. A family that began without one gets the end that is prepared.
    const endsAt = typeof payload.endsAt === 'number' ? payload.endsAt : undefined;
    const signIn: SignIn = live;
    const now = seconds(clock);
    const grant = await oidcRecords.read('Grant', live.grantId);
    if (!grant) return undefined;
    // Extended seldom: once in a lifetime of the refresh token.
    const short = Number(grant.payload.exp) < now + prepared.refresh.lifetime + 60;
    const access = await make.access(signIn, prepared.access);
    const refresh = make.refresh(signIn, { ...prepared.refresh, ...(endsAt !== undefined && { endsAt }) });
    const longer = short ? [make.grant(signIn, now + 2 * prepared.refresh.lifetime)] : [];
    const { grantId, accountId } = live;
    const created: Rotated = { grantId, accountId, access: access.token, refresh: refresh.token };
    return { created, successors: [access.record, refresh.record, ...longer] };
  }
}

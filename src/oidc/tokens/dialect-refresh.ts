/** GrantIssuer.rotate: refresh-rotation.ts for the refresh tokens of dialects. */

import { StoreUnavailable } from '../../core/errors.ts';
import type { GrantIssuer, IssuedGrant, RotationWanted } from '../contract.ts';
import type { Artifact } from '../persistence/records.ts';
import type { GrantIssuerParts, SignIn, TokenMaker } from './dialect-tokens.ts';
import { endGrant, liveToken, seconds } from './dialect-tokens.ts';
import { within } from './leeway.ts';
import type { Turn } from './refresh-rotation.ts';
import { handleOf } from './token-handle.ts';

type Rotated = IssuedGrant & { accountId: string };

export function createDialectRotation(parts: GrantIssuerParts & { make: TokenMaker }): GrantIssuer['rotate'] {
  const { artifacts, rotations, clock, reused, make } = parts;

  return async function rotate(wanted) {
    const found = await artifacts.load('RefreshToken', wanted.token);
    if (found?.payload.clientId !== wanted.clientId) return undefined;
    const { organization = found.payload.organization } = wanted;
    if (found.payload.organization !== organization) return undefined;
    const { consumedAt } = found;
    if (consumedAt && !within(consumedAt.getTime() / 1000, { clock, leeway: wanted.leeway })) {
      await endGrant(artifacts, String(found.payload.grantId));
      reused({ clientId: wanted.clientId, accountId: String(found.payload.accountId) });
      return undefined;
    }
    const entered = await rotations.enter(wanted.token, { used: consumedAt !== undefined });
    if (entered === 'spent') return undefined;
    if ('turn' in entered) return makeSuccessor(found, wanted, entered.turn);
    // Where the vendor promises that a used token fails, only what was on its way already is answered.
    if (wanted.reuse === 'in-flight' && wanted.arrivedAt > entered.settled.at) return undefined;
    return JSON.parse(entered.settled.reply) as Rotated;
  };

  async function makeSuccessor(
    found: Artifact,
    wanted: RotationWanted,
    turn: Turn,
  ): Promise<Rotated | undefined> {
    let made: Rotated | undefined;
    try {
      made = await successorOf(found, wanted);
    } finally {
      // Refused, or failed: the token stays as good as it was.
      if (made === undefined) await turn.release();
    }
    if (made === undefined) return undefined;
    const outcome = await turn.settle(JSON.stringify(made), wanted.leeway);
    if (outcome === 'settled') return made;
    await Promise.all([
      artifacts.remove('RefreshToken', String(made.refresh?.value)),
      artifacts.remove('AccessToken', handleOf(made.access.value)),
    ]);
    // The grant and the tokens of a faster turn stay.
    if (outcome === 'late') throw new StoreUnavailable('claims', { cause: new Error('The turn was over.') });
    await endGrant(artifacts, made.grantId);
    return undefined;
  }

  async function successorOf(found: Artifact, wanted: RotationWanted): Promise<Rotated | undefined> {
    const live = liveToken(found);
    const prepared = await wanted.prepare(live);
    if (!prepared) return undefined;
    const { payload } = found;
    // The end that the line began with. One that began without gets the end that is prepared.
    const endsAt = typeof payload.endsAt === 'number' ? payload.endsAt : undefined;
    const signIn: SignIn = live;
    const now = seconds(clock);
    const grant = await artifacts.load('Grant', live.grantId);
    if (!grant) return undefined;
    // Extended seldom: once in a lifetime of the refresh token.
    const short = Number(grant.payload.exp) < now + prepared.refresh.lifetime + 60;
    const [access, refresh] = await Promise.all([
      make.access(signIn, prepared.access),
      make.refresh(signIn, { ...prepared.refresh, ...(endsAt !== undefined && { endsAt }) }),
      short && make.keepGrant(signIn, now + 2 * prepared.refresh.lifetime),
    ]);
    return { grantId: live.grantId, accountId: live.accountId, access, refresh };
  }
}

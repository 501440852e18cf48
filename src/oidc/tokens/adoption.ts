/**
 * GrantIssuer.adopt: a token that a legacy system made becomes one of this server, under its own value. The client
 * goes on with what it has; introspection, revocation and the end of the account find it like any other token.
 *
 * A token is adopted once. Its mark is stored before it works, and stays as long as its maker takes it: one that was
 * signed out, revoked, ended with its account or lived here as long as it may has a mark and no record, so it is dead
 * for good.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { randomToken } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { AdoptedToken, AdoptionInput, GrantIssuer } from '../grant-contract.ts';
import type { UnsavedRecord } from '../persistence/records.ts';
import { type GrantIssuerDeps, type SignIn, seconds, type TokenMaker } from './dialect-tokens.ts';
import { handleOf } from './token-handle.ts';

const MARK = 'Adoption';
/** Milliseconds that an adoption under way may take. */
const PATIENCE = 3000;
/** Seconds in which what was learned of a token before it ended at its maker is worked off. */
const LEARNED_LATE = 600;

export function createAdoption({
  oidcRecords,
  clock,
  make,
}: Pick<GrantIssuerDeps, 'oidcRecords' | 'clock'> & { make: TokenMaker }): Pick<
  GrantIssuer,
  'adopt' | 'adoptionOf' | 'refuseAdoption'
> {
  const isThere = async (token: string) => {
    const [access, refresh] = await Promise.all([
      oidcRecords.load('AccessToken', handleOf(token)),
      oidcRecords.load('RefreshToken', token),
    ]);
    return access !== undefined || refresh !== undefined;
  };

  /** True for exactly one caller, over all nodes and for as long as the mark is there. */
  async function mark(value: string, lifetime: number | undefined): Promise<boolean> {
    const handle = handleOf(value);
    // One that is there stays as long as it was said to.
    if ((await oidcRecords.load(MARK, handle)) === undefined)
      await oidcRecords.save(MARK, handle, {}, lifetime);
    return oidcRecords.consume(MARK, handle);
  }

  async function isAdopted({ value, endsAt, expiresAt }: AdoptedToken): Promise<boolean> {
    const now = seconds(clock);
    const lifetime = endsAt === undefined ? undefined : Math.max(endsAt, expiresAt) - now;
    return expiresAt > now && mark(value, lifetime);
  }

  async function adoptionOf(token: string): Promise<'none' | 'alive' | 'dead'> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const found = await oidcRecords.load(MARK, handleOf(token));
      if (found === undefined) return 'none';
      if (await isThere(token)) return 'alive';
      const at = found.consumedAt ?? found.createdAt;
      if (clock.now().getTime() - at.getTime() > PATIENCE) return 'dead';
      if (performance.now() > deadline) {
        throw new StoreUnavailable('oidc records', { cause: new Error('An adoption did not end in time.') });
      }
      await delay(20);
    }
  }

  return {
    adoptionOf,
    refuseAdoption: (token) => mark(token, LEARNED_LATE),
    async adopt(input: AdoptionInput) {
      const [access, refresh] = await Promise.all(
        [input.access, input.refresh].map(async (token) =>
          token !== undefined && (await isAdopted(token)) ? token : undefined,
        ),
      );
      // One half of a sign-in that has ended is not adopted without the other.
      const halves = input.access !== undefined && refresh !== undefined && access === undefined;
      if (halves && (await adoptionOf(input.access.value)) === 'dead') return undefined;
      const signIn: SignIn = { ...input, amr: [], grantId: randomToken() };
      const records: UnsavedRecord[] = [
        ...(access && input.access ? [make.adoptedAccess(signIn, { ...input.access, ...access })] : []),
        ...(refresh ? [make.adoptedRefresh(signIn, refresh)] : []),
      ];
      if (records.length === 0) return undefined;
      const ends = [access, refresh].map((token) => token?.expiresAt ?? 0);
      // A refresh token's successors live as long as their family may.
      await oidcRecords.saveAll([...records, make.grant(signIn, Math.max(...ends))]);
      return { grantId: signIn.grantId };
    },
  };
}

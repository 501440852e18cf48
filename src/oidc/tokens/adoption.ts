/**
 * GrantIssuer.adopt: a token that a legacy system made becomes one of this server, under its own value. The client
 * goes on with what it has; introspection, revocation and the end of the account find it like any other token.
 *
 * A token is adopted once. Its mark is stored before it works, and outlives it: one that was signed out, revoked or
 * ended with its account has a mark and no record, so it is dead for good.
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

export function createAdoption({
  oidcRecords,
  clock,
  make,
}: Pick<GrantIssuerDeps, 'oidcRecords' | 'clock'> & { make: TokenMaker }): Pick<
  GrantIssuer,
  'adopt' | 'adoptionOf'
> {
  const isThere = async (token: string) => {
    const [access, refresh] = await Promise.all([
      oidcRecords.load('AccessToken', handleOf(token)),
      oidcRecords.load('RefreshToken', token),
    ]);
    return access !== undefined || refresh !== undefined;
  };

  /** True for exactly one caller, over all nodes and for as long as the mark is there. */
  async function mark({ value, expiresAt }: AdoptedToken): Promise<boolean> {
    const handle = handleOf(value);
    await oidcRecords.save(MARK, handle, {}, expiresAt - seconds(clock));
    return oidcRecords.consume(MARK, handle);
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
    async adopt(input: AdoptionInput) {
      const now = seconds(clock);
      const [access, refresh] = await Promise.all(
        [input.access, input.refresh].map(async (token) => {
          if (token === undefined || token.expiresAt <= now) return undefined;
          return (await mark(token)) ? token : undefined;
        }),
      );
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

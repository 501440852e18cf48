/**
 * Tokens of dialects: the only place that makes tokens outside the engine's own endpoints. One sign-in is
 * one Grant; its access and refresh tokens hang on it.
 */
import { randomToken } from '../../core/crypto.ts';
import type { GrantIssuer, GrantWanted } from '../contract.ts';
import type { Artifact } from '../persistence/records.ts';
import { createDialectRotation } from './dialect-refresh.ts';
import type { GrantIssuerParts, SignIn } from './dialect-tokens.ts';
import { createTokenMaker, endGrant, liveToken, seconds } from './dialect-tokens.ts';
import { handleOf } from './token-handle.ts';

export function createGrantIssuer(parts: GrantIssuerParts): GrantIssuer {
  const { artifacts, clock } = parts;
  const make = createTokenMaker(parts);
  const loadAccess = (token: string) => artifacts.load('AccessToken', handleOf(token));
  const ofClient = (found: Artifact | undefined, clientId: string) =>
    found?.payload.clientId === clientId ? found : undefined;

  return {
    async issue(wanted: GrantWanted) {
      const now = seconds(clock);
      const signIn: SignIn = { ...wanted, grantId: randomToken(), signedInAt: now };
      const longest = Math.max(wanted.access.lifetime, 2 * (wanted.refresh?.lifetime ?? 0));
      const [access, refresh] = await Promise.all([
        make.access(signIn, wanted.access),
        wanted.refresh && make.refresh(signIn, wanted.refresh),
        make.keepGrant(signIn, now + longest),
      ]);
      return { grantId: signIn.grantId, access, ...(refresh && { refresh }) };
    },
    async findAccess(token, clientId) {
      const found = ofClient(await loadAccess(token), clientId);
      return found && liveToken(found);
    },
    async findRefresh(token, clientId) {
      const found = ofClient(await artifacts.load('RefreshToken', token), clientId);
      return found && !found.consumedAt ? liveToken(found) : undefined;
    },
    rotate: createDialectRotation({ ...parts, make }),
    async grantOf(token, clientId) {
      const [access, refresh] = await Promise.all([loadAccess(token), artifacts.load('RefreshToken', token)]);
      const found = ofClient(access, clientId) ?? ofClient(refresh, clientId);
      if (!found) return undefined;
      return { grantId: String(found.payload.grantId), accountId: String(found.payload.accountId) };
    },
    endGrant: (grantId) => endGrant(artifacts, grantId),
    async destroyAccess(token, clientId) {
      const found = ofClient(await loadAccess(token), clientId);
      return found !== undefined && (await artifacts.removeStored('AccessToken', found.id));
    },
  };
}

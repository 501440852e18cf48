/**
 * Tokens of dialects: the only place that makes tokens outside the provider's own endpoints. One sign-in is
 * one Grant; its access and refresh tokens hang on it.
 */
import { randomToken } from '../../core/crypto.ts';
import type { GrantInput, GrantIssuer } from '../grant-contract.ts';
import type { OidcRecord } from '../persistence/records.ts';
import { createAdoption } from './adoption.ts';
import { createDialectRotation } from './dialect-refresh.ts';
import {
  createTokenMaker,
  endGrant,
  endParent,
  type GrantIssuerDeps,
  liveToken,
  type SignIn,
  seconds,
} from './dialect-tokens.ts';
import { handleOf, keyIdOf } from './token-handle.ts';

export function createGrantIssuer(deps: GrantIssuerDeps): GrantIssuer {
  const { oidcRecords, clock } = deps;
  const make = createTokenMaker(deps);
  const loadAccess = (token: string) => oidcRecords.read('AccessToken', handleOf(token));
  const ofClient = (result: OidcRecord | undefined, clientId: string) =>
    result?.payload.clientId === clientId ? result : undefined;

  /** Asked of exchanged tokens alone: the other ones end with their Grant. */
  const hasGrant = async ({ payload: { parent, grantId } }: OidcRecord) =>
    parent === undefined || (await oidcRecords.read('Grant', String(grantId))) !== undefined;

  return {
    async issue(input: GrantInput) {
      const now = seconds(clock);
      const signIn: SignIn = { ...input, grantId: randomToken(), signedInAt: now };
      const longest = Math.max(input.access.lifetime, 2 * (input.refresh?.lifetime ?? 0));
      const access = await make.access(signIn, input.access);
      const refresh = input.refresh && make.refresh(signIn, input.refresh);
      const grant = make.grant(signIn, now + longest);
      await oidcRecords.saveAll([access.record, ...(refresh ? [refresh.record] : []), grant]);
      return { grantId: signIn.grantId, access: access.token, ...(refresh && { refresh: refresh.token }) };
    },
    async findAccess(token, clientId) {
      const result = ofClient(await loadAccess(token), clientId);
      return result && (await hasGrant(result)) ? liveToken(result) : undefined;
    },
    async findRefresh(token, clientId) {
      const result = ofClient(await oidcRecords.load('RefreshToken', token), clientId);
      return result && !result.consumedAt ? liveToken(result) : undefined;
    },
    rotate: createDialectRotation({ ...deps, make }),
    ...createAdoption({ oidcRecords, clock, make }),
    async grantOf(token, clientId) {
      const [access, refresh] = await Promise.all([
        loadAccess(token),
        oidcRecords.load('RefreshToken', token),
      ]);
      const result = ofClient(access, clientId) ?? ofClient(refresh, clientId);
      if (!result) return undefined;
      return { grantId: String(result.payload.grantId), accountId: String(result.payload.accountId) };
    },
    async isMinted(token) {
      const kid = keyIdOf(token);
      // The ring alone tells: such a token is ours also when it is dead.
      if (kid !== undefined && deps.ring().keys.some((key) => key.kid === kid)) return true;
      const found = await Promise.all([loadAccess(token), oidcRecords.load('RefreshToken', token)]);
      return found.some((record) => record !== undefined && record.payload.adopted !== true);
    },
    async endGrant(grantId) {
      await endParent(oidcRecords, grantId);
      await endGrant(oidcRecords, grantId);
    },
    async destroyAccess(token, clientId) {
      const result = ofClient(await loadAccess(token), clientId);
      return result !== undefined && (await oidcRecords.removeStored('AccessToken', result.id));
    },
  };
}

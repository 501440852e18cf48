/**
 * Initial access tokens: an operator makes one, and a client registers with it (RFC 7591, 3). The store holds an HMAC
 * of the token. It ends at its time, or with the last of its uses.
 */
import type { Clock } from '../../core/clock.ts';
import { randomText, randomToken } from '../../core/crypto.ts';
import type { RegistrationLimits } from '../../model/client.ts';
import type { OidcRecord, OidcRecords } from '../persistence/records.ts';
import type { InitialToken, RegistrationTokens } from '../registration-contract.ts';
import type { Alone } from './registered-clients.ts';

const KIND = 'InitialAccessToken';
/** In the place of an account: all of them are listed together. */
const HOLDER = 'registration-tokens';
const HEX = '0123456789abcdef';

interface Payload extends Omit<InitialToken, 'expiresAt' | 'createdAt'> {
  readonly accountId: typeof HOLDER;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export function createInitialTokens(deps: { oidcRecords: OidcRecords; clock: Clock; alone: Alone }) {
  const { oidcRecords, clock, alone } = deps;
  const list = () => oidcRecords.listByAccount(KIND, HOLDER);
  const secondsTo = (until: Date) => Math.max(1, Math.ceil((until.getTime() - clock.now().getTime()) / 1000));
  const forOperators: RegistrationTokens = {
    async create({ lifetime, ...token }) {
      const value = randomToken('prt_');
      const id = randomText({ alphabet: HEX, length: 16 });
      const payload: Payload = { ...token, id, accountId: HOLDER, createdAt: clock.now().getTime() };
      await oidcRecords.save(KIND, value, { ...payload }, lifetime);
      const stored = await oidcRecords.load(KIND, value);
      if (stored === undefined) throw new Error('The registration token was not stored.');
      return { value, token: tokenOf(stored) };
    },
    list: async () => (await list()).map(tokenOf),
    // A use that is under way would store the token again.
    revoke: (id) =>
      alone(async () => {
        const stored = (await list()).find((one) => one.payload.id === id);
        return stored !== undefined && oidcRecords.removeStored(KIND, stored.id);
      }),
  };
  return {
    forOperators,
    /** Undefined: unknown, ended or used up. */
    async find(value: string): Promise<InitialToken | undefined> {
      const stored = await oidcRecords.load(KIND, value);
      return stored && tokenOf(stored);
    },
    /** One use less; false: there is none left. The caller is the only one who counts at a time. */
    async use(value: string): Promise<boolean> {
      const stored = await oidcRecords.load(KIND, value);
      const { uses, expiresAt } = stored ? tokenOf(stored) : {};
      if (stored === undefined || expiresAt === undefined) return false;
      if (uses === undefined) return true;
      if (uses <= 1) return oidcRecords.remove(KIND, value);
      await oidcRecords.save(KIND, value, { ...stored.payload, uses: uses - 1 }, secondsTo(expiresAt));
      return true;
    },
  };
}

function tokenOf({ payload, expiresAt }: OidcRecord): InitialToken {
  const { uses, limits, name } = payload;
  return {
    id: String(payload.id),
    organization: String(payload.organization),
    createdAt: new Date(Number(payload.createdAt)),
    expiresAt: expiresAt ?? new Date(0),
    ...(typeof name === 'string' && { name }),
    ...(typeof uses === 'number' && { uses }),
    // `create` wrote it.
    ...(limits !== undefined && { limits: limits as RegistrationLimits }),
  };
}

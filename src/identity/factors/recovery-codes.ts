/** Recovery codes: ten texts on paper, each good once in place of a passkey or an authenticator app. */
import { randomText } from '../../core/crypto.ts';
import { readCode } from '../../core/text.ts';
import type { Factors } from '../../model/factors.ts';
import type { Identity } from '../context.ts';

const CODES = 10;
/** Signs that are not taken for one another: 31 of them, so that ten are 49 bits. */
const FORM = { alphabet: 'abcdefghjkmnpqrstuvwxyz23456789', length: 10 };
/** When so many are left, their owner is told. */
export const FEW_CODES = 3;

export function newRecoveryCodes(
  identity: Pick<Identity, 'secrets'>,
  accountId: string,
): { texts: string[]; hashes: string[] } {
  const codes = Array.from({ length: CODES }, () => randomText(FORM));
  return {
    texts: codes.map((code) => `${code.slice(0, 5)}-${code.slice(5)}`),
    hashes: codes.map((code) => hashOf(identity, accountId, code)),
  };
}

/** The factors without the code that was sent; null: it is none of those that are left. */
export function withoutCode(
  identity: Pick<Identity, 'secrets'>,
  { accountId, factors, code }: { accountId: string; factors: Factors; code: string },
): Factors | null {
  const hash = hashOf(identity, accountId, readCode(code).toLowerCase());
  const { recoveryCodes = [] } = factors;
  if (!recoveryCodes.includes(hash)) return null;
  return { ...factors, recoveryCodes: recoveryCodes.filter((left) => left !== hash) };
}

function hashOf({ secrets }: Pick<Identity, 'secrets'>, accountId: string, code: string): string {
  return secrets.hmac('recovery-code', JSON.stringify([accountId, code]));
}

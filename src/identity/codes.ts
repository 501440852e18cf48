import type { RandomForm } from '../secrets.ts';
import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function sendCode(
  _identity: Identity,
  _wanted: {
    account: AccountRecord;
    purpose: string;
    form: RandomForm;
    /** Seconds. */
    lifetime: number;
    tries: number;
    letter: string;
    /** `window` in seconds. */
    quota?: { limit: number; window: number };
  },
): Promise<void> {
  throw new Error('unwritten');
}
export async function pretendLetter(_identity: Identity): Promise<void> {
  throw new Error('unwritten');
}

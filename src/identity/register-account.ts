import type { AccountRecord, AccountStatus, Json, ProfileClaims } from '../store/ports.ts';
import type { Identity } from './identity.ts';

export interface NewAccountFields {
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly status?: AccountStatus;
  readonly claims?: ProfileClaims;
  readonly roles?: readonly string[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly vendor?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

export async function registerAccount(
  _identity: Identity,
  _wanted: { organization: string; account: NewAccountFields; passwordMinimum?: number },
): Promise<AccountRecord> {
  throw new Error('unwritten');
}

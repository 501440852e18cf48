import type { AccountRecord, IdentityRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
import type { NewAccountFields } from './register-account.ts';

/** What an upstream says about a person; UpstreamClaims and the dialects' UpstreamIdentity both fit. */
export interface UpstreamPerson {
  readonly issuer: string;
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  readonly authoritative: boolean;
}

export async function accountForIdentity(
  _identity: Identity,
  _wanted: { organization: string; person: UpstreamPerson; fresh: NewAccountFields },
): Promise<{ account: AccountRecord; how: 'found' | 'linked' | 'reclaimed' | 'created' }> {
  throw new Error('unwritten');
}
export async function findByIdentity(
  _identity: Identity,
  _wanted: { organization: string; issuer: string; subject: string },
): Promise<AccountRecord | undefined> {
  throw new Error('unwritten');
}
export async function linkIdentity(
  _identity: Identity,
  _wanted: { accountId: string; issuer: string; subject: string },
): Promise<void> {
  throw new Error('unwritten');
}
export async function unlinkIdentity(
  _identity: Identity,
  _wanted: { accountId: string; issuer: string; subject: string },
): Promise<void> {
  throw new Error('unwritten');
}
export async function listIdentities(_identity: Identity, _accountId: string): Promise<IdentityRecord[]> {
  throw new Error('unwritten');
}

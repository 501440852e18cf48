import type { RandomForm } from '../secrets.ts';
import type { AccountRecord, ApiKeyRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
export async function createApiKey(
  _identity: Identity,
  _wanted: {
    organization: string;
    vendor: string;
    /** Absent: a key of the organization itself. */
    accountId?: string;
    name: string;
    scopes: readonly string[];
    id: RandomForm;
    key: RandomForm;
    /** Keys that the account may have. */
    limit?: number;
    expiresAt?: Date;
  },
): Promise<{ record: ApiKeyRecord; key: string }> {
  throw new Error('unwritten');
}
export async function importApiKey(
  _identity: Identity,
  _wanted: {
    organization: string;
    vendor: string;
    name: string;
    key: string;
    secret?: string;
    scopes?: readonly string[];
  },
): Promise<ApiKeyRecord> {
  throw new Error('unwritten');
}
export async function listApiKeys(
  _identity: Identity,
  _wanted: { accountId: string; vendor?: string },
): Promise<ApiKeyRecord[]> {
  throw new Error('unwritten');
}
export async function deleteApiKey(
  _identity: Identity,
  _wanted: { accountId: string; keyId: string; vendor?: string },
): Promise<void> {
  throw new Error('unwritten');
}
export async function authenticateApiKey(
  _identity: Identity,
  _wanted: { key: string; secret?: string; requireSecret?: boolean; vendor?: string },
): Promise<{ record: ApiKeyRecord; account?: AccountRecord } | undefined> {
  throw new Error('unwritten');
}

import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';

/** Undefined: unknown, or of another organization. */
export async function findAccount(
  _identity: Identity,
  _wanted: { id: string; organization?: string },
): Promise<AccountRecord | undefined> {
  throw new Error('unwritten');
}
export async function findByLogin(
  _identity: Identity,
  _wanted: { organization: string; login: string; by: readonly ('email' | 'username')[] },
): Promise<AccountRecord | undefined> {
  throw new Error('unwritten');
}

/** Every account of the organization, in order of id, read page by page. */
export async function* eachAccount(_identity: Identity, _organization: string): AsyncIterable<AccountRecord> {
  yield* [];
}

/**
 * API keys: long-lived credentials of an account or of an organization (key and secret).
 * Shown once, kept as keyed hashes. A key is worth what its owner still may: that is judged by the channel.
 */

import { createHash } from 'node:crypto';
import { type RandomForm, randomText, sameText } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';

/** The keys that an account may make itself on its account page; none: the list is empty. */
export type ApiKeyOffers = (account: AccountRecord) => readonly ApiKeyOffer[];

export interface ApiKeyOffer {
  readonly vendor: string;
  /** For people. */
  readonly title: string;
  /** What the account may give to a key. */
  readonly scopes: readonly string[];
  readonly id: RandomForm;
  readonly key: RandomForm;
  readonly limit: number;
}

/** Uses are written down at most once in so many milliseconds. */
const TOUCH_EVERY = 60_000;

/**
 * Makes a key; its text is in the answer and nowhere else afterwards. Without `accountId` it belongs to the
 * organization. `limit`: keys that the account may have. Refused('too-many-api-keys').
 */
export async function createApiKey(
  identity: Identity,
  input: Pick<ApiKeyRecord, 'organization' | 'vendor' | 'accountId' | 'name' | 'expiresAt'> & {
    scopes: readonly string[];
    id: RandomForm;
    key: RandomForm;
    limit?: number;
    context?: RequestContext;
  },
): Promise<{ record: ApiKeyRecord; key: string }> {
  const { organization, vendor, accountId, name, scopes, expiresAt } = input;
  for (let tries = 0; tries < 10; tries += 1) {
    const key = randomText(input.key);
    const record: ApiKeyRecord = {
      ...{ organization, vendor, name },
      id: randomText(input.id),
      scopes: [...scopes],
      keyHash: keyHash(identity, key),
      createdAt: identity.clock.now(),
      ...(accountId !== undefined && { accountId }),
      ...(expiresAt !== undefined && { expiresAt }),
    };
    const outcome = await identity.stores.apiKeys.insert(record, input.limit);
    if (outcome === 'full') throw new Refused('too-many-api-keys');
    if (outcome === 'inserted') {
      noteKey(identity, 'api-key.create', record, input.context);
      return { record, key };
    }
  }
  throw new Error('No free API key id was found: its form has too few values.');
}

/** Oldest first. */
export async function listApiKeys(
  identity: Identity,
  input: { accountId: string; vendor?: string },
): Promise<ApiKeyRecord[]> {
  const keys = await identity.stores.apiKeys.listByAccount(input.accountId);
  return input.vendor === undefined ? keys : keys.filter(({ vendor }) => vendor === input.vendor);
}

/** Refused('api-key-not-found'): unknown, deleted before, or another account's. */
export async function deleteApiKey(
  identity: Identity,
  input: { accountId: string; keyId: string; vendor?: string; context?: RequestContext },
): Promise<void> {
  const { apiKeys } = identity.stores;
  const record = await apiKeys.byId(input.keyId);
  const foreign = input.vendor !== undefined && record?.vendor !== input.vendor;
  if (record === undefined || foreign || !(await apiKeys.remove(input.keyId, input.accountId))) {
    throw new Refused('api-key-not-found');
  }
  noteKey(identity, 'api-key.delete', record, input.context);
}

/** Ends every key of the account. */
export async function deleteApiKeys(
  identity: Identity,
  { account, context }: { account: AccountRecord; context: RequestContext },
): Promise<void> {
  const { id: subject, organization } = account;
  const keys = await identity.stores.apiKeys.removeByAccount(subject);
  if (keys === 0) return;
  recordEvent(identity, { event: 'api-key.delete', organization, subject, context, detail: { keys } });
}

/**
 * The key that a caller presents, with its owner, and notes the use. A secret that is sent must be the
 * key's own; with `requireSecret` it must be sent. Undefined: unknown, expired, of another vendor, secret
 * wrong, owner not active. Guesses are the channel's to count.
 */
export async function authenticateApiKey(
  identity: Identity,
  input: { key: string; secret?: string; requireSecret?: boolean; vendor?: string },
): Promise<{ record: ApiKeyRecord; account?: AccountRecord } | undefined> {
  const { stores, clock } = identity;
  const record = await byKey(identity, input.key);
  if (record === undefined) return undefined;
  if (input.vendor !== undefined && record.vendor !== input.vendor) return undefined;
  const now = clock.now();
  if (record.expiresAt !== undefined && record.expiresAt <= now) return undefined;
  const { secret, requireSecret } = input;
  const secretHash = secret === undefined ? undefined : identity.secrets.hmac('api-secret', secret);
  if (requireSecret === true && secretHash === undefined) return undefined;
  if (secretHash !== undefined && !sameText(record.secretHash ?? '', secretHash)) return undefined;
  const account = record.accountId === undefined ? undefined : await stores.accounts.byId(record.accountId);
  const isOwner = account?.status === 'active' && account.organization === record.organization;
  if (record.accountId !== undefined && !isOwner) return undefined;
  if (record.lastUsedAt === undefined || now.getTime() - record.lastUsedAt.getTime() >= TOUCH_EVERY) {
    await stores.apiKeys.touch(record.id, now);
  }
  return account === undefined ? { record } : { record, account };
}

/** Whether there is such a key, whatever it is worth. */
export async function isKnownApiKey(identity: Identity, text: string): Promise<boolean> {
  return (await byKey(identity, text)) !== undefined;
}

/** A key of ours, or one of which another system had its SHA-256 alone. */
async function byKey(identity: Identity, key: string): Promise<ApiKeyRecord | undefined> {
  const { apiKeys } = identity.stores;
  const digest = createHash('sha256').update(key).digest('hex');
  return (
    (await apiKeys.byHash(keyHash(identity, key))) ?? (await apiKeys.byHash(hashOfDigest(identity, digest)))
  );
}

/** What is stored of a key whose SHA-256 is known, in hexadecimal digits. */
export function hashOfDigest({ secrets }: Pick<Identity, 'secrets'>, sha256: string): string {
  return secrets.hmac('api-key-digest', sha256.toLowerCase());
}

function keyHash(identity: Identity, key: string): string {
  return identity.secrets.hmac('api-key', key);
}

function noteKey(
  identity: Identity,
  event: AuditEvent,
  record: ApiKeyRecord,
  context: RequestContext | undefined,
): void {
  if (context === undefined) return;
  const detail = { keyId: record.id, vendor: record.vendor, scopes: [...record.scopes] };
  const { organization, accountId } = record;
  recordEvent(identity, { event, organization, subject: accountId, context, detail });
}

/**
 * What is kept for the holder of a secret text: encrypted, for a limited time, found by an HMAC of the text,
 * and spent by exactly one caller. `kind` and `purpose` keep values of one use from being taken for another.
 */
import { DecryptionFailed } from '../../core/crypto.ts';
import type { Json } from '../../model/json.ts';
import type { Identity } from '../context.ts';

interface Place {
  readonly kind: 'ticket' | 'state' | 'upstream-names';
  readonly secret: string;
  readonly purpose: string;
}

export interface KeptRecord {
  readonly organization: string;
  readonly accountId?: string;
  readonly data: Record<string, Json>;
}

/** `lifetime`: seconds. */
export async function keepRecord(
  { stores, secrets, clock }: Identity,
  input: Place & {
    organization: string;
    accountId?: string;
    lifetime: number;
    data: Readonly<Record<string, Json>>;
  },
): Promise<void> {
  const { kind, secret, lifetime, data, ...record } = input;
  const hash = hashOf(secrets, kind, secret);
  const createdAt = clock.now();
  await stores.linkTokens.put(hash, {
    ...record,
    data: secrets.encrypt(JSON.stringify(data), `${kind}:${hash}`),
    createdAt,
    expiresAt: new Date(createdAt.getTime() + lifetime * 1000),
  });
}

/** Undefined: unknown, expired, spent, of another purpose. */
export async function openRecord(
  { stores, secrets, clock }: Identity,
  how: 'read' | 'spend',
  { kind, secret, purpose }: Place,
): Promise<KeptRecord | undefined> {
  const hash = hashOf(secrets, kind, secret);
  const record = await stores.linkTokens[how](hash, purpose, clock.now());
  if (record === undefined) return undefined;
  const { organization, accountId } = record;
  const data = opened(secrets, record.data, `${kind}:${hash}`);
  return data && { organization, ...(accountId !== undefined && { accountId }), data };
}

/** Undefined under a server key that left the configuration: the server would not have started without its own. */
function opened(
  secrets: Identity['secrets'],
  encrypted: string,
  context: string,
): Record<string, Json> | undefined {
  try {
    return JSON.parse(secrets.decrypt(encrypted, context));
  } catch (cause) {
    if (cause instanceof DecryptionFailed) return undefined;
    throw cause;
  }
}

function hashOf(secrets: Identity['secrets'], kind: Place['kind'], secret: string): string {
  return secrets.hmac(kind, secret);
}

/**
 * What is kept for the holder of a secret text: encrypted, for a limited time, found by an HMAC of the text,
 * and spent by exactly one caller. `kind` and `purpose` keep values of one use from being taken for another.
 */
import { tryDecrypt } from '../../core/crypto.ts';
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
  // Under a server key that left the configuration: the server would not have started without its own.
  const data = tryDecrypt(secrets, record.data, `${kind}:${hash}`);
  if (data === undefined) return undefined;
  return { organization, ...(accountId !== undefined && { accountId }), data: JSON.parse(data) };
}

function hashOf(secrets: Identity['secrets'], kind: Place['kind'], secret: string): string {
  return secrets.hmac(kind, secret);
}

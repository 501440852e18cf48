/**
 * Server key rotation: encrypts everything in the store anew under the first server key, while nodes serve. One
 * process at a time has the lease, and notes in the store how far it is; when it dies, the next process goes on there.
 * It replaces each record by compare-and-set, so that a record that changed or ended meanwhile is left alone.
 *
 * A pass counts when every node encrypted with the first key from the start of the pass to its end: then nothing is
 * left under another key. Link tokens and replies of rotations are not encrypted anew: they end by themselves.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import { DecryptionFailed, type ServerKeys } from '../core/crypto.ts';
import type { Log } from '../observe/log.ts';
import type { StoredPayload } from '../store/ports/oidc-records.ts';
import type { Stores } from '../store/ports/stores.ts';
import {
  changeKeyRecord,
  isFull,
  type KeyRecord,
  liveNodes,
  type Pass,
  readKeyRecord,
} from './key-record.ts';
import { KEYRING, LOOKUP_KEY } from './server-keys.ts';

export interface ReEncryption {
  readonly stores: Pick<Stores, 'metadata' | 'keyring' | 'leases' | 'oidcRecords'>;
  readonly secrets: ServerKeys;
  readonly clock: Clock;
  readonly log: Log;
  /** The back end: a place in one is none in another. */
  readonly store: string;
  /** After each batch the process rests so many times as long as the batch took. */
  readonly rest: number;
  readonly stopped: AbortSignal;
  readonly progress: (pass: Pass) => void;
}

/** nothing: all is under the first key. mixed: nodes encrypt with different keys. elsewhere: another process works. */
export type Outcome = 'nothing' | 'mixed' | 'elsewhere' | 'finished' | 'stopped';

/** Records that are read, and that are written, in one call. */
const BATCH = 250;
const WRITES = 50;
/** Milliseconds for which a process has the lease, and after which it gives it up and asks again. */
const LEASE = 15_000;
const TURN = 5000;
/** Milliseconds between two notes of where it stands. */
const NOTE = 1000;
const LEASE_KEY = 're-encryption';

/** Works until everything is under the first key, or it has to stop. */
export async function reEncrypt(context: ReEncryption): Promise<Outcome> {
  const { stores, clock, stopped } = context;
  let outcome = await whatIsDue(context);
  while (outcome === undefined && !stopped.aborted) {
    const owner = randomUUID();
    const now = clock.now();
    if (!(await stores.leases.acquire(LEASE_KEY, owner, now, new Date(now.getTime() + LEASE)))) {
      return 'elsewhere';
    }
    try {
      outcome = await turn(context);
    } finally {
      await stores.leases.release(LEASE_KEY, owner);
    }
  }
  return outcome ?? 'stopped';
}

/** Undefined: there is something to do. */
async function whatIsDue({ stores, secrets, clock }: ReEncryption): Promise<Outcome | undefined> {
  const record = await readKeyRecord(stores.metadata);
  const [to = ''] = secrets.ids;
  if (record === undefined || !record.server.some((key) => key.id !== to && isFull(key))) return 'nothing';
  const now = clock.now();
  // By the clock of another node it may have been used in a moment that is still to come here.
  const sound = isSound(record, { to, startedAt: now.toISOString() });
  return othersUse(record, to, now) || !sound ? 'mixed' : undefined;
}

function othersUse(record: KeyRecord, to: string, now: Date): boolean {
  return liveNodes(record, now).some(({ server }) => server[0] !== to);
}

/** Works as long as the lease allows; undefined: there is more to do. */
async function turn(context: ReEncryption): Promise<Outcome | undefined> {
  const end = performance.now() + TURN;
  let pass = await presentPass(context);
  let noted = Number.NEGATIVE_INFINITY;
  for (;;) {
    const began = performance.now();
    if (context.stopped.aborted || began >= end) return void (await note(context, pass));
    const { more, ...next } = await batch(context, pass);
    pass = next;
    context.progress(pass);
    if (!more) return finish(context, pass);
    if (performance.now() - noted >= NOTE) {
      await note(context, pass);
      noted = performance.now();
    }
    if (context.rest > 0) await wait((performance.now() - began) * context.rest);
  }
}

/** The pass that broke off, or a new one. */
async function presentPass({ stores, secrets, clock, store, log }: ReEncryption): Promise<Pass> {
  const [to = ''] = secrets.ids;
  const record = await readKeyRecord(stores.metadata);
  const before = record?.pass;
  if (record && before?.to === to && before.finishedAt === undefined && isSound(record, before)) {
    if (before.store === store) return before;
  }
  const all = await stores.oidcRecords.countPayloads();
  log.info({ to, records: all }, 're-encryption under the new server key begins');
  const counts = { all, read: 0, renewed: 0, unreadable: 0 };
  return { to, store, startedAt: clock.now().toISOString(), ...counts };
}

/** No node used another key since the pass began, so nothing that the pass has read is under another key again. */
function isSound({ server }: KeyRecord, { to, startedAt }: Pick<Pass, 'to' | 'startedAt'>): boolean {
  return server.every(({ id, usedUntil = '' }) => id === to || usedUntil < startedAt);
}

async function batch({ stores, secrets }: ReEncryption, pass: Pass): Promise<Pass & { more: boolean }> {
  const { payloads, next } = await stores.oidcRecords.payloads({ after: pass.after, limit: BATCH });
  let unreadable = 0;
  const changes = payloads.flatMap((stored) => {
    const payload = renewed(stored, secrets);
    if (payload === 'unreadable') unreadable += 1;
    return payload === undefined || payload === 'unreadable'
      ? []
      : [{ ...stored, payload, before: stored.payload }];
  });
  for (let at = 0; at < changes.length; at += WRITES) {
    await stores.oidcRecords.replacePayloads(changes.slice(at, at + WRITES));
  }
  const { after: _passed, ...rest } = pass;
  return {
    ...rest,
    ...(next !== undefined && { after: next }),
    more: next !== undefined,
    read: pass.read + payloads.length,
    renewed: pass.renewed + changes.length,
    unreadable: pass.unreadable + unreadable,
  };
}

/** Undefined: it is under the first key. */
function renewed(
  { kind, id, payload }: StoredPayload,
  secrets: ServerKeys,
): string | 'unreadable' | undefined {
  try {
    // The context under which oidc/persistence/records.ts encrypts it.
    return secrets.renew(payload, `${kind}:${id}`);
  } catch (error) {
    if (error instanceof DecryptionFailed) return 'unreadable';
    throw error;
  }
}

async function note({ stores }: ReEncryption, pass: Pass): Promise<void> {
  await changeKeyRecord(stores.metadata, (record) => ({ ...record, pass }));
}

async function finish(context: ReEncryption, pass: Pass): Promise<Outcome> {
  const { stores, secrets, clock, log } = context;
  await renewKeyring(context);
  const record = await changeKeyRecord(stores.metadata, (present) => {
    const { pass: _broken, ...rest } = present;
    const now = clock.now();
    if (othersUse(present, pass.to, now) || !isSound(present, pass)) return rest;
    const at = now.toISOString();
    const lookupKey = secrets.renew(present.lookupKey, LOOKUP_KEY) ?? present.lookupKey;
    const server = present.server.map((key) =>
      key.id !== pass.to && isFull(key) ? { ...key, emptySince: at } : key,
    );
    return { ...rest, lookupKey, server, pass: { ...pass, finishedAt: at } };
  });
  if (record.pass?.finishedAt === undefined) return 'mixed';
  const { to, read, renewed: anew, unreadable } = pass;
  log.info({ to, read, renewed: anew, unreadable }, 're-encryption under the new server key is finished');
  return 'finished';
}

async function renewKeyring({ stores, secrets }: ReEncryption): Promise<void> {
  for (;;) {
    const stored = await stores.keyring.read();
    const encrypted = stored && secrets.renew(stored.encrypted, KEYRING);
    if (stored === undefined || encrypted === undefined) return;
    if (await stores.keyring.write(encrypted, stored.version)) return;
  }
}

export interface KeyCounts {
  /** By the id of the server key, in the order of the configuration. */
  readonly byKey: Readonly<Record<string, number>>;
  /** Open under no key of the configuration. */
  readonly unreadable: number;
}

/** Reads everything that is encrypted for long, and changes nothing. */
export async function countByKey(
  { stores, secrets }: Pick<ReEncryption, 'stores' | 'secrets'>,
  progress: (read: number) => void,
): Promise<KeyCounts> {
  const counts = new Map<string | undefined, number>(secrets.ids.map((id) => [id, 0]));
  const count = (encrypted: string, context: string) => {
    const id = secrets.keyOf(encrypted, context);
    counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  let after: string | undefined;
  let read = 0;
  do {
    const { payloads, next } = await stores.oidcRecords.payloads({ after, limit: BATCH });
    for (const { kind, id, payload } of payloads) count(payload, `${kind}:${id}`);
    read += payloads.length;
    progress(read);
    after = next;
  } while (after !== undefined);
  const [keyring, record] = [await stores.keyring.read(), await readKeyRecord(stores.metadata)];
  if (keyring) count(keyring.encrypted, KEYRING);
  if (record) count(record.lookupKey, LOOKUP_KEY);
  const byKey = Object.fromEntries(secrets.ids.map((id) => [id, counts.get(id) ?? 0]));
  return { byKey, unreadable: counts.get(undefined) ?? 0 };
}

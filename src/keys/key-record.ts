/**
 * What the store knows about server keys and cookie keys: one document, which every node reads and one
 * compare-and-set changes. It holds ids of keys, never a key, but for the look-up key, which is encrypted.
 */
import { changeRecord } from '../core/change-record.ts';
import type { MetadataStore } from '../store/ports/installation.ts';

const NAME = 'server-keys';

/** Moments are ISO 8601. */
export interface KnownKey {
  readonly id: string;
  readonly knownSince: string;
  /** When a node first encrypted (cookie keys: signed) with it; absent: none ever did. */
  readonly usedSince?: string;
  /** When a node was last seen that did. */
  readonly usedUntil?: string;
  /** Everything that was encrypted under it is encrypted under another key since. */
  readonly emptySince?: string;
}

/** A process that serves, as it was last seen. The first key of each list is the one that it uses. */
export interface KnownNode {
  readonly server: readonly string[];
  readonly cookies: readonly string[];
  readonly seenAt: string;
}

/** One walk through everything that is encrypted. */
export interface Pass {
  /** The key under which everything is then. */
  readonly to: string;
  readonly startedAt: string;
  /** The back end and the place in it behind which it goes on. */
  readonly store: string;
  readonly after?: string;
  /** About how many there were at the start; how many were read, were encrypted anew, and open under no key. */
  readonly all: number;
  readonly read: number;
  readonly renewed: number;
  readonly unreadable: number;
  readonly finishedAt?: string;
}

export interface KeyRecord {
  /** The key that hashes what is looked up, encrypted under a server key. */
  readonly lookupKey: string;
  readonly server: readonly KnownKey[];
  readonly cookies: readonly KnownKey[];
  readonly nodes: Readonly<Record<string, KnownNode>>;
  readonly pass?: Pass;
}

/** Milliseconds after which a node that was not seen counts as dead. Nodes report each minute. */
const SILENCE = 180_000;

export async function readKeyRecord(metadata: MetadataStore): Promise<KeyRecord | undefined> {
  const text = await metadata.get(NAME);
  return text === undefined ? undefined : JSON.parse(text);
}

/** False: another process has made one meanwhile. */
export function makeKeyRecord(metadata: MetadataStore, record: KeyRecord): Promise<boolean> {
  return metadata.setOnce(NAME, JSON.stringify(record));
}

/** `change` may be asked again when another node comes between; undefined leaves everything as it is. */
export async function changeKeyRecord(
  metadata: MetadataStore,
  change: (record: KeyRecord) => KeyRecord | undefined,
): Promise<KeyRecord> {
  const known = (present: KeyRecord | undefined) => {
    if (present === undefined) throw new Error('The store has no record of its server keys.');
    return present;
  };
  return known(await changeRecord<KeyRecord>(metadata, NAME, (present) => change(known(present))));
}

export function liveNodes({ nodes }: KeyRecord, now: Date): KnownNode[] {
  return Object.values(nodes).filter(({ seenAt }) => isLive(seenAt, now));
}

/** The record without nodes that run no more. */
export function withoutDeadNodes(record: KeyRecord, now: Date): KeyRecord {
  const nodes = Object.entries(record.nodes).filter(([, { seenAt }]) => isLive(seenAt, now));
  return { ...record, nodes: Object.fromEntries(nodes) };
}

function isLive(seenAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(seenAt) < SILENCE;
}

/** When the last of these nodes counts as dead, if none of them is seen again. */
export function silenceOver(nodes: readonly KnownNode[]): Date {
  return new Date(Math.max(...nodes.map(({ seenAt }) => Date.parse(seenAt))) + SILENCE);
}

/** The known keys, once a node with the keys `ids` was seen. A node uses the first of its keys. */
export function withUse(known: readonly KnownKey[], ids: readonly string[], now: Date): KnownKey[] {
  const at = now.toISOString();
  const missing = ids.filter((id) => !known.some((key) => key.id === id));
  const all: KnownKey[] = [...known, ...missing.map((id) => ({ id, knownSince: at }))];
  return all.map((key) => {
    if (key.id !== ids[0]) return key;
    const { emptySince: _over, ...used } = key;
    return { ...used, usedSince: used.usedSince ?? at, usedUntil: at };
  });
}

/** Something may be encrypted under it. */
export function isFull({ usedSince, emptySince }: KnownKey): boolean {
  return usedSince !== undefined && emptySince === undefined;
}

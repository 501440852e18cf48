/** Server keys and cookie keys as an operator sees them: how old, in which state, what ends when. */
import type { Config } from '../config/schema.ts';
import { isFull, type KeyRecord, type KnownKey, type KnownNode, liveNodes, type Pass } from './key-record.ts';

export interface KeyView {
  readonly id: string;
  /** first: encrypts or signs. other: opens or verifies. absent: not in this configuration. */
  readonly place: 'first' | 'other' | 'absent';
  readonly knownSince: Date;
  readonly usedSince?: Date;
  readonly usedUntil?: Date;
  readonly emptySince?: Date;
  /** What an operator may do, and when. */
  readonly next: string;
}

export interface ReEncryptionView {
  readonly done: number;
  readonly all: number;
  readonly percent: number;
  readonly unreadable: number;
  readonly startedAt: Date;
  readonly finishedAt?: Date;
  /** Estimated seconds; absent before a figure is known. */
  readonly secondsLeft?: number;
}

export interface KeysStatus {
  readonly serverKeys: KeyView[];
  readonly reEncryption?: ReEncryptionView;
  readonly cookieKeys: KeyView[];
  readonly nodes: { readonly firstKey: string; readonly keys: readonly string[]; readonly seenAt: Date }[];
}

export interface StatusInput {
  readonly record: KeyRecord;
  /** Of this configuration, in its order. */
  readonly ids: { readonly server: readonly string[]; readonly cookies: readonly string[] };
  readonly sessions: Pick<Config['sessions'], 'absolute'>;
  readonly now: Date;
}

export function keysStatus({ record, ids, sessions, now }: StatusInput): KeysStatus {
  // No cookie that was signed under a key is good for longer.
  const cookieEnd = ({ usedUntil }: KnownKey) =>
    usedUntil === undefined ? undefined : new Date(Date.parse(usedUntil) + sessions.absolute * 1000);
  const nodes = liveNodes(record, now);
  return {
    serverKeys: ordered(record.server, ids.server).map((key) => ({
      ...viewOf(key, ids.server),
      next: nextOfServerKey(key, { ids: ids.server, nodes, end: cookieEnd(key), now }),
    })),
    ...(record.pass && { reEncryption: passView(record.pass, now) }),
    cookieKeys: ordered(record.cookies, ids.cookies).map((key) => ({
      ...viewOf(key, ids.cookies),
      next: nextOfCookieKey(key, { ids: ids.cookies, nodes, end: cookieEnd(key), now }),
    })),
    nodes: nodes.map(({ server, seenAt }) => ({
      firstKey: server[0] ?? '',
      keys: server,
      seenAt: new Date(seenAt),
    })),
  };
}

/** As in the configuration; then those that were there before. */
function ordered(known: readonly KnownKey[], ids: readonly string[]): KnownKey[] {
  const place = ({ id }: KnownKey) => (ids.includes(id) ? ids.indexOf(id) : ids.length);
  return known.toSorted((one, two) => place(one) - place(two));
}

function viewOf({ id, knownSince, usedSince, usedUntil, emptySince }: KnownKey, ids: readonly string[]) {
  const place: KeyView['place'] = ids[0] === id ? 'first' : ids.includes(id) ? 'other' : 'absent';
  return {
    id,
    place,
    knownSince: new Date(knownSince),
    ...(usedSince !== undefined && { usedSince: new Date(usedSince) }),
    ...(usedUntil !== undefined && { usedUntil: new Date(usedUntil) }),
    ...(emptySince !== undefined && { emptySince: new Date(emptySince) }),
  };
}

interface Around {
  readonly ids: readonly string[];
  readonly nodes: readonly KnownNode[];
  readonly end: Date | undefined;
  readonly now: Date;
}

function nextOfServerKey(key: KnownKey, around: Around): string {
  const { ids, nodes, end, now } = around;
  if (ids[0] === key.id) return 'encrypts everything that is written';
  if (isFull(key)) {
    return nodes.some(({ server }) => server[0] === key.id)
      ? 'needed: nodes encrypt under it. Make the new key keys.encryption on each'
      : 'needed: records are under it. A server encrypts them anew; so does `portico keys re-encrypt`';
  }
  if (key.usedSince === undefined) return whoKnows(key, nodes, 'server', 'become keys.encryption');
  if (isAhead(end, now))
    return `nothing is under it; cookies and links of before are good until ${end.toISOString()}. Remove it then`;
  return ids.includes(key.id)
    ? 'needed for nothing: remove it from keys.decryption'
    : 'needed for nothing, and gone';
}

function nextOfCookieKey(key: KnownKey, { ids, nodes, end, now }: Around): string {
  if (ids[0] === key.id) return 'signs';
  const known = ids.includes(key.id);
  if (key.usedSince === undefined && known) return whoKnows(key, nodes, 'cookies', 'be put in front');
  if (isAhead(end, now))
    return known ? `verifies; remove it after ${end.toISOString()}` : 'gone: cookies under it are refused';
  return known ? 'needed for nothing: remove it' : 'needed for nothing, and gone';
}

/** The line of a key that no node has used yet. */
function whoKnows(
  { id }: KnownKey,
  nodes: readonly KnownNode[],
  kind: 'server' | 'cookies',
  may: string,
): string {
  const lacking = nodes.filter((node) => !node[kind].includes(id)).length;
  if (lacking > 0) return `new: ${lacking} of ${nodes.length} nodes do not know it yet`;
  return nodes.length > 0 ? `new: every node knows it. It may ${may}` : 'new: it was never used';
}

function isAhead(end: Date | undefined, now: Date): end is Date {
  return end !== undefined && end > now;
}

function passView(pass: Pass, now: Date): ReEncryptionView {
  const { read, all, unreadable, finishedAt } = pass;
  const startedAt = new Date(pass.startedAt);
  const seconds = (now.getTime() - startedAt.getTime()) / 1000;
  const left = Math.max(all - read, 0);
  const counts = { done: read, all: Math.max(all, read), unreadable, startedAt };
  if (finishedAt !== undefined) {
    return { ...counts, all: read, percent: 100, finishedAt: new Date(finishedAt) };
  }
  // 100 is for what is finished.
  const percent = Math.min(99, Math.floor((100 * read) / Math.max(all, 1)));
  return { ...counts, percent, ...(read > 0 && { secondsLeft: Math.round((seconds * left) / read) }) };
}

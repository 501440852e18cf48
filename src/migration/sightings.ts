/**
 * What the nodes see of a legacy system, for the commands of an operator: one record for each dialect, which each node
 * brings up to date beside the requests. What a node that is killed has seen in its last two seconds is lost.
 */
import { changeRecord } from '../core/change-record.ts';
import type { Clock } from '../core/clock.ts';
import type { MetadataStore } from '../store/ports/installation.ts';

/** Host names that are kept; of more, the one with the fewest requests goes. */
const MOST_HOSTS = 20;
/** Calls of a node, the last ones, that are held against the floor. */
const REMEMBERED = 1000;
/** Accounts that a rehearsal of the end names. */
export const MOST_REFUSED = 1000;
/** Milliseconds after which a node writes although it has nothing new, and after which a silent node counts no more. */
const SPEAKS_EVERY = 60_000;
const SILENCE = 180_000;

/** Moments are ISO 8601. */
export interface NodeView {
  readonly seenAt: string;
  /** Whether its breaker is open: it makes a call every five seconds at most. */
  readonly open: boolean;
  /** 'later': it is there and has no time. */
  readonly last?: { readonly at: string; readonly outcome: 'good' | 'odd' | 'later' };
  /** Of its last calls. */
  readonly calls: number;
  /** Those of them that took longer than the floor. */
  readonly slow: number;
}

export interface SightingsRecord {
  /** Replies that passed by and left an account or a token here. */
  readonly learned: number;
  /** Sign-ins of the legacy system that go on here. */
  readonly adopted: number;
  /** Host names that requests in stages proxy and shadow were sent to, and how many; the most frequent first. */
  readonly hosts: readonly (readonly [host: string, requests: number])[];
  /** By a name of the process's own. */
  readonly nodes: Readonly<Record<string, NodeView>>;
  /** Whom the last rehearsal of the end refused: ids of accounts, and pseudonyms of unknown names. */
  readonly refused: readonly string[];
}

const NONE: SightingsRecord = { learned: 0, adopted: 0, hosts: [], nodes: {}, refused: [] };

const nameOf = (dialect: string) => `migration-tallies:${dialect}`;

/** With the nodes that live. */
export async function readSightings(
  metadata: Pick<MetadataStore, 'get'>,
  dialect: string,
  now: Date,
): Promise<SightingsRecord> {
  const text = await metadata.get(nameOf(dialect));
  return text === undefined ? NONE : withoutSilent(JSON.parse(text), now);
}

/** A rehearsal of the end begins: those whom the last one refused are of no interest. */
export async function forgetRefused(metadata: MetadataStore, dialect: string): Promise<void> {
  await changeRecord<SightingsRecord>(
    metadata,
    nameOf(dialect),
    (present) => present && { ...present, refused: [] },
  );
}

/** What one node has seen. Nothing of it waits for the store. */
export interface Sightings {
  answered(
    dialect: string,
    call: { readonly outcome: 'good' | 'odd' | 'later'; readonly slow: boolean; readonly open: boolean },
  ): void;
  learned(dialect: string): void;
  adopted(dialect: string): void;
  arrived(dialect: string, host: string): void;
  refused(dialect: string, subject: string): void;
  /** Writes what is new. */
  flush(): Promise<void>;
  /** The node serves no more. */
  leave(): Promise<void>;
}

type Counts = Omit<SightingsRecord, 'nodes'>;

/** What one node has seen of one legacy system. */
interface Seen {
  /** What the store does not have yet. */
  fresh: Counts;
  last: NodeView['last'];
  open: boolean;
  /** Of the last calls, the newest last. */
  slow: boolean[];
  isNew: boolean;
  spokeAt: number;
}

/** `node`: a name that no other process has. */
export function createSightings(options: {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly node: string;
}): Sightings {
  const { metadata, clock, node } = options;
  const all = new Map<string, Seen>();
  const seenOf = (dialect: string): Seen => {
    const seen = all.get(dialect) ?? {
      fresh: NONE,
      last: undefined,
      open: false,
      slow: [],
      isNew: true,
      spokeAt: 0,
    };
    all.set(dialect, seen);
    seen.isNew = true;
    return seen;
  };
  const count = (dialect: string, more: Partial<Counts>) => {
    const seen = seenOf(dialect);
    seen.fresh = together(seen.fresh, { ...NONE, ...more });
  };

  async function write(dialect: string, seen: Seen): Promise<void> {
    const now = clock.now();
    if (!seen.isNew && now.getTime() - seen.spokeAt < SPEAKS_EVERY) return;
    const { fresh } = seen;
    Object.assign(seen, { fresh: NONE, isNew: false, spokeAt: now.getTime() });
    try {
      await changeRecord<SightingsRecord>(metadata, nameOf(dialect), (present = NONE) => {
        const { nodes } = withoutSilent(present, now);
        return { ...together(present, fresh), nodes: { ...nodes, [node]: viewOf(seen, now) } };
      });
    } catch (error) {
      Object.assign(seen, { fresh: together(fresh, seen.fresh), isNew: true });
      throw error;
    }
  }

  return {
    answered(dialect, { outcome, slow, open }) {
      const seen = seenOf(dialect);
      seen.last = { at: clock.now().toISOString(), outcome };
      seen.open = open;
      seen.slow.push(slow);
      if (seen.slow.length > REMEMBERED) seen.slow.shift();
    },
    learned: (dialect) => count(dialect, { learned: 1 }),
    adopted: (dialect) => count(dialect, { adopted: 1 }),
    arrived: (dialect, host) => count(dialect, { hosts: [[host, 1]] }),
    refused: (dialect, subject) => count(dialect, { refused: [subject] }),
    async flush() {
      for (const [dialect, seen] of all) await write(dialect, seen);
    },
    async leave() {
      for (const [dialect, seen] of all) {
        await write(dialect, seen);
        await changeRecord<SightingsRecord>(metadata, nameOf(dialect), (present = NONE) => {
          const { [node]: _, ...nodes } = present.nodes;
          return { ...present, nodes };
        });
      }
    },
  };
}

function viewOf({ open, last, slow }: Seen, now: Date): NodeView {
  const counts = { calls: slow.length, slow: slow.filter((each) => each).length };
  return { seenAt: now.toISOString(), open, ...(last && { last }), ...counts };
}

function together(one: Counts, other: Counts): Counts {
  return {
    learned: one.learned + other.learned,
    adopted: one.adopted + other.adopted,
    hosts: other.hosts.length === 0 ? one.hosts : sum(one.hosts, other.hosts),
    refused: other.refused.length === 0 ? one.refused : union(one.refused, other.refused),
  };
}

function sum(one: Counts['hosts'], other: Counts['hosts']): Counts['hosts'] {
  // Of names with as few requests the newer one stays: it may be more often asked for than any that is kept.
  const result = new Map(other);
  for (const [host, count] of one) result.set(host, (result.get(host) ?? 0) + count);
  return [...result].sort(([, a], [, b]) => b - a).slice(0, MOST_HOSTS);
}

function union(one: readonly string[], other: readonly string[]): string[] {
  return [...new Set([...one, ...other])].slice(0, MOST_REFUSED);
}

function withoutSilent(record: SightingsRecord, now: Date): SightingsRecord {
  const living = Object.entries(record.nodes).filter(
    ([, { seenAt }]) => now.getTime() - Date.parse(seenAt) < SILENCE,
  );
  return { ...record, nodes: Object.fromEntries(living) };
}

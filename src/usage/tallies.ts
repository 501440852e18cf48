/**
 * What was counted of one dialect on one day. Bounded, whatever strangers send: only so many clients by name and so
 * many rows; the rest counts as OTHER. The same in a node's memory and in the store, where nodes add up.
 */
import { createPeople, type People, type StoredPeople } from './people.ts';

export const OUTCOMES = ['ok', 'refused', 'limited', 'unavailable', 'error', 'brownout'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface UsageKey {
  readonly client: string;
  /** '' where the request belongs to none that is known. */
  readonly organization: string;
  /** Of the endpoint table, or OTHER. */
  readonly endpoint: string;
  /** 'none': no legacy system. */
  readonly stage: string;
  readonly answeredBy: 'portico' | 'legacy';
  readonly outcome: Outcome;
}

export interface UsageRow extends UsageKey {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** No product of a User-Agent has brackets. */
export const OTHER = '(other)';

/** Clients with a name, and rows. */
const MOST_CLIENTS = 300;
const MOST_ROWS = 5000;

interface Stored {
  readonly rows: readonly UsageRow[];
  readonly people: Readonly<Record<string, StoredPeople>>;
}

export interface Tallies {
  count(row: UsageRow): void;
  /** `hash`: of 48 bits. */
  person(organization: string, hash: number): void;
  addAll(text: string): void;
  rows(): UsageRow[];
  /** By organization. */
  people(): ReadonlyMap<string, People>;
  text(): string;
}

type Row = { -readonly [Member in keyof UsageRow]: UsageRow[Member] };

// Nothing but the id of an organization, which is last, could hold a line break.
const nameOf = ({ client, organization, endpoint, stage, answeredBy, outcome }: UsageKey) =>
  `${client}\n${endpoint}\n${stage}\n${answeredBy}\n${outcome}\n${organization}`;

export function createTallies(): Tallies {
  const rows = new Map<string, Row>();
  /** Whether a request of the client was ever answered well. */
  const clients = new Map<string, boolean>();
  const people = new Map<string, People>();

  /** A client that was never answered well gives its place to one that was: strangers hide no client. */
  function admits({ client, outcome }: UsageRow): boolean {
    if (client === OTHER || clients.has(client) || clients.size < MOST_CLIENTS) return true;
    const [refused] = outcome === 'ok' ? ([...clients].find(([, isKnown]) => !isKnown) ?? []) : [];
    if (refused === undefined) return false;
    clients.delete(refused);
    for (const [name, row] of rows) {
      if (row.client !== refused) continue;
      rows.delete(name);
      count({ ...row, client: OTHER });
    }
    return true;
  }

  function placeOf(row: UsageRow): UsageRow {
    if (rows.size >= MOST_ROWS) return { ...row, client: OTHER, organization: '' };
    return admits(row) ? row : { ...row, client: OTHER };
  }

  function count(given: UsageRow): void {
    const there = rows.get(nameOf(given));
    const row = there ?? placeOf(given);
    const known = there ?? rows.get(nameOf(row));
    if (known === undefined) {
      rows.set(nameOf(row), { ...row });
      if (row.client !== OTHER)
        clients.set(row.client, row.outcome === 'ok' || clients.get(row.client) === true);
      return;
    }
    known.count += given.count;
    known.firstAt = Math.min(known.firstAt, given.firstAt);
    known.lastAt = Math.max(known.lastAt, given.lastAt);
  }

  function peopleOf(organization: string): People {
    const known = people.get(organization) ?? createPeople();
    people.set(organization, known);
    return known;
  }

  return {
    count,
    person: (organization, hash) => peopleOf(organization).add(hash),
    addAll(text) {
      const stored: Stored = JSON.parse(text);
      for (const row of stored.rows) count(row);
      for (const [organization, each] of Object.entries(stored.people)) peopleOf(organization).addAll(each);
    },
    rows: () => [...rows.values()],
    people: () => people,
    text() {
      const stored: Stored = {
        rows: [...rows.values()],
        people: Object.fromEntries([...people].map(([organization, each]) => [organization, each.stored()])),
      };
      return JSON.stringify(stored);
    },
  };
}

/**
 * What the comparison with a legacy system found, as it is stored: one record for each dialect. It holds no value of a
 * person, and it is bounded: endpoints are a closed list, and of differences the first ones are kept.
 */
import { changeRecord } from '../core/change-record.ts';
import type { MetadataStore } from '../store/ports/installation.ts';

/** `odd`: no reply to compare with. `unknown`: a person, token or key that is not known here. `code`: spent by judging it. */
export const OUTCOMES = ['same', 'differs', 'odd', 'unknown', 'code'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Difference {
  /** Method and path of the endpoint table. */
  readonly endpoint: string;
  /** A JSON pointer, with '*' for what is data; or 'status', 'header <name>', 'cookie <name>'. */
  readonly place: string;
  readonly kind:
    | ('status' | 'type' | 'length' | 'form' | 'text' | 'value')
    | ('missing there' | 'missing here');
  /** The form of what the legacy system said, and of what Portico would have said. */
  readonly there: string;
  readonly here: string;
  readonly count: number;
  /** ISO 8601. */
  readonly first: string;
  readonly last: string;
  /** Id of one such request, to be found in the log. */
  readonly request: string;
}

type Counts = Readonly<Partial<Record<Outcome, number>>>;

/** By endpoint. */
export interface Comparison {
  readonly compared: Readonly<Record<string, Counts & { readonly last: string }>>;
  readonly differences: readonly Difference[];
  /** Differences that found no room, counted. */
  readonly more: number;
}

/** Differences of a dialect that are kept. */
const MOST = 200;

export const NOTHING_COMPARED: Comparison = { compared: {}, differences: [], more: 0 };

const nameOf = (dialect: string) => `shadow:${dialect}`;

export async function readComparison(
  metadata: Pick<MetadataStore, 'get'>,
  dialect: string,
): Promise<Comparison> {
  const text = await metadata.get(nameOf(dialect));
  return text === undefined ? NOTHING_COMPARED : JSON.parse(text);
}

export async function addComparison(
  metadata: MetadataStore,
  dialect: string,
  added: Comparison,
): Promise<void> {
  await changeRecord<Comparison>(metadata, nameOf(dialect), (known = NOTHING_COMPARED) =>
    together(known, added),
  );
}

export async function forgetComparison(metadata: MetadataStore, dialect: string): Promise<void> {
  await metadata.set(nameOf(dialect), JSON.stringify(NOTHING_COMPARED));
}

/** Of one request. */
export function comparisonOf(
  outcome: Outcome,
  at: { readonly endpoint: string; readonly now: Date; readonly request: string },
  found: readonly Pick<Difference, 'place' | 'kind' | 'there' | 'here'>[],
): Comparison {
  const { endpoint, request } = at;
  const last = at.now.toISOString();
  return {
    compared: { [endpoint]: { [outcome]: 1, last } },
    differences: found.map((each) => ({ endpoint, ...each, count: 1, first: last, last, request })),
    more: 0,
  };
}

export function together(known: Comparison, added: Comparison): Comparison {
  const compared = { ...known.compared };
  for (const [endpoint, counts] of Object.entries(added.compared)) {
    const before = compared[endpoint];
    compared[endpoint] = before === undefined ? counts : summed(before, counts);
  }
  const differences = new Map(known.differences.map((each) => [keyOf(each), each]));
  let more = known.more + added.more;
  for (const each of added.differences) {
    const before = differences.get(keyOf(each));
    if (before === undefined && differences.size >= MOST) more += each.count;
    else differences.set(keyOf(each), before === undefined ? each : merged(before, each));
  }
  return { compared, differences: [...differences.values()], more };
}

const keyOf = ({ endpoint, place, kind, there, here }: Difference) =>
  JSON.stringify([endpoint, place, kind, there, here]);

function merged(before: Difference, { count, last, first }: Difference): Difference {
  return {
    ...before,
    count: before.count + count,
    first: first < before.first ? first : before.first,
    last: last > before.last ? last : before.last,
  };
}

function summed(before: Comparison['compared'][string], added: Comparison['compared'][string]) {
  const counts = OUTCOMES.map(
    (outcome) => [outcome, (before[outcome] ?? 0) + (added[outcome] ?? 0)] as const,
  );
  const last = added.last > before.last ? added.last : before.last;
  return { ...Object.fromEntries(counts.filter(([, count]) => count > 0)), last };
}

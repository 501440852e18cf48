/** What was counted, added up by what an operator asks for. */
import type { UsageDay } from '../store/ports/usage.ts';
import { createPeople, type People } from './people.ts';
import { createTallies, type Outcome, type UsageRow } from './tallies.ts';

export const BY = ['client', 'endpoint', 'organization', 'day', 'stage'] as const;
export type By = (typeof BY)[number];

export interface UsageLine {
  readonly dialect: string;
  /** What it is added up by, by name. */
  readonly of: Readonly<Partial<Record<By, string>>>;
  readonly requests: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Requests that the legacy system answered. */
  readonly byLegacy: number;
  /** Each once. Undefined where lines are by anything but organization and day. */
  readonly people: number | undefined;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

interface Sum {
  readonly dialect: string;
  readonly of: UsageLine['of'];
  readonly outcomes: Record<Outcome, number>;
  readonly people: People;
  requests: number;
  byLegacy: number;
  firstAt: number;
  lastAt: number;
}

const isOfPeople = (by: By) => by === 'organization' || by === 'day';

/** The latest first; by day, in order. */
export function usageLines(days: readonly UsageDay[], by: readonly By[]): UsageLine[] {
  const sums = new Map<string, Sum>();
  for (const { day, dialect, tallies: text } of days) {
    const tallies = createTallies();
    tallies.addAll(text);
    for (const row of tallies.rows()) addRow(sumOf(sums, dialect, by, { ...row, day }), row);
    if (!by.every(isOfPeople)) continue;
    for (const [organization, people] of tallies.people())
      find(sums, dialect, by, { organization, day })?.people.addAll(people.stored());
  }
  const lines = [...sums.values()].map((sum) => lineOf(sum, by));
  return by.includes('day')
    ? lines.sort((one, two) => Number(one.firstAt) - Number(two.firstAt))
    : lines.sort((one, two) => Number(two.lastAt) - Number(one.lastAt));
}

type Named = Partial<UsageRow> & { readonly day: string };

function nameOf(dialect: string, by: readonly By[], row: Named): string {
  return JSON.stringify([dialect, ...by.map((each) => row[each])]);
}

function find(sums: ReadonlyMap<string, Sum>, dialect: string, by: readonly By[], row: Named) {
  return sums.get(nameOf(dialect, by, row));
}

function sumOf(sums: Map<string, Sum>, dialect: string, by: readonly By[], row: Named): Sum {
  const name = nameOf(dialect, by, row);
  const known = sums.get(name) ?? {
    dialect,
    of: Object.fromEntries(by.map((each) => [each, row[each]])),
    outcomes: noOutcomes(),
    people: createPeople(),
    ...{ requests: 0, byLegacy: 0, firstAt: Number.POSITIVE_INFINITY, lastAt: 0 },
  };
  sums.set(name, known);
  return known;
}

function noOutcomes(): Record<Outcome, number> {
  return { ok: 0, refused: 0, limited: 0, unavailable: 0, error: 0, brownout: 0 };
}

function addRow(sum: Sum, { count, outcome, answeredBy, firstAt, lastAt }: UsageRow): void {
  sum.requests += count;
  sum.outcomes[outcome] += count;
  if (answeredBy === 'legacy') sum.byLegacy += count;
  sum.firstAt = Math.min(sum.firstAt, firstAt);
  sum.lastAt = Math.max(sum.lastAt, lastAt);
}

function lineOf({ people, firstAt, lastAt, ...sum }: Sum, by: readonly By[]): UsageLine {
  return {
    ...sum,
    people: by.every(isOfPeople) ? people.count() : undefined,
    ...{ firstAt: new Date(firstAt), lastAt: new Date(lastAt) },
  };
}

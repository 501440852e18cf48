/**
 * Who still calls what: each request to a dialect is counted once its reply is made, in memory, and added to the
 * store every ten seconds and at stop. No client waits for it; a node that is killed loses ten seconds. No row names
 * a person: people are counted as hashes under the server's key.
 */
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import type { AnsweredRequest } from '../dialects/runtime/answered-request.ts';
import type { UsageStore } from '../store/ports/usage.ts';
import { clientName } from './client-name.ts';
import { createTallies, OTHER, type Outcome, type Tallies } from './tallies.ts';

export interface UsageMetric {
  readonly dialect: string;
  readonly endpoint: string;
  readonly outcome: Outcome;
  readonly answered: 'portico' | 'legacy';
}

export interface Usage {
  count(request: AnsweredRequest): void;
  /** A person whom Portico learned to know behind a request that the legacy system answered. */
  person(seen: { dialect: string; organization: string; accountId: string }): void;
  /** Adds to the store what was counted since; what cannot be added is kept for the next time. */
  flush(): Promise<void>;
}

const DAY = 86_400_000;

export const dayOf = (moment: Date) => moment.toISOString().slice(0, 10);

export function createUsage(options: {
  readonly store: Pick<UsageStore, 'change'>;
  readonly clock: Clock;
  readonly secrets: Pick<Secrets, 'hmac'>;
  readonly metric: (metric: UsageMetric) => void;
}): Usage {
  const { store, clock, secrets, metric } = options;
  /** By their User-Agents. */
  const names = new Map<string, string>();
  /** By day and dialect. */
  let pending = new Map<string, Tallies>();
  /** Whom this node has counted since the last flush. */
  let seen = new Set<string>();

  function nameOf(userAgent = ''): string {
    const read = userAgent.slice(0, READ);
    const known = names.get(read);
    if (known !== undefined) return known;
    if (names.size >= MOST_NAMES) names.clear();
    const name = clientName(read);
    names.set(read, name);
    return name;
  }

  function talliesOf(dialect: string, now: number): Tallies {
    const name = `${Math.floor(now / DAY)} ${dialect}`;
    const known = pending.get(name) ?? createTallies();
    pending.set(name, known);
    return known;
  }

  const person: Usage['person'] = ({ dialect, organization, accountId }) => {
    const now = clock.now().getTime();
    const name = `${Math.floor(now / DAY)} ${dialect} ${accountId} ${organization}`;
    if (seen.has(name)) return;
    if (seen.size >= MOST_SEEN) seen.clear();
    seen.add(name);
    talliesOf(dialect, now).person(organization, hashOf(secrets, accountId));
  };

  return {
    count(request) {
      const { dialect, endpoint = OTHER, organization = '', stage = 'none', answeredBy, accountId } = request;
      const outcome = outcomeOf(request);
      const now = clock.now().getTime();
      talliesOf(dialect, now).count({
        ...{ client: nameOf(request.userAgent), organization, endpoint, stage, answeredBy, outcome },
        ...{ count: 1, firstAt: now, lastAt: now },
      });
      metric({ dialect, endpoint, outcome, answered: answeredBy });
      if (accountId !== undefined) person({ dialect, organization, accountId });
    },
    person,
    async flush() {
      const counted = pending;
      pending = new Map();
      seen = new Set();
      for (const [name, tallies] of counted) {
        try {
          await add(store, name, tallies);
          counted.delete(name);
        } catch (error) {
          keep(pending, counted);
          throw error;
        }
      }
    },
  };
}

/** Bounds of what a node remembers, to be quick: what is forgotten is worked out again, and is the same. */
const MOST_SEEN = 100_000;
const MOST_NAMES = 1000;
/** Characters of a User-Agent that are looked at. */
const READ = 256;

/** 48 bits. */
function hashOf(secrets: Pick<Secrets, 'hmac'>, accountId: string): number {
  return Buffer.from(secrets.hmac('usage-person', accountId), 'base64url').readUIntBE(0, 6);
}

function add(store: Pick<UsageStore, 'change'>, name: string, counted: Tallies): Promise<void> {
  const [number, dialect = ''] = name.split(' ');
  const day = dayOf(new Date(Number(number) * DAY));
  const more = counted.text();
  return store.change(day, dialect, (before) => {
    if (before === undefined) return more;
    const all = createTallies();
    all.addAll(before);
    all.addAll(more);
    return all.text();
  });
}

/** Puts back what could not be stored. */
function keep(pending: Map<string, Tallies>, counted: ReadonlyMap<string, Tallies>): void {
  for (const [name, tallies] of counted) {
    const newer = pending.get(name);
    if (newer !== undefined) tallies.addAll(newer.text());
    pending.set(name, tallies);
  }
}

function outcomeOf({ status, refusal, isBrownOut }: AnsweredRequest): Outcome {
  if (isBrownOut) return 'brownout';
  const { reason } = refusal ?? {};
  if (reason === 'too-many-requests' || status === 429) return 'limited';
  if (reason === 'unavailable' || status === 502 || status === 503 || status === 504) return 'unavailable';
  if (reason === 'internal' || status >= 500) return 'error';
  return refusal !== undefined || status >= 400 ? 'refused' : 'ok';
}

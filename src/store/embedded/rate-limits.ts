import type { DumpedRecords } from '../ports/dump.ts';
import type {
  Budget,
  Flight,
  FlightEnd,
  Limit,
  RateLimitStore,
  Standing,
  Taken,
} from '../ports/rate-limits.ts';
import type { Database, Sql } from './sqlite/database.ts';
import { find, LIVE, put, remove, type Table } from './sqlite/table.ts';

/** One row per event of a sliding window. */
export const ATTEMPTS: Table<
  { key: string; mark: string; at: number; expires_at: number },
  DumpedRecords['attempts']
> = {
  name: 'rate_limits',
  key: ['key', 'mark'],
  live: LIVE,
  recordOf: ({ key, mark, at, expires_at }) => ({ key, mark, at: new Date(at), until: new Date(expires_at) }),
};

/** One row per key of a fixed window, which ends with its window. */
export const WINDOWS: Table<{ key: string; count: number; expires_at: number }, DumpedRecords['windows']> = {
  name: 'attempt_windows',
  key: ['key'],
  live: LIVE,
  recordOf: ({ key, count, expires_at }) => ({ key, count, until: new Date(expires_at) }),
};

export const REMEMBERED: Table<{ key: string; expires_at: number }, DumpedRecords['remembered']> = {
  name: 'attempt_memory',
  key: ['key'],
  live: LIVE,
  recordOf: ({ key, expires_at }) => ({ key, until: new Date(expires_at) }),
};

/** Counters are written at every try, and a power cut may forget the last of them (not so a killed process). */
const PASSING = { passing: true };

export function createRateLimitStore(database: Database): RateLimitStore {
  return {
    hold: (budgets, flight, now) => database.write((sql) => hold(sql, budgets, flight, now), PASSING),
    finish: (mark, end, now) => database.write((sql) => finish(sql, mark, end, now), PASSING),
    take: (key, mark, limit, now) => database.write((sql) => take(sql, { key, mark, limit, now }), PASSING),
    peek: (key, limit, now) => database.read((sql) => look(sql, key, limit, now)),
    async giveBack(key, mark) {
      await database.write((sql) => remove(sql, 'rate_limits', { key, mark }), PASSING);
    },
    clear: (key) => database.write((sql) => clear(sql, key), PASSING),
    takeInWindow: (key, limit, now) => database.write((sql) => takeInWindow(sql, key, limit, now), PASSING),
    peekWindow: (key, limit, now) => database.read((sql) => lookAtWindow(sql, key, limit, now)),
    remember: (key, until) => database.write((sql) => remember(sql, key, until)),
    rememberedUntil: (key, now) => database.read((sql) => find(sql, REMEMBERED, { key }, now)?.until),
  };
}

/* Budgets: a flight is an event of a key of its own. */

const inFlight = (key: Budget['key']) => `${key}:in-flight`;

const charged = (sql: Sql, { key, limit, kind }: Budget, now: Date) =>
  kind === 'fixed' ? lookAtWindow(sql, key, limit, now) : look(sql, key, limit, now);

function hold(sql: Sql, budgets: readonly Budget[], flight: Flight, now: Date): readonly Standing[] {
  const window = flight.lifetime;
  const standings = budgets.map((budget) => {
    const { limit } = budget.limit;
    const flying = look(sql, inFlight(budget.key), { limit, window }, now);
    const standing = charged(sql, budget, now);
    return { room: flying.count + standing.count < limit, charged: standing };
  });
  if (standings.every(({ room }) => room))
    for (const { key } of budgets)
      put(sql, ATTEMPTS, {
        ...{ key: inFlight(key), mark: flight.mark, at: now },
        expires_at: now.getTime() + window,
      });
  return standings;
}

function finish(sql: Sql, mark: string, end: FlightEnd, now: Date): void {
  for (const { key, limit, kind } of end.charge ?? []) {
    if (kind === 'fixed') takeInWindow(sql, key, limit, now);
    else take(sql, { key, mark, limit, now });
  }
  for (const { key } of [...(end.charge ?? []), ...(end.release ?? [])])
    remove(sql, 'rate_limits', { key: inFlight(key), mark });
  for (const key of end.clear ?? []) clear(sql, key);
  if (end.remember !== undefined) remember(sql, end.remember.key, end.remember.until);
}

function clear(sql: Sql, key: string): void {
  remove(sql, 'rate_limits', { key });
  remove(sql, 'attempt_windows', { key });
}

function remember(sql: Sql, key: string, until: Date): void {
  const text = `INSERT INTO attempt_memory (key, expires_at) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`;
  sql.run(text, key, until);
}

function take(sql: Sql, event: { key: string; mark: string; limit: Limit; now: Date }): Taken {
  const { key, mark, limit, now } = event;
  const before = look(sql, key, limit, now);
  if (!before.allowed) return before;
  // Without the rows that its window no longer counts, a key has no more of them than its limit to count.
  sql.run('DELETE FROM rate_limits WHERE key = ? AND at <= ?', key, now.getTime() - limit.window);
  put(sql, ATTEMPTS, { key, mark, at: now, expires_at: now.getTime() + limit.window });
  const count = before.count + 1;
  const retryAfter = count < limit.limit ? 0 : look(sql, key, limit, now).retryAfter;
  return { allowed: true, count, retryAfter };
}

function look(sql: Sql, key: string, limit: Limit, now: Date): Taken {
  const since = now.getTime() - limit.window;
  const counted = 'FROM rate_limits WHERE key = ? AND at > ?';
  const count = sql.get<{ count: number }>(`SELECT count(*) AS count ${counted}`, key, since)?.count ?? 0;
  if (count < limit.limit) return { allowed: true, count, retryAfter: 0 };
  // Room comes when so many of the oldest events have left the window that fewer than `limit` remain.
  const leaving = sql.get<{ at: number }>(
    `SELECT at ${counted} ORDER BY at LIMIT 1 OFFSET ?`,
    ...[key, since, count - limit.limit],
  );
  return { allowed: false, count, retryAfter: leaving ? leaving.at - since : limit.window };
}

function takeInWindow(sql: Sql, key: string, limit: Limit, now: Date): Taken {
  // Most windows are open, and have room.
  const text = `UPDATE attempt_windows SET count = count + 1
    WHERE key = ? AND count < ? AND ${LIVE} RETURNING count, expires_at`;
  const taken = sql.get<{ count: number; expires_at: number }>(text, key, limit.limit, now);
  if (taken) return { allowed: true, count: taken.count, retryAfter: taken.expires_at - now.getTime() };
  const before = lookAtWindow(sql, key, limit, now);
  if (!before.allowed) return before;
  const endsAt = now.getTime() + (before.count === 0 ? limit.window : before.retryAfter);
  put(sql, WINDOWS, { key, count: before.count + 1, expires_at: endsAt });
  return { allowed: true, count: before.count + 1, retryAfter: endsAt - now.getTime() };
}

function lookAtWindow(sql: Sql, key: string, limit: Limit, now: Date): Taken {
  const window = find(sql, WINDOWS, { key }, now);
  const count = window?.count ?? 0;
  const allowed = count < limit.limit;
  const left = window ? window.until.getTime() - now.getTime() : 0;
  return { allowed, count, retryAfter: window || allowed ? left : limit.window };
}

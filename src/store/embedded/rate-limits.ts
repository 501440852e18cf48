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

/** Counters are written at every try, and a power cut may forget the last of them (not so a killed process). */
const PASSING = { passing: true };

export function createRateLimitStore(database: Database): RateLimitStore {
  return {
    hold: (budgets, flight, now) => database.write((sql) => hold(sql, budgets, flight, now), PASSING),
    finish: (mark, end, now) =>
      database.write((sql) => finish(sql, mark, end, now), end.remember === undefined ? PASSING : undefined),
    take: (key, mark, limit, now) => database.write((sql) => take(sql, { key, mark, limit, now }), PASSING),
    peek: (key, limit, now) => database.read((sql) => look(sql, key, limit, now)),
    giveBack: (key, mark) => database.write((sql) => giveBack(sql, key, mark), PASSING),
    clear: (key) => database.write((sql) => clear(sql, key), PASSING),
    takeInWindow: (key, limit, now) => database.write((sql) => takeInWindow(sql, key, limit, now), PASSING),
    peekWindow: (key, limit, now) => database.read((sql) => lookAtWindow(sql, key, limit, now)),
    remember: (key, until) => database.write((sql) => remember(sql, key, until)),
    remembered: (key, now) =>
      database.read(
        (sql) =>
          sql.get('SELECT 1 FROM attempt_memory WHERE key = ? AND expires_at > ?', key, now.getTime()) !==
          undefined,
      ),
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
    for (const { key, limit } of budgets)
      take(sql, { key: inFlight(key), mark: flight.mark, limit: { limit: limit.limit, window }, now });
  return standings;
}

function finish(sql: Sql, mark: string, end: FlightEnd, now: Date): void {
  for (const { key, limit, kind } of end.charge ?? []) {
    if (kind === 'fixed') takeInWindow(sql, key, limit, now);
    else take(sql, { key, mark, limit, now });
  }
  for (const { key } of [...(end.charge ?? []), ...(end.release ?? [])]) giveBack(sql, inFlight(key), mark);
  for (const key of end.clear ?? []) clear(sql, key);
  if (end.remember !== undefined) remember(sql, end.remember.key, end.remember.until);
}

function giveBack(sql: Sql, key: string, mark: string): void {
  sql.run('DELETE FROM rate_limits WHERE key = ? AND mark = ?', key, mark);
}

function clear(sql: Sql, key: string): void {
  sql.run('DELETE FROM rate_limits WHERE key = ?', key);
  sql.run('DELETE FROM attempt_windows WHERE key = ?', key);
}

function remember(sql: Sql, key: string, until: Date): void {
  sql.run(
    `INSERT INTO attempt_memory (key, expires_at) VALUES (?, ?)
     ON CONFLICT (key) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`,
    key,
    until.getTime(),
  );
}

/* The sliding window: one row per event. */

function take(sql: Sql, event: { key: string; mark: string; limit: Limit; now: Date }): Taken {
  const { key, mark, limit, now } = event;
  if (!look(sql, key, limit, now).allowed) return look(sql, key, limit, now);
  sql.run(
    `INSERT INTO rate_limits (key, mark, at, expires_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (key, mark) DO UPDATE SET at = excluded.at, expires_at = excluded.expires_at`,
    key,
    mark,
    now.getTime(),
    now.getTime() + limit.window,
  );
  return { ...look(sql, key, limit, now), allowed: true };
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

/* The fixed window: one row per key, which ends with its window. */

function takeInWindow(sql: Sql, key: string, limit: Limit, now: Date): Taken {
  const before = lookAtWindow(sql, key, limit, now);
  if (!before.allowed) return before;
  const endsAt = now.getTime() + (before.count === 0 ? limit.window : before.retryAfter);
  sql.run(
    `INSERT INTO attempt_windows (key, count, expires_at) VALUES (?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET count = excluded.count, expires_at = excluded.expires_at`,
    key,
    before.count + 1,
    endsAt,
  );
  return { allowed: true, count: before.count + 1, retryAfter: endsAt - now.getTime() };
}

function lookAtWindow(sql: Sql, key: string, limit: Limit, now: Date): Taken {
  const row = sql.get<{ count: number; expires_at: number }>(
    'SELECT count, expires_at FROM attempt_windows WHERE key = ? AND expires_at > ?',
    key,
    now.getTime(),
  );
  const count = row?.count ?? 0;
  const allowed = count < limit.limit;
  const left = row ? row.expires_at - now.getTime() : 0;
  return { allowed, count, retryAfter: row || allowed ? left : limit.window };
}

/**
 * Limits that a vendor documents. They belong to one dialect alone and stand beside the shared attempt
 * counters (identity/rate-limits), which every channel obeys. Keys are HMACs: the store reveals no
 * address. A counter that cannot be reached is a 503, never a free try.
 */

import { randomUUID, type Secrets } from '../../core/crypto.ts';
import type { Budget, Limit, Taken } from '../../store/ports/rate-limits.ts';
import { type Reason, Refused } from '../contract/dialect.ts';
import type { ChargedLimit, LimitRule } from '../contract/limits.ts';
import type { DueLater } from '../runtime/current-request.ts';
import type { DialectServices } from '../runtime/deps.ts';

interface Counting {
  readonly services: Pick<DialectServices, 'stores' | 'identity' | 'clock'>;
  readonly dialect: string;
  /** '' where the request belongs to none. */
  readonly organization: string;
}

const limitOf = (rule: LimitRule): Limit => ({ limit: rule.limit, window: rule.window * 1000 });

/** A client comes to the same counter again and again, and the HMAC of its key costs as much as the count. */
const keysUnder = new WeakMap<Secrets, Map<string, string>>();
const MOST_KEYS = 1000;

function keyOf(counting: Counting, rule: LimitRule): string {
  const { services, dialect, organization } = counting;
  // A JSON array keeps ("a", "b:c") and ("a:b", "c") apart.
  const whose = rule.acrossOrganizations ? '' : organization;
  const parts = JSON.stringify([dialect, whose, rule.counter, rule.key]);
  const { secrets } = services.identity;
  const keys = keysUnder.get(secrets) ?? new Map<string, string>();
  keysUnder.set(secrets, keys);
  const key = keys.get(parts) ?? `dialect:${secrets.hmac('dialect-limit', parts)}`;
  if (keys.size >= MOST_KEYS) keys.clear();
  keys.set(parts, key);
  return key;
}

function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** What a request found at a counter. */
interface Stand {
  readonly rule: LimitRule;
  readonly taken: Taken;
}

const isFull = ({ taken }: Stand) => !taken.allowed;

function shown({ rule, taken }: Stand): ChargedLimit {
  return { ...rule, remaining: Math.max(0, rule.limit - taken.count), resetAfter: seconds(taken.retryAfter) };
}

function budgetOf(counting: Counting, rule: LimitRule): Budget {
  return { key: keyOf(counting, rule), limit: limitOf(rule), kind: rule.kind };
}

async function take(counting: Counting, rule: LimitRule) {
  const { rateLimits } = counting.services.stores;
  const now = counting.services.clock.now();
  const key = keyOf(counting, rule);
  if (rule.kind === 'fixed') {
    return { taken: await rateLimits.takeInWindow(key, limitOf(rule), now), giveBack: async () => {} };
  }
  const mark = randomUUID();
  const taken = await rateLimits.take(key, mark, limitOf(rule), now);
  return { taken, giveBack: () => rateLimits.giveBack(key, mark) };
}

export interface LimitsOutcome {
  /** For headers: every counter the request stands at, also when one of them refuses it. */
  readonly charged: readonly ChargedLimit[];
  readonly giveBack: readonly (() => Promise<void>)[];
  readonly later: readonly DueLater[];
  /** 'too-many-requests', with the longest wait of those that are full. */
  readonly refusal: Refused | undefined;
}

/**
 * Reads every limit, then takes those that count each request and holds the others. With several rules the
 * reading comes first, so that one that is full leaves the others as they were; a race that the reading misses
 * is settled by giving back.
 */
export async function applyLimits(counting: Counting, rules: readonly LimitRule[]): Promise<LimitsOutcome> {
  const toRead = rules.length === 1 ? [] : rules;
  const { budgets } = counting.services.identity;
  const readings = await Promise.all(
    toRead.map(async (rule) => ({ rule, taken: await budgets.read(budgetOf(counting, rule)) })),
  );
  if (readings.some(isFull)) return refusedBy(readings);
  const each = await Promise.all(
    rules
      .filter(({ charge }) => charge === 'each')
      .map(async (rule) => ({ rule, ...(await take(counting, rule)) })),
  );
  const giveBack = each.filter(({ taken }) => taken.allowed).map((taking) => taking.giveBack);
  const some = each.some(isFull) ? undefined : await holdSome(counting, rules);
  if (some !== undefined && 'later' in some) {
    return { charged: each.map(shown), giveBack, later: some.later, refusal: undefined };
  }
  await Promise.all(giveBack.map((undo) => undo()));
  return refusedBy([...each, ...(some?.full ?? [])]);
}

/** The rules that only some outcomes count for. */
async function holdSome(
  counting: Counting,
  rules: readonly LimitRule[],
): Promise<{ later: DueLater[] } | { full: Stand[] }> {
  const some = rules.filter(({ charge }) => charge !== 'each');
  const budgets = some.map((rule) => budgetOf(counting, rule));
  const held = await counting.services.identity.budgets.hold(budgets);
  if ('holds' in held) {
    return { later: held.holds.map((hold, i) => ({ hold, isDue: (reason) => isDue(some[i], reason) })) };
  }
  const full = some.flatMap((rule) => {
    const taken = held.full.get(keyOf(counting, rule));
    return taken ? [{ rule, taken }] : [];
  });
  return { full };
}

function refusedBy(stands: readonly Stand[]): LimitsOutcome {
  const refusal = new Refused('too-many-requests', {
    retryAfter: Math.max(...stands.filter(isFull).map(({ taken }) => seconds(taken.retryAfter))),
    detail: 'a limit of the dialect',
  });
  return { charged: stands.map(shown), giveBack: [], later: [], refusal };
}

function isDue(rule: LimitRule | undefined, reason: Reason | undefined): boolean {
  if (rule === undefined || rule.charge === 'each') return false;
  if (reason === undefined) return rule.charge === 'success';
  return rule.charge !== 'success' && rule.charge.includes(reason);
}

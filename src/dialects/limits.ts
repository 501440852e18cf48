/**
 * Limits that a vendor documents. They belong to one dialect alone and stand beside the shared attempt
 * counters (identity/attempts), which every door obeys. Keys are MACs: a look into the store tells nobody's
 * address. A counter that cannot be reached is a 503, never a free try.
 */

import { randomUUID } from '../secrets.ts';
import type { Limit, Taken } from '../store/ports.ts';
import { type ChargedLimit, type LimitRule, type Reason, Refused } from './dialect.ts';
import type { DialectServices } from './services.ts';

interface Counting {
  readonly services: Pick<DialectServices, 'stores' | 'identity' | 'clock'>;
  readonly dialect: string;
  /** '' where the request belongs to none. */
  readonly organization: string;
}

const bound = (rule: LimitRule): Limit => ({ limit: rule.limit, window: rule.window * 1000 });

function keyOf(counting: Counting, rule: LimitRule): string {
  const { services, dialect, organization } = counting;
  // A JSON array keeps ("a", "b:c") and ("a:b", "c") apart.
  const whose = rule.acrossOrganizations ? '' : organization;
  const parts = JSON.stringify([dialect, whose, rule.counter, rule.key]);
  return `dialect:${services.identity.secrets.mac('dialect-limit', parts)}`;
}

function seconds(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

function charged(rule: LimitRule, taken: Taken): ChargedLimit {
  return { ...rule, remaining: Math.max(0, rule.limit - taken.count), resetAfter: seconds(taken.retryAfter) };
}

function read(counting: Counting, rule: LimitRule): Promise<Taken> {
  const { attempts } = counting.services.stores;
  const now = counting.services.clock.now();
  const key = keyOf(counting, rule);
  return rule.kind === 'sliding'
    ? attempts.peek(key, bound(rule), now)
    : attempts.peekWindow(key, bound(rule), now);
}

async function take(counting: Counting, rule: LimitRule) {
  const { attempts } = counting.services.stores;
  const now = counting.services.clock.now();
  const key = keyOf(counting, rule);
  if (rule.kind === 'fixed') {
    return { taken: await attempts.takeInWindow(key, bound(rule), now), giveBack: async () => {} };
  }
  const mark = randomUUID();
  const taken = await attempts.take(key, mark, bound(rule), now);
  return { taken, giveBack: () => attempts.giveBack(key, mark) };
}

const full = (taken: readonly Taken[]) => taken.filter((one) => !one.allowed);

function tooMany(refused: readonly Taken[]): Refused {
  return new Refused('too-many-requests', {
    retryAfter: Math.max(...refused.map((one) => seconds(one.retryAfter))),
    detail: 'a limit of the dialect',
  });
}

export interface LimitsOutcome {
  /** For headers: every counter the request stands at, also when one of them refuses it. */
  readonly charged: readonly ChargedLimit[];
  readonly giveBack: readonly (() => Promise<void>)[];
  /** To be charged after the work. */
  readonly later: readonly LimitRule[];
  /** 'too-many-requests', with the longest wait of those that are full. */
  readonly refusal: Refused | undefined;
}

/**
 * Reads every limit, then takes those that count each request. With several rules the reading comes first,
 * so that one that is full leaves the others as they were; a race that the reading misses is settled by
 * giving back.
 */
export async function applyLimits(counting: Counting, rules: readonly LimitRule[]): Promise<LimitsOutcome> {
  const each = rules.filter((rule) => rule.charge === 'each');
  const later = rules.filter((rule) => rule.charge !== 'each');
  const toRead = rules.length === 1 ? later : rules;
  const readings = await Promise.all(toRead.map((rule) => read(counting, rule)));
  const stopped = full(readings);
  if (stopped.length > 0) {
    const shown = toRead.flatMap((rule, index) => {
      const reading = readings[index];
      return reading === undefined ? [] : [charged(rule, reading)];
    });
    return { charged: shown, giveBack: [], later: [], refusal: tooMany(stopped) };
  }
  const takings = await Promise.all(each.map(async (rule) => ({ rule, ...(await take(counting, rule)) })));
  const shown = takings.map(({ rule, taken }) => charged(rule, taken));
  const giveBack = takings.filter(({ taken }) => taken.allowed).map((taking) => taking.giveBack);
  const refused = full(takings.map(({ taken }) => taken));
  if (refused.length === 0) return { charged: shown, giveBack, later, refusal: undefined };
  await Promise.all(giveBack.map((undo) => undo()));
  return { charged: shown, giveBack: [], later: [], refusal: tooMany(refused) };
}

/** Charges what counts only some outcomes. `reason`: why the request was refused; undefined: it was not. */
export async function chargeOutcome(
  counting: Counting,
  rules: readonly LimitRule[],
  reason: Reason | undefined,
): Promise<void> {
  const due = rules.filter(({ charge }) => {
    if (reason === undefined) return charge === 'success';
    return typeof charge !== 'string' && charge.includes(reason);
  });
  await Promise.all(due.map((rule) => take(counting, rule)));
}

/**
 * Refusals of an organization whose legacy systems are asked. How long one takes, or what it says in an outage, must
 * not tell who is known where: all of them are answered at the same time after their arrival, whatever made them,
 * and while a legacy system that would be asked is given up on this node, all of them are 'unavailable'.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Reason, Refused } from '../../core/refused.ts';
import type { Identity, RequestContext } from '../context.ts';

/** Refusals that say something of a person. Any other says in itself what made it. */
const OF_PEOPLE: ReadonlySet<Reason> = new Set([
  'sign-in-refused',
  'wrong-password',
  'code-refused',
  'link-token-refused',
  'id-token-refused',
  'account-exists',
  'account-not-found',
  'unavailable',
]);

/** The refusal to say, when it may be said. */
export async function refusedAlike(
  identity: Identity,
  at: { readonly organization: string; readonly context: RequestContext },
  refused: Refused,
): Promise<Refused> {
  if (!OF_PEOPLE.has(refused.reason)) return refused;
  const { organization, context } = at;
  const systems = await identity.legacy.asked(organization, 'hosted');
  if (systems.length === 0) return refused;
  const passed = identity.clock.now().getTime() - (context.arrivedAt ?? identity.clock.now()).getTime();
  const floor = Math.max(...systems.map(({ rules }) => rules.floor));
  if (passed < floor) await wait(floor - passed);
  const asked = systems.filter(({ dialect }) => context.channel === 'hosted' || context.channel === dialect);
  const outages = asked.flatMap((system) => system.outage() ?? []);
  if (outages.length === 0) return refused;
  return legacyAway(Math.max(...outages), 'its breaker is open');
}

/** What is told instead of "wrong" while a legacy system cannot be asked. */
export function legacyAway(retryAfter: number | undefined, why: string): Refused {
  const detail = `The legacy system is away: ${why}`;
  return new Refused('unavailable', { about: 'legacy-system', retryAfter: retryAfter ?? 5, detail });
}

import type { RequestView } from '../contract/endpoint.ts';
import type { LimitRule } from '../contract/limits.ts';

/** Limits a client address to so many in each minute. */
export function inAMinute(
  counter: string,
  limit: number,
  charge: LimitRule['charge'],
  scope: Pick<LimitRule, 'acrossOrganizations'> = {},
) {
  return ({ request }: { request: RequestView }): LimitRule[] => [
    { counter, key: request.address, limit, window: 60, kind: 'fixed', charge, ...scope },
  ];
}

/**
 * The one source of time for our own code. oidc-provider reads `Date` itself, so tests that move time
 * replace `Date` (node:test mock.timers, apis: ['Date']) and both move together.
 */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

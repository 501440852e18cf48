import type { Clock } from '../../core/clock.ts';

/** `moment`: epoch seconds, with a fraction. */
export function within(moment: number, { clock, leeway }: { clock: Clock; leeway: number }): boolean {
  return clock.now().getTime() <= (moment + leeway) * 1000;
}

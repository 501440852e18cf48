/** Whether two doors can be told apart by time (security.md W7). */

export interface Timing {
  /** Milliseconds. */
  readonly medians: readonly [number, number];
  /** Mann-Whitney, two-sided: how likely such a difference is when there is none. */
  readonly p: number;
}

/** Runs both in turns, `samples` times each, after some that do not count. */
export async function interleaved(
  samples: number,
  first: (i: number) => Promise<void>,
  second: (i: number) => Promise<void>,
): Promise<Timing> {
  const times: [number[], number[]] = [[], []];
  const warmUp = 10;
  for (let i = 0; i < samples + warmUp; i += 1) {
    // Who comes first changes, so that whatever the one leaves behind weighs on both.
    const order = i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
    for (const which of order) {
      const started = performance.now();
      await (which === 0 ? first : second)(i);
      if (i >= warmUp) times[which].push(performance.now() - started);
    }
  }
  return { medians: [median(times[0]), median(times[1])], p: mannWhitney(...times) };
}

export function looksAlike({ medians, p }: Timing): boolean {
  return Math.abs(medians[0] - medians[1]) < 5 || p > 0.01;
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

/** Normal approximation; times hardly ever tie. */
function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((time) => ({ time, ofA: true })), ...b.map((time) => ({ time, ofA: false }))].sort(
    (x, y) => x.time - y.time,
  );
  const ranks = ranked.reduce((sum, { ofA }, i) => (ofA ? sum + i + 1 : sum), 0);
  const u = ranks - (a.length * (a.length + 1)) / 2;
  const mean = (a.length * b.length) / 2;
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  return 2 * (1 - normal(Math.abs(u - mean) / deviation));
}

/** The standard normal distribution (Abramowitz and Stegun 26.2.17). */
function normal(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

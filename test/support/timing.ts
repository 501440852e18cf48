/**
 * Whether two ways through a channel can be told apart by the time they take (security.md W7). Samples are taken
 * in turn, so that whatever else the machine does falls on both alike.
 */

/** Milliseconds by which the middle of two samples may differ. */
const LIKE = 5;
/** Below this probability two samples are not of one distribution. */
const DOUBT = 0.01;
/** Runs that do not count. */
const WARM_UP = 10;

/**
 * Undefined: alike. Otherwise what differs, in words. Where two samples differ, others are taken before that
 * counts, since one comparison in a hundred differs by chance. `i` never comes twice and stays below
 * `numbersOf(samples)`.
 */
export async function apart(
  samples: number,
  first: (i: number) => Promise<void>,
  second: (i: number) => Promise<void>,
): Promise<string | undefined> {
  const half = samples + WARM_UP;
  return (await sampled(0, half, first, second)) && (await sampled(half, numbersOf(samples), first, second));
}

export function numbersOf(samples: number): number {
  return 2 * (samples + WARM_UP);
}

async function sampled(
  from: number,
  to: number,
  first: (i: number) => Promise<void>,
  second: (i: number) => Promise<void>,
): Promise<string | undefined> {
  const times: [number[], number[]] = [[], []];
  for (let i = from; i < to; i += 1) {
    // Who comes first changes, so that whatever the one leaves behind weighs on both.
    for (const which of i % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const started = performance.now();
      await (which === 0 ? first : second)(i);
      if (i >= from + WARM_UP) times[which].push(performance.now() - started);
    }
  }
  return difference(...times);
}

/** Undefined: alike. Otherwise what differs, in words. */
export function difference(one: readonly number[], other: readonly number[]): string | undefined {
  const apart = Math.abs(median(one) - median(other));
  if (apart <= LIKE) return undefined;
  const p = mannWhitney(one, other);
  return p > DOUBT
    ? undefined
    : `medians ${median(one).toFixed(1)} and ${median(other).toFixed(1)} ms, p = ${p}`;
}

export function median(sample: readonly number[]): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** Two-sided p of the Mann-Whitney U test, by its normal approximation: good from 20 samples on. */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const all = [
    ...one.map((value) => ({ value, first: true })),
    ...other.map((value) => ({ value, first: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  let ranks = 0;
  for (let at = 0; at < all.length; ) {
    let end = at;
    while (end < all.length && all[end]?.value === all[at]?.value) end += 1;
    // Equal values share the mean of their ranks.
    const rank = (at + 1 + end) / 2;
    ranks += rank * all.slice(at, end).filter(({ first }) => first).length;
    at = end;
  }
  const [n, m] = [one.length, other.length];
  const u = ranks - (n * (n + 1)) / 2;
  const z = (u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return 2 * (1 - normal(Math.abs(z)));
}

/** Distribution function of the standard normal, to 7 digits (Abramowitz and Stegun, 26.2.17). */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return 1 - density * tail;
}

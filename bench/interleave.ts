/**
 * Times requests in turn, A B C A B C, so that whatever else the machine does hits all alike. Figures of one
 * run are compared with each other, never with another run's.
 */
export interface Timed {
  readonly name: string;
  /** Throws when the reply is not the right one: a fast refusal must not count. */
  readonly request: () => Promise<void>;
}

export interface Figures {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly p95: number;
  /** Median over the first one's. */
  readonly ratio: number;
}

export async function interleave(timed: readonly Timed[], rounds: number): Promise<Figures[]> {
  const samples = timed.map(() => [] as number[]);
  const warmUp = Math.ceil(rounds / 10);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [index, { request }] of timed.entries()) {
      const start = performance.now();
      await request();
      if (round >= 0) samples[index]?.push(performance.now() - start);
    }
  }
  const sorted = samples.map((list) => list.toSorted((a, b) => a - b));
  const at = (list: readonly number[], share: number) => list[Math.floor(list.length * share)] ?? Number.NaN;
  const reference = at(sorted[0] ?? [], 0.5);
  return timed.map(({ name }, index) => {
    const list = sorted[index] ?? [];
    return { name, median: at(list, 0.5), p95: at(list, 0.95), ratio: at(list, 0.5) / reference };
  });
}

export function printFigures(title: string, figures: readonly Figures[]): void {
  console.log(`\n${title}`);
  console.table(
    figures.map(({ name, median, p95, ratio }) => ({
      name,
      'median ms': Number(median.toFixed(3)),
      'p95 ms': Number(p95.toFixed(3)),
      'ratio to the first': Number(ratio.toFixed(2)),
    })),
  );
}

/** Kept answers: each for a second at most, and no longer than until what it was made from changes in the store. */
import type { Clock } from './clock.ts';

/** Tells at once, without reading again, whether what was read has changed since. Only a store in this process can. */
export interface Watch {
  /** Notes what the work reads, by whichever port. `readSet`: undefined where it wrote. */
  during<Result>(
    work: () => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly readSet: ReadSet | undefined }>;
  /** Runs a part of such work whose reads and writes are not noted. */
  apart<Result>(work: () => Result): Result;
}

/** What was read. */
export interface ReadSet {
  /** False as soon as any of it has changed, or has ended by `now`, or where the store cannot tell. */
  isCurrent(now: Date): boolean;
}

/** Milliseconds by which an answer may be behind the clock. */
const KEPT_FOR = 1000;
const MOST = 1000;

interface Kept<Answer> {
  readonly answer: Answer;
  readonly readSet: ReadSet;
  readonly madeAt: number;
}

export class KeptAnswers<Answer> {
  readonly #watch: Watch;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept<Answer>>();

  constructor(watch: Watch, clock: Clock) {
    this.#watch = watch;
    this.#clock = clock;
  }

  /** Undefined: there is none, or something has changed. */
  find(key: string): Answer | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    const now = this.#clock.now();
    const age = now.getTime() - kept.madeAt;
    return age >= 0 && age < KEPT_FOR && kept.readSet.isCurrent(now) ? kept.answer : undefined;
  }

  /** `key` is called when the answer is made: making it may decide what the key consists of. */
  async keep(
    key: () => string,
    work: () => Promise<Answer>,
    isWorthKeeping: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const madeAt = this.#clock.now().getTime();
    const { result: answer, readSet } = await this.#watch.during(work);
    if (readSet !== undefined && isWorthKeeping(answer)) {
      if (this.#kept.size >= MOST) this.#kept.clear();
      this.#kept.set(key(), { answer, readSet, madeAt });
    }
    return answer;
  }

  clear(): void {
    this.#kept.clear();
  }
}

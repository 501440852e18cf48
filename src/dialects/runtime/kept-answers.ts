/**
 * Answers to requests. Each is kept until something changes that it was made from: what the store said, or what the
 * dialect read of the request. Of the clock, and of what this process has in memory, it may be a second behind.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { RequestInfo } from '../../http/request/request-context.ts';
import type { ReadSet, Watch } from '../../store/ports/stores.ts';
import type { RequestView } from '../contract/endpoint.ts';

/** Milliseconds. */
const KEPT_FOR = 1000;
const MOST = 1000;

interface Kept<Answer> {
  readonly answer: Answer;
  readonly readSet: ReadSet;
  readonly madeAt: number;
}

/** The requests of one route. */
export class KeptAnswers<Answer> {
  readonly #watch: Watch;
  readonly #clock: Clock;
  /** Headers that the dialect has ever read here: by them one request is told from another. */
  readonly #names = new Set<string>();
  readonly #kept = new Map<string, Kept<Answer>>();

  constructor(watch: Watch, clock: Clock) {
    this.#watch = watch;
    this.#clock = clock;
  }

  /** Undefined: there is none, or something has changed. */
  find(request: IncomingMessage, info: RequestInfo): Answer | undefined {
    const kept = this.#kept.get(this.#keyOf(request, info));
    if (kept === undefined) return undefined;
    const now = this.#clock.now();
    const age = now.getTime() - kept.madeAt;
    return age >= 0 && age < KEPT_FOR && kept.readSet.isCurrent(now) ? kept.answer : undefined;
  }

  /** `work` must read the request through the view that it is given. */
  async keep(
    { request, info, view }: { request: IncomingMessage; info: RequestInfo; view: RequestView },
    work: (view: RequestView) => Promise<Answer>,
    isWorthKeeping: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const madeAt = this.#clock.now().getTime();
    const noting = this.#noting(view);
    const { result: answer, readSet } = await this.#watch.during(() => work(noting.view));
    if (readSet !== undefined && !noting.isBoundToTime() && isWorthKeeping(answer)) {
      if (this.#kept.size >= MOST) this.#kept.clear();
      this.#kept.set(this.#keyOf(request, info), { answer, readSet, madeAt });
    }
    return answer;
  }

  #noting(view: RequestView) {
    let isBoundToTime = false;
    const { arrivedAt } = view;
    const noted = {
      ...view,
      header: (name: string) => {
        // Answers that are kept under keys without this header may differ by it.
        if (!this.#names.has(name)) this.#kept.clear();
        this.#names.add(name);
        return view.header(name);
      },
      get arrivedAt() {
        isBoundToTime = true;
        return arrivedAt;
      },
    };
    return { view: noted, isBoundToTime: () => isBoundToTime };
  }

  #keyOf({ headers }: IncomingMessage, { host, address }: RequestInfo): string {
    let key = `${host}\n${address}`;
    // No header has a line break, so an absent one differs from an empty one.
    for (const name of this.#names) key += `\n${headers[name] ?? '\n'}`;
    return key;
  }
}

/**
 * Answers to requests, kept as long as nothing changes that they rest on: what the store said, and what was read of
 * the request. What only time changes, or what this process remembers, may be a second older.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import type { RequestInfo } from '../../http/request/request-context.ts';
import type { Sight, Watch } from '../../store/ports/stores.ts';
import type { RequestView } from '../contract/endpoint.ts';

/** Milliseconds. */
const KEPT_FOR = 1000;
const MOST = 1000;

interface Kept<Answer> {
  readonly answer: Answer;
  readonly sight: Sight;
  readonly madeAt: number;
}

/** The requests of one route. */
export class KeptAnswers<Answer> {
  readonly #watch: Watch;
  readonly #clock: Clock;
  /** Headers that were ever read. */
  readonly #names = new Set<string>();
  readonly #kept = new Map<string, Kept<Answer>>();

  constructor(watch: Watch, clock: Clock) {
    this.#watch = watch;
    this.#clock = clock;
  }

  /** Undefined: the request is another one, or something has changed. */
  find(request: IncomingMessage, info: RequestInfo): Answer | undefined {
    const kept = this.#kept.get(this.#keyOf(request, info));
    if (kept === undefined) return undefined;
    const now = this.#clock.now();
    const age = now.getTime() - kept.madeAt;
    return age >= 0 && age < KEPT_FOR && kept.sight.isCurrent(now) ? kept.answer : undefined;
  }

  /** `work` must read the request by the view that it is given. `answerOf`: undefined for what is not to be kept. */
  async keep<Result>(
    { request, info, view }: { request: IncomingMessage; info: RequestInfo; view: RequestView },
    work: (view: RequestView) => Promise<Result>,
    answerOf: (result: Result) => Answer | undefined,
  ): Promise<Result> {
    const madeAt = this.#clock.now().getTime();
    const noting = this.#noting(view);
    const { result, sight } = await this.#watch.during(() => work(noting.view));
    const answer = sight && answerOf(result);
    if (sight !== undefined && answer !== undefined && !noting.isBoundToTime()) {
      if (this.#kept.size >= MOST) this.#kept.clear();
      this.#kept.set(this.#keyOf(request, info), { answer, sight, madeAt });
    }
    return result;
  }

  #noting(view: RequestView) {
    let isBoundToTime = false;
    const { arrivedAt } = view;
    const noted = {
      ...view,
      header: (name: string) => {
        // What is kept was found without it.
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
    // No header has a line break: what is absent is not what is empty.
    for (const name of this.#names) key += `\n${headers[name] ?? '\n'}`;
    return key;
  }
}

/**
 * Answers to the requests of one route, kept until something changes that they were made from: what the store said, or
 * what the dialect read of the request. Of what this process has in memory they may be a second behind.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../core/clock.ts';
import { KeptAnswers, type Watch } from '../../core/kept-answers.ts';
import type { RequestInfo } from '../../http/request/request-context.ts';
import type { RequestView } from '../contract/endpoint.ts';

export class KeptReplies<Answer> {
  readonly #kept: KeptAnswers<Answer>;
  /** Headers that the dialect has ever read here: by them one request is told from another. */
  readonly #names = new Set<string>();

  constructor(watch: Watch, clock: Clock) {
    this.#kept = new KeptAnswers(watch, clock);
  }

  /** Undefined: there is none, or something has changed. */
  find(request: IncomingMessage, info: RequestInfo): Answer | undefined {
    return this.#kept.find(this.#keyOf(request, info));
  }

  /** `work` must read the request through the view that it is given. */
  keep(
    { request, info, view }: { request: IncomingMessage; info: RequestInfo; view: RequestView },
    work: (view: RequestView) => Promise<Answer>,
    isWorthKeeping: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const noting = this.#noting(view);
    return this.#kept.keep(
      () => this.#keyOf(request, info),
      () => work(noting.view),
      (answer) => !noting.isBoundToTime() && isWorthKeeping(answer),
    );
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

/** A route whose answer is kept: to the same words it says the same until something of it changes in the store. */
import { KeptAnswers } from '../../core/kept-answers.ts';
import type { FastAnswer, FastRoute } from '../fast-path-contract.ts';
import type { FastPathDeps } from './fast-path.ts';

/** All of a request that such a route may look at: by these it is told from others. */
export interface AskedAgain {
  readonly authorization: string;
  readonly accept: string;
  readonly text: string;
}

interface KeptRoute extends Pick<FastRoute, 'pattern' | 'takes'> {
  answer(asked: AskedAgain): Promise<FastAnswer | undefined>;
}

export function keptRoute(
  { answer, ...route }: KeptRoute,
  { watch, clock, clients }: FastPathDeps,
): FastRoute {
  let era = '';
  let kept: KeptAnswers<FastAnswer | undefined> | undefined;
  /** Tokens end by the second, and clients that were read before may have been forgotten. */
  const keptNow = () => {
    const now = `${Math.floor(clock.now().getTime() / 1000)} ${clients.forgotten()}`;
    if (now !== era) kept = watch && new KeptAnswers(watch, clock);
    era = now;
    return kept;
  };
  return {
    ...route,
    answer({ headers: { authorization = '', accept = '' } }, text) {
      const asked = { authorization, accept, text };
      const answers = keptNow();
      if (answers === undefined) return answer(asked);
      // No header has a line break.
      const key = `${authorization}\n${accept}\n${text}`;
      return (
        answers.find(key) ??
        answers.keep(
          () => key,
          () => answer(asked),
          (made) => made !== undefined,
        )
      );
    },
  };
}

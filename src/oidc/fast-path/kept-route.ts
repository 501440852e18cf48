/** A route that keeps its answers: an equal request gets an equal answer, until what that was made from changes. */
import { KeptAnswers } from '../../core/kept-answers.ts';
import type { FastAnswer, FastRoute } from '../fast-path-contract.ts';
import type { FastPathDeps } from './fast-path.ts';

/** All that such a route may look at in a request: two requests are equal where these are. */
export interface KeyedRequest {
  readonly authorization: string;
  readonly accept: string;
  readonly text: string;
}

interface KeptRoute extends Pick<FastRoute, 'pattern' | 'takes'> {
  answer(request: KeyedRequest): Promise<FastAnswer | undefined>;
}

export function keptRoute(
  { answer, ...route }: KeptRoute,
  { watch, clock, clients }: FastPathDeps,
): FastRoute {
  let era = '';
  let kept: KeptAnswers<FastAnswer | undefined> | undefined;
  /** None is kept beyond its second, in which tokens may end, nor when a client has been forgotten. */
  const keptNow = () => {
    const now = `${Math.floor(clock.now().getTime() / 1000)} ${clients.forgotten()}`;
    if (now !== era) kept = watch && new KeptAnswers(watch, clock);
    era = now;
    return kept;
  };
  return {
    ...route,
    answer({ headers: { authorization = '', accept = '' } }, text) {
      const request = { authorization, accept, text };
      const answers = keptNow();
      if (answers === undefined) return answer(request);
      // No header has a line break.
      const key = `${authorization}\n${accept}\n${text}`;
      return (
        answers.find(key) ??
        answers.keep(
          () => key,
          () => answer(request),
          (made) => made !== undefined,
        )
      );
    },
  };
}

/**
 * A question to a legacy system in its own words, and what its reply means. Whatever is not the documented yes or the
 * vendor's own no is away. Only GET is tried a second time.
 */

import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { LegacyApi, Question } from '../dialects/contract/legacy-api.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import type { RequestContext } from '../identity/context.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Away, Line } from './line.ts';
import { createPrepare, type Judged, judged, type Read } from './question.ts';

export type QuestionName = Exclude<keyof LegacyApi, 'tokenForm' | 'redirects' | 'roleOf'>;

export type Asker = <Asked>(
  name: QuestionName,
  question: Question<Asked>,
  asked: Asked,
  about: About,
) => Promise<Read | Away>;

export interface About {
  readonly organization: OrganizationView;
  readonly context: RequestContext;
  /** Of `performance.now()`: when no answer is waited for any longer. */
  readonly deadline: number;
}

export function createAsker(options: {
  readonly mounted: MountedDialect;
  readonly line: Line;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'legacyCall'>;
}): Asker {
  const { mounted, line, log, metrics } = options;
  const { dialect, legacy } = mounted;
  const prepare = createPrepare(mounted);

  return async (name, question, asked, { deadline, ...at }) => {
    const prepared = prepare(question, asked, at);
    if (prepared === undefined) return { away: 'a path that is not in the table of the dialect' };
    const { request, route } = prepared;
    const started = performance.now();
    const call = () =>
      line.call({ ...request, timeout: deadline - performance.now() }, (reply) =>
        judged(reply, question, asked),
      );
    let answer = await call();
    // The connection may have been closed while nothing went over it.
    const isBroken = 'away' in answer && answer.made && performance.now() < deadline;
    if (request.method === 'GET' && isBroken) answer = await call();
    const result = 'result' in answer ? answer.result : answer;
    const kind = kindOf(answer);
    const labels = { dialect: dialect.name, question: name, answer: kind };
    metrics.legacyCall({
      ...labels,
      ...(kind !== 'not-made' && { seconds: (performance.now() - started) / 1000 }),
    });
    if (kind === 'odd' && result !== 'no' && 'away' in result) {
      const { host } = new URL(legacy?.url ?? '');
      const about = { host, path: route, reason: result.away };
      log.warn({ dialect: dialect.name, question: name, ...about }, 'the legacy system gave no answer');
    }
    return withoutTrace(result);
  };
}

function kindOf(
  answer: { readonly result: Judged } | (Away & { readonly made: boolean }),
): 'yes' | 'no' | 'later' | 'odd' | 'not-made' {
  if (!('result' in answer)) return answer.made ? 'odd' : 'not-made';
  const { result } = answer;
  if (result === 'no') return 'no';
  if ('yes' in result) return 'yes';
  return result.later ? 'later' : 'odd';
}

function withoutTrace(result: Judged | (Away & { readonly made?: boolean })): Read | Away {
  if (result === 'no' || 'yes' in result) return result;
  const { away, retryAfter } = result;
  return { away, ...(retryAfter !== undefined && { retryAfter }) };
}

/** What Portico would have answered to a request that the legacy system has answered: the same steps once more. */
import type { CurrentRequest } from '../runtime/current-request.ts';
import { answer, headersOf, type Outcome } from './pipeline.ts';

/** A reply with the headers that the dialect names. */
export interface Said extends Outcome {
  readonly headers: Readonly<Record<string, string>>;
}

/** Never rejects. The services of `current` decide what becomes of what is written. */
export async function rehearse(current: CurrentRequest, body: Buffer): Promise<Said> {
  const outcome = await answer(current, body);
  return saidIn(current, outcome);
}

export function saidIn(current: CurrentRequest, outcome: Outcome): Said {
  const headers = headersOf(current.mounted, { ...outcome, request: current.request, current });
  return { ...outcome, headers: { ...headers, ...outcome.reply.headers } };
}

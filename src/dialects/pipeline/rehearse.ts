/** What Portico would have answered to a request that the legacy system has answered: the same steps once more. */
import type { CurrentRequest } from '../runtime/current-request.ts';
import type { Said } from '../runtime/legacy-traffic.ts';
import { answer, headersOf } from './pipeline.ts';

/** Never rejects. The services of `current` decide what becomes of what is written. */
export async function rehearse(current: CurrentRequest, body: Buffer): Promise<Said> {
  const outcome = await answer(current, body);
  const headers = headersOf(current.mounted, { ...outcome, request: current.request, current });
  return { ...outcome, headers: { ...headers, ...outcome.reply.headers } };
}

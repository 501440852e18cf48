/** What a legacy system is asked when the reply is out, so that no client can tell from the time that it was asked. */
import type { Identity, RequestContext } from '../context.ts';

/** Returns at once. What goes wrong is logged. */
export function afterReply(identity: Identity, context: RequestContext, work: () => Promise<unknown>): void {
  const answered = context.answered?.() ?? Promise.resolve();
  answered.then(work).catch((error: unknown) => {
    identity.log.warn({ err: error, requestId: context.requestId }, 'a legacy system was not asked');
  });
}

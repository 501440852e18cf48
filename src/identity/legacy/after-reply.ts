/** What a legacy system is asked when the reply is out, so that no client can tell from the time that it was asked. */
import type { Identity, RequestContext } from '../context.ts';
import type { LegacySystem, LegacyTokens } from '../legacy-systems.ts';

/** Returns at once. What goes wrong is logged. */
export function afterReply(identity: Identity, context: RequestContext, work: () => Promise<unknown>): void {
  const answered = context.answered?.() ?? Promise.resolve();
  answered.then(work).catch((error: unknown) => {
    identity.log.warn({ err: error, requestId: context.requestId }, 'a legacy system was not asked');
  });
}

/** Ends the sign-in that the legacy system made while it was asked about a person. */
export function endStraySignIn(
  identity: Identity,
  context: RequestContext,
  { system, tokens }: { system: LegacySystem; tokens: LegacyTokens | undefined },
): void {
  const { signOut } = system;
  const { access, refresh } = tokens ?? {};
  if (signOut === undefined || access === undefined) return;
  const pair = { token: access.value, ...(refresh && { refreshToken: refresh.value }) };
  afterReply(identity, context, () => signOut(pair, context));
}

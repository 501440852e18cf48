/**
 * The Grant of exchanged tokens is the child of the subject token's: its record carries the parent's grant id in the
 * index, so that whatever ends the parent's tokens ends the child first (persistence/records.ts), and no token
 * without its Grant is valid anywhere. One sign-in has one child for each client and target, however often the
 * client exchanges.
 */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { OidcRecords, Payload, UnsavedRecord } from '../persistence/records.ts';
import { refuseToken } from './admission.ts';
import { isStillThere, type SubjectToken } from './subject-token.ts';

interface Child {
  /** Whose the new tokens are. */
  readonly clientId: string;
  readonly target: string;
  /** All that the client may have: two exchanges at once then write the same Grant. */
  readonly scopes: Payload;
  readonly endsParent: boolean;
}

export function childGrant(
  { secrets, clock }: { readonly secrets: Secrets; readonly clock: Clock },
  subject: SubjectToken,
  { clientId, target, scopes, endsParent }: Child,
): UnsavedRecord & { readonly lifetime: number } {
  const { grantId, family, accountId, grantEndsAt: exp } = subject;
  const iat = nowOf(clock);
  const jti = secrets.hmac('child-grant', JSON.stringify([grantId, family ?? null, clientId, target]));
  const payload = {
    ...{ kind: 'Grant', jti, iat, exp, accountId, clientId, grantId, ...scopes },
    ...(family !== undefined && { family }),
    ...(endsParent && { endsParent }),
  };
  return { kind: 'Grant', value: jti, payload, lifetime: exp - iat };
}

/**
 * Once everything is stored: the subject token's sign-in may have ended meanwhile, and that end did not see what was
 * stored after it. Then `undo` runs, and the exchange is refused.
 */
export async function proveParent(
  oidcRecords: OidcRecords,
  subject: SubjectToken,
  undo: () => Promise<unknown>,
): Promise<void> {
  if (await isStillThere(oidcRecords, subject)) return;
  await undo();
  refuseToken('ended-meanwhile');
}

/** Epoch seconds. */
export function nowOf(clock: Clock): number {
  return Math.floor(clock.now().getTime() / 1000);
}

/**
 * The Grant of exchanged tokens is the child of the subject token's: its record carries the parent's grant id in the
 * index, so that whatever ends the parent's tokens ends the child first (persistence/records.ts), and no token
 * without its Grant is valid anywhere. One sign-in has one child for each client and target, however often the
 * client exchanges.
 */
import type { Secrets } from '../../core/crypto.ts';
import type { UnsavedRecord } from '../persistence/records.ts';
import type { SubjectToken } from './subject-token.ts';

export interface Child {
  readonly clientId: string;
  readonly target: string;
  /** All that the client may have of the target, so that exchanges beside each other write the same. */
  readonly scope: string;
  readonly refresh: boolean;
  readonly endsParent: boolean;
}

/** `now`, `until`: epoch seconds. */
export function childGrant(
  subject: SubjectToken,
  child: Child,
  { secrets, now, until }: { secrets: Secrets; now: number; until: number },
): UnsavedRecord & { readonly lifetime: number } {
  const { grantId, family, accountId } = subject;
  const { clientId, target, scope, refresh, endsParent } = child;
  const jti = secrets.hmac('child-grant', JSON.stringify([grantId, family ?? null, clientId, target]));
  const payload = {
    ...{ kind: 'Grant', jti, iat: now, exp: until, accountId, clientId, grantId },
    ...(family !== undefined && { family }),
    resources: { [target]: scope },
    ...(refresh && { openid: { scope: 'offline_access' } }),
    ...(endsParent && { endsParent }),
  };
  return { kind: 'Grant', value: jti, payload, lifetime: until - now };
}

/**
 * The second half of a password reset: a new password by the link of the email. Everything that can refuse the
 * password comes before the link is spent, so that a refused one costs nothing. Who holds the
 * link holds the mailbox: the address is proven by it.
 */
import type { AccountRecord } from '../../model/account.ts';
import { hashNewPassword } from '../accounts/judge-password.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { RESET, readLinkToken, spendLinkToken } from '../codes/link-token.ts';
import type { Identity, RequestContext } from '../context.ts';
import { storePassword } from './set-password.ts';

/**
 * Undefined: the link is not good, or a parallel use of it won. `organization`: as for readLinkToken.
 * Refused('password-too-short' | 'password-too-common' | 'unavailable').
 */
export async function resetPassword(
  identity: Identity,
  input: {
    token: string;
    password: string;
    minimum: number;
    organization?: string;
    context?: RequestContext;
  },
): Promise<AccountRecord | undefined> {
  const { token, password, minimum, organization, context } = input;
  const link = { token, purpose: RESET, organization };
  const read = await readLinkToken(identity, link);
  if (read === undefined) return undefined;
  const passwordHash = await hashNewPassword(identity, {
    password,
    minimum,
    organization: read.account.organization,
  });
  const spent = await spendLinkToken(identity, link);
  if (spent === undefined) return undefined;
  const { id } = await reclaimAccount(identity, spent);
  return storePassword(identity, { accountId: id, passwordHash, email: 'password-reset-done', context });
}

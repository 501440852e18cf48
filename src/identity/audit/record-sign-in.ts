/**
 * The trace that a sign-in leaves: the time on the account and one audit line. signInWithPassword and
 * signInWithCode write theirs themselves; for other proofs (upstream, single sign-on, registration) the
 * caller asks for it here.
 */

import { foldName } from '../../core/normalize.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Identity, RequestContext } from '../context.ts';
import { recordEvent } from './audit.ts';

export type Factor = 'pwd' | 'otp' | 'fed' | 'sso';

export async function noteSignIn(
  identity: Identity,
  input: { account: AccountRecord; context: RequestContext; factor: Factor },
): Promise<void> {
  const { account, context, factor } = input;
  await identity.stores.accounts.touch(account.id, identity.clock.now());
  const { id: subject, organization } = account;
  recordEvent(identity, { event: 'sign-in', organization, subject, context, detail: { factor } });
}

/**
 * A refused sign-in. Where the name leads to no account the line carries a pseudonym: what people type into
 * a name field is now and then a password.
 */
export function noteRefusedSignIn(
  identity: Identity,
  refused: {
    organization: string;
    account: AccountRecord | undefined;
    name: string;
    context: RequestContext;
    factor: Factor;
    why: 'wrong' | 'not-admitted' | 'too-many-requests';
  },
): void {
  const { organization, account, name, context, factor, why } = refused;
  const pseudonym = identity.secrets.hmac('audit-name', `${organization}\0${foldName(name)}`);
  const subject = account?.id ?? `unknown:${pseudonym.slice(0, 22)}`;
  const detail = { factor, why };
  recordEvent(identity, { event: 'sign-in', outcome: 'refused', organization, subject, context, detail });
}

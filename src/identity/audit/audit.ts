/**
 * The one way from identity to the audit trail. Functions that take an optional `context` write their event
 * when it is given. Callers that write their own audit record omit it.
 */

import { foldName } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import type { AuditEntry } from '../../model/audit-event.ts';
import type { Identity, RequestContext } from '../context.ts';

export function recordEvent(
  identity: Identity,
  input: Pick<AuditEntry, 'event' | 'detail'> & {
    /** Default: success. */
    outcome?: AuditEntry['outcome'];
    organization: string | undefined;
    subject: string | undefined;
    context: RequestContext | undefined;
  },
): void {
  const { event, outcome = 'success', organization, subject, context, detail } = input;
  identity.audit.write({
    event,
    outcome,
    ...(organization !== undefined && { organization }),
    ...(subject !== undefined && { subject }),
    ...(context && { clientId: context.clientId, address: context.address, requestId: context.requestId }),
    detail: { ...(context && { channel: context.channel }), ...detail },
  });
}

/** What a legacy system said of the secret; absent: it was not asked. */
export type Confirmed = 'yes' | 'no' | 'away';

export interface NotedSignIn {
  readonly account: AccountRecord;
  readonly context: RequestContext;
  readonly factor: Amr;
  readonly confirmed?: Confirmed | undefined;
  /** Told that it has succeeded. */
  readonly attempt?: { succeeded(accountId: string): Promise<void> };
}

/** The trace of a sign-in: the time on the account, the end of the attempt, and one event. */
export async function noteSignIn(identity: Identity, input: NotedSignIn): Promise<void> {
  const { account, context, factor, confirmed, attempt } = input;
  const { id: subject, organization } = account;
  const detail = { factor, ...(confirmed && { confirmed }) };
  recordEvent(identity, { event: 'sign-in', organization, subject, context, detail });
  await Promise.all([
    attempt?.succeeded(account.id),
    identity.stores.accounts.touch(account.id, identity.clock.now()),
  ]);
}

/**
 * Runs `enter` and stores the trace in one turn of the event loop, so that the embedded store writes both in one
 * transaction.
 */
export async function enterNoted<Entered>(
  identity: Identity,
  input: NotedSignIn,
  enter: () => Promise<Entered>,
): Promise<Entered> {
  const [, entered] = await Promise.all([noteSignIn(identity, input), enter()]);
  return entered;
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
    factor: Amr;
    why: 'wrong' | 'counter-back' | 'not-admitted' | 'factor-needed' | 'too-many-requests' | 'unavailable';
    confirmed?: Confirmed | undefined;
  },
): void {
  const { organization, account, name, context, factor, why, confirmed } = refused;
  const subject = account?.id ?? pseudonymOf(identity, organization, name);
  const detail = { factor, why, ...(confirmed && { confirmed }) };
  recordEvent(identity, { event: 'sign-in', outcome: 'refused', organization, subject, context, detail });
}

/** What stands for a name that leads to no account. */
export function pseudonymOf(identity: Identity, organization: string, name: string): string {
  const pseudonym = identity.secrets.hmac('audit-name', `${organization}\0${foldName(name)}`);
  return `unknown:${pseudonym.slice(0, 22)}`;
}

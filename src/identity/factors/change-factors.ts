/**
 * The one way in which an account's factors change: compare-and-set on the account, the audit event, and the
 * email to its owner. Because it is compare-and-set, a code, a step or a counter is good once over all nodes.
 */
import type { AccountRecord } from '../../model/account.ts';
import { type Factors, hasFactor } from '../../model/factors.ts';
import type { Json } from '../../model/json.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { recordEvent } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { mayWrite, sendEmail } from '../emails/send-email.ts';
import type { Quota } from '../rate-limits/budgets.ts';
import { newRecoveryCodes } from './recovery-codes.ts';

/** What an event and an email call it. */
export type FactorKind = 'passkey' | 'app' | 'recovery-codes' | 'app-password' | 'device';

interface FactorEvent {
  readonly event: 'factor.add' | 'factor.remove' | 'factor.use' | 'factor.reset';
  /** Absent: all of them. */
  readonly factor?: FactorKind;
}

export interface ChangedFactors {
  readonly account: AccountRecord;
  /** The texts of new recovery codes: to be shown, and known nowhere else afterwards. */
  readonly recoveryCodes?: readonly string[];
}

/**
 * `change` gets the present factors and returns the next ones, or null for no change; it may run more than once
 * and must not change what it is given. Recovery codes come with the first passkey or app, and go with the last
 * one, as remembered devices do. Undefined: nothing was changed, so nothing was noted or told.
 * Refused('account-not-found').
 */
export async function changeFactors(
  identity: Identity,
  input: FactorEvent & {
    accountId: string;
    change: (factors: Factors, account: AccountRecord) => Factors | null;
    context: RequestContext | undefined;
    detail?: Readonly<Record<string, Json>>;
  },
): Promise<ChangedFactors | undefined> {
  const { accountId, event, factor, context } = input;
  const codes = newRecoveryCodes(identity, accountId);
  const seen = { changed: false, first: false };
  const change = (present: AccountRecord): AccountRecord | null => {
    const { factors: before = {}, ...account } = present;
    const next = input.change(before, present);
    seen.changed = next !== null;
    if (next === null) return null;
    seen.first = !hasFactor(present) && hasFactor({ factors: next });
    const factors = tidied(seen.first ? { ...next, recoveryCodes: codes.hashes } : next);
    return factors === undefined ? account : { ...account, factors };
  };
  const account = await updateAccount(identity, accountId, change, { quiet: event === 'factor.use' });
  if (!seen.changed) return undefined;
  const detail = { ...(factor !== undefined && { factor }), ...input.detail };
  recordEvent(identity, { event, organization: account.organization, subject: accountId, context, detail });
  await tell(identity, account, input);
  return { account, ...(seen.first && { recoveryCodes: codes.texts }) };
}

/** Ten new recovery codes in place of those that were left. Undefined: the account has no factor to stand in for. */
export function renewRecoveryCodes(
  identity: Identity,
  { accountId, context }: { accountId: string; context: RequestContext },
): Promise<ChangedFactors | undefined> {
  const { texts, hashes } = newRecoveryCodes(identity, accountId);
  return changeFactors(identity, {
    ...{ accountId, context, event: 'factor.add', factor: 'recovery-codes' },
    change: (factors, account) => (hasFactor(account) ? { ...factors, recoveryCodes: hashes } : null),
  }).then((done) => done && { ...done, recoveryCodes: texts });
}

/** Without empty members, nor what rests on a factor where none is left. Undefined: no member is left. */
function tidied(next: Factors): Factors | undefined {
  const { recoveryCodes, devices, ...rest } = next;
  const input = hasFactor({ factors: next }) ? next : rest;
  const left = Object.entries(input).filter(
    ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

const EMAILS = {
  'factor.add': 'factor-added',
  'factor.remove': 'factor-removed',
  'factor.reset': 'factors-reset',
  'factor.use': undefined,
} as const;

/** An account can be opened with an address of another person, whose mailbox must not be flooded. */
const NOTICES: Quota = { limit: 20, window: 86_400 };

async function tell(
  identity: Identity,
  account: AccountRecord,
  { event, factor }: FactorEvent,
): Promise<void> {
  const name = EMAILS[event];
  // A device is remembered by the sign-in of its owner.
  if (name === undefined || factor === 'device') return;
  if (!(await mayWrite(identity, { account, quota: NOTICES }))) return;
  sendEmail(identity, { account, name, data: { ...(factor !== undefined && { factor }) } });
}

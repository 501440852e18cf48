/** Whether two replies can be compared at all: what Portico does not know, it cannot have said. */
import type { Reason } from '../dialects/contract/dialect.ts';
import type { PassedReply, Said } from '../dialects/runtime/legacy-traffic.ts';
import type { Outcome } from '../migration/differences.ts';
import type { AccountRecord } from '../model/account.ts';

/** What a rehearsal came upon. */
export interface Seen {
  /** What it looked for in vain. */
  readonly missed: ReadonlySet<'person' | 'token' | 'api-key' | 'link-token'>;
  /** Whom it found. */
  readonly people: readonly AccountRecord[];
  /** Whether it made a person. */
  readonly made: boolean;
  /** Ids of accounts that it changed. */
  readonly changed: readonly string[];
  /** What it drew for them, as text. */
  readonly drawn: ReadonlySet<string>;
}

/** What is judged by spending it. */
const SPENT: ReadonlySet<Reason> = new Set(['code-refused', 'link-token-refused', 'state-refused']);
const OF_TOKENS: ReadonlySet<Reason> = new Set(['invalid-token', 'refresh-refused']);
const OF_PEOPLE: ReadonlySet<Reason> = new Set(['sign-in-refused', 'account-not-found', 'wrong-password']);
/** What this server could not find out just now. */
const NOT_NOW: ReadonlySet<Reason> = new Set(['unavailable', 'too-many-requests']);

export function judge(both: {
  readonly dialect: string;
  readonly there: PassedReply;
  readonly here: Said;
  readonly seen: Seen;
  readonly differs: boolean;
  /** Whether a person of it has since changed something there. */
  readonly isBehind: boolean;
}): Outcome {
  const { there, here, seen, differs, isBehind } = both;
  const reason = here.refusal?.reason;
  if (there.status >= 500 || there.status === 429) return 'odd';
  if (!differs) return 'same';
  if (isBehind) return 'unknown';
  if (reason !== undefined && NOT_NOW.has(reason)) return 'odd';
  if (reason !== undefined && SPENT.has(reason)) return 'code';
  const { missed, made } = seen;
  const refusesThere = there.status >= 400;
  if (reason === undefined) return refusesThere && (made || missed.has('person')) ? 'unknown' : 'differs';
  // Both say no: to a token that neither takes, with the same status, the words can be compared.
  const sameNo = there.status === here.reply.status;
  if (OF_TOKENS.has(reason) && missed.has('token') && !sameNo) return 'unknown';
  if (reason === 'invalid-api-key' && missed.has('api-key') && !sameNo) return 'unknown';
  if (OF_PEOPLE.has(reason) && (missed.has('person') || (!refusesThere && asksThere(both)))) return 'unknown';
  return 'differs';
}

/** Whether the legacy system decides about the person's password, so that in stage primary it would be asked. */
function asksThere({ dialect, seen }: { readonly dialect: string; readonly seen: Seen }): boolean {
  return seen.people.every(({ legacy }) => legacy?.[dialect]?.password === 'legacy');
}

/** Sign-in with a passkey: alone, or as the second factor of a person who is half proven. */
import type { AccountRecord } from '../../model/account.ts';
import type { Amr } from '../../model/amr.ts';
import { passkeysOf } from '../../model/factors.ts';
import { noteRefusedSignIn, noteSignIn } from '../audit/audit.ts';
import type { Identity, RequestContext } from '../context.ts';
import { ownerOfCredential } from '../factors/credential-owners.ts';
import { notePasskeyUse, userHandleOf } from '../factors/passkeys.ts';
import { judgeAssertion, namedIn, type PasskeyRefusal, relyingPartyOf } from '../factors/webauthn.ts';

export interface PasskeyProof {
  readonly account: AccountRecord;
  readonly proofs: readonly Amr[];
}

interface Answered {
  readonly organization: string;
  /** The person whom the passkey has to confirm; undefined: the passkey says who signs in. */
  readonly account: AccountRecord | undefined;
  /** The passkey stands alone: its authenticator must have verified the person. */
  readonly alone: boolean;
  /** As the browser sent it. */
  readonly response: string;
  /** Of the page that it answers; the caller has spent it. */
  readonly challenge: string;
  readonly context: RequestContext;
}

/**
 * A refusal counts for the client's address: a passkey cannot be guessed, but each try costs work. Writes lastSignInAt
 * and the audit line. Refused('too-many-requests').
 */
export async function signInWithPasskey(
  identity: Identity,
  input: Answered,
): Promise<PasskeyProof | { refused: PasskeyRefusal }> {
  const { organization, context } = input;
  const hold = await identity.attempts.beginAt(context.address);
  const verdict = await judge(identity, input).catch(async (error: unknown) => {
    // The first error is the one to tell.
    await hold.release().catch(() => {});
    throw error;
  });
  if ('proofs' in verdict) {
    await hold.release();
    const factor = verdict.proofs.includes('swk') ? 'swk' : 'hwk';
    await noteSignIn(identity, { account: verdict.account, context, factor });
    return verdict;
  }
  await hold.charge();
  const { refused, account } = verdict;
  const name = namedIn(input.response)?.id ?? '';
  const why = refused === 'counter-back' ? refused : 'wrong';
  noteRefusedSignIn(identity, { organization, account, name, context, factor: 'hwk', why });
  return { refused };
}

async function judge(
  identity: Identity,
  { organization, account: known, alone, response: text, challenge }: Answered,
): Promise<PasskeyProof | { refused: PasskeyRefusal; account: AccountRecord | undefined }> {
  const named = namedIn(text);
  const party = relyingPartyOf(identity);
  if (named === undefined || party === undefined) return { refused: 'wrong', account: known };
  const account = await ownerOfCredential(identity, named.id);
  const passkey = account && passkeysOf(account).find(({ id }) => id === named.id);
  const isTheirs = account?.organization === organization && (known === undefined || known.id === account.id);
  if (account === undefined || passkey === undefined || !isTheirs)
    return { refused: 'unknown', account: known };
  // Found by itself, a credential says whose it is; named by the page, it may leave that out (7.2, 6).
  const handle = named.userHandle ?? (known && userHandleOf(identity, known));
  if (handle !== userHandleOf(identity, account)) return { refused: 'wrong', account };
  const verdict = await judgeAssertion({ ...party, challenge, text, passkey });
  if ('refused' in verdict) return { ...verdict, account };
  const { assertion } = verdict;
  if (alone && !assertion.userVerified) return { refused: 'unverified', account };
  const used = await notePasskeyUse(identity, { account, id: passkey.id, assertion });
  if (used === 'counter-back') return { refused: used, account };
  if (used?.status !== 'active') return { refused: 'unknown', account };
  const kind = passkey.backupEligible ? 'swk' : 'hwk';
  const verified: Amr[] = assertion.userVerified ? ['user'] : [];
  return { account: used, proofs: [kind, ...verified, 'mfa'] };
}

/**
 * One-time codes (OTP): short texts sent by email. So short that a plain hash of one would be no secret, hence an
 * HMAC under a key outside the store, with account and purpose in it.
 *
 * A code belongs to the request that asked for it, where there is one that the same browser comes back with
 * (an interaction, a session): nothing that happens elsewhere ends it or uses up its tries. Where there is
 * none, codes of an account and purpose are kept by the client address that asked. A new one ends the older
 * one of the same client address alone, each client address has tries of its own, and the newest few are
 * good from wherever the person types them.
 */

import { type RandomForm, randomText } from '../../core/crypto.ts';
import { readCode } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { EmailName } from '../../model/email-name.ts';
import type { Identity } from '../context.ts';
import { absentAccountIn, mayWrite, sendEmail } from '../emails/send-email.ts';
import type { Quota } from '../rate-limits/budgets.ts';

/** Six digits: the usual form of a sign-in code. */
export const SIX_DIGITS: RandomForm = { alphabet: '0123456789', length: 6 };

/** Who asks for a code, or tries one. */
export interface Asker {
  /** Canonical client address. */
  readonly address: string;
  /** The interaction or session, where there is one: the code is good there alone. */
  readonly request?: string | undefined;
}

/**
 * Makes a code and sends it. Past the quota nothing is sent, the same work is done, and the code that was
 * sent stays valid. `lifetime`: seconds. `tries`: wrong ones that each client has. `binding`: something else
 * without which the code is wrong, such as the address that it proves.
 */
export async function sendCode(
  identity: Identity,
  input: {
    account: AccountRecord;
    purpose: string;
    form: RandomForm;
    lifetime: number;
    tries: number;
    email: EmailName;
    asker: Asker;
    quota?: Quota;
    binding?: string | undefined;
    /** Whose brand the email wears. */
    client?: string | undefined;
  },
): Promise<void> {
  const { client, purpose, form, lifetime, tries, binding, asker } = input;
  const allowed = await mayWrite(identity, input);
  const account = allowed ? input.account : absentAccountIn(input.account.organization);
  const code = randomText(form);
  const now = identity.clock.now();
  const { id: accountId, organization } = account;
  await identity.stores.codes.put(codeKey(identity, { accountId, purpose, asker }), {
    asker: askerHash(identity, asker),
    codeHash: codeHash(identity, { accountId, purpose, code, binding }),
    accountId,
    organization,
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetime * 1000),
    tries,
  });
  sendEmail(identity, { account, name: input.email, data: { code, lifetime }, client });
}

/**
 * Tries a code: 'right' spends it, for exactly one caller. Does not count the attempt: the channels do that.
 * `accountId` undefined: the same work, and 'dead'.
 */
export function attemptCode(
  identity: Identity,
  input: {
    accountId: string | undefined;
    purpose: string;
    code: string;
    asker: Asker;
    binding?: string | undefined;
  },
): Promise<'right' | 'wrong' | 'dead'> {
  const { purpose, binding, asker } = input;
  const code = readCode(input.code);
  const accountId = input.accountId ?? 'nobody';
  const hash = codeHash(identity, { accountId, purpose, code, binding });
  const key = codeKey(identity, { accountId, purpose, asker });
  return identity.stores.codes.attempt(key, askerHash(identity, asker), hash, identity.clock.now());
}

function codeKey(
  identity: Identity,
  { accountId, purpose, asker }: { accountId: string; purpose: string; asker: Asker },
): string {
  const { request } = asker;
  const owner = request === undefined ? [accountId, purpose] : [accountId, purpose, request];
  return `code:${identity.secrets.hmac('code-owner', JSON.stringify(owner))}`;
}

/** '' within a request: there the key is the asker's own. */
function askerHash(identity: Identity, { request, address }: Asker): string {
  return request === undefined ? identity.secrets.hmac('code-asker', address) : '';
}

function codeHash(
  identity: Identity,
  of: { accountId: string; purpose: string; code: string; binding: string | undefined },
): string {
  const bound = [of.accountId, of.purpose, of.binding ?? null, of.code];
  return identity.secrets.hmac('code', JSON.stringify(bound));
}

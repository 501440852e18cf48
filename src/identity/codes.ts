/**
 * One-time codes: short texts sent by letter. So short that a plain hash of one would be no secret, hence an
 * HMAC under a key outside the store, with account and purpose in it. One code per account and purpose; a
 * new one ends the older with its tries.
 */
import { type RandomForm, randomText, randomToken } from '../secrets.ts';
import type { AccountRecord } from '../store/ports.ts';
import type { Identity } from './identity.ts';
import { type LetterQuota, mayWrite, sendLetter } from './send-letter.ts';

/** Six digits: the usual form of a sign-in code. */
export const SIX_DIGITS: RandomForm = { alphabet: '0123456789', length: 6 };

/**
 * Makes a code and sends it. Past the quota nothing is sent, no code is made, and the one that was sent
 * stays good. `lifetime`: seconds. `tries`: wrong ones after which it is dead. `binding`: a transaction
 * (the hosted page's interaction) without which the code is wrong.
 */
export async function sendCode(
  identity: Identity,
  wanted: {
    account: AccountRecord;
    purpose: string;
    form: RandomForm;
    lifetime: number;
    tries: number;
    letter: string;
    quota?: LetterQuota;
    binding?: string;
  },
): Promise<void> {
  const { account, purpose, form, lifetime, tries, binding } = wanted;
  if (!(await mayWrite(identity, { account, quota: wanted.quota }))) return;
  const code = randomText(form);
  const now = identity.clock.now();
  await identity.stores.codes.put(codeKey(identity, account.id, purpose), {
    codeHash: codeHash(identity, { accountId: account.id, purpose, code, binding }),
    accountId: account.id,
    organization: account.organization,
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetime * 1000),
    tries,
  });
  sendLetter(identity, { account, name: wanted.letter, data: { code, lifetime } });
}

/**
 * Tries a code: 'right' spends it, for exactly one caller. Not counted against anybody: the doors do that.
 * `accountId` undefined: the same work for nobody's code, and 'dead'.
 */
export function attemptCode(
  identity: Identity,
  wanted: { accountId: string | undefined; purpose: string; code: string; binding?: string },
): Promise<'right' | 'wrong' | 'dead'> {
  const { purpose, code, binding } = wanted;
  const accountId = wanted.accountId ?? 'nobody';
  const hash = codeHash(identity, { accountId, purpose, code, binding });
  return identity.stores.codes.attempt(codeKey(identity, accountId, purpose), hash, identity.clock.now());
}

/**
 * The work of sendCode where no letter is due: a door that must not tell known from unknown calls it for
 * the unknown. The letter is rendered like a real one and thrown away.
 */
export async function pretendLetter(
  identity: Identity,
  wanted: { letter?: string; quota?: LetterQuota } = {},
): Promise<void> {
  const now = identity.clock.now();
  const accountId = randomToken('nobody_');
  const { limit, window } = { limit: 1, window: 1, ...wanted.quota };
  const quotaKey = `letters:${identity.secrets.mac('letters', JSON.stringify([accountId, limit, window]))}`;
  await identity.stores.attempts.take(quotaKey, accountId, { limit, window: window * 1000 }, now);
  const code = randomText(SIX_DIGITS);
  await identity.stores.codes.put(codeKey(identity, accountId, 'pretended'), {
    codeHash: codeHash(identity, { accountId, purpose: 'pretended', code, binding: undefined }),
    accountId,
    organization: '',
    createdAt: now,
    expiresAt: new Date(now.getTime() + 1000),
    tries: 1,
  });
  identity.mailer.send({
    name: wanted.letter ?? 'code',
    to: '',
    organization: '',
    data: { code, lifetime: 600, link: `${identity.issuer}/${accountId}` },
  });
}

function codeKey(identity: Identity, accountId: string, purpose: string): string {
  return `code:${identity.secrets.mac('code-owner', JSON.stringify([accountId, purpose]))}`;
}

function codeHash(
  identity: Identity,
  of: { accountId: string; purpose: string; code: string; binding: string | undefined },
): string {
  return identity.secrets.mac(
    'code',
    JSON.stringify([of.accountId, of.purpose, of.binding ?? null, of.code]),
  );
}

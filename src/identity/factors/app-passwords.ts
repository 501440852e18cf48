/**
 * App passwords: what an old client signs in with where its API cannot ask for a second factor. Each is for one
 * dialect, long and random, shown once and kept as an HMAC. It is judged with the account's own password, by the
 * same limits, and the sign-ins by it end with it.
 */
import { type RandomForm, randomText, randomUUID, sameText } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import { type AppPassword, hasFactor } from '../../model/factors.ts';
import { updateAccount } from '../accounts/update-account.ts';
import type { Identity, RequestContext } from '../context.ts';
import { changeFactors } from './change-factors.ts';

/** What a dialect does about accounts that need a second factor, since its API cannot ask for one. */
export type OldClientRule = 'refuse' | 'allow' | 'app-passwords';

/** A dialect at which an account may sign in. */
export interface OldClient {
  readonly dialect: string;
  /** For people. */
  readonly title: string;
  readonly rule: OldClientRule;
}

/** What the second factor of an account changes for its old clients. */
export type OldClients = (account: AccountRecord) => Promise<readonly OldClient[]>;

/** An account has at most so many. */
export const MOST_APP_PASSWORDS = 10;
/** 100 random bits, without the letters that look like others. */
const FORM: RandomForm = { alphabet: 'abcdefghijkmnpqrstuvwxyz23456789', length: 20 };
/** Uses are written down at most once in so many milliseconds. */
const TOUCH_EVERY = 60_000;

/** Resolves with its text, which is nowhere else afterwards. Undefined: the account has no factor, or enough of them. */
export async function makeAppPassword(
  identity: Identity,
  input: { accountId: string; dialect: string; name: string; context: RequestContext },
): Promise<string | undefined> {
  const { accountId, dialect, name, context } = input;
  const text = randomText(FORM);
  const made: AppPassword = {
    ...{ id: randomUUID(), dialect, name },
    hash: hashOf(identity, { accountId, text }),
    createdAt: identity.clock.now().toISOString(),
  };
  const changed = await changeFactors(identity, {
    ...{ accountId, context, event: 'factor.add', factor: 'app-password', detail: { dialect } },
    change: (factors, account) => {
      const { appPasswords = [] } = factors;
      if (!hasFactor(account) || appPasswords.length >= MOST_APP_PASSWORDS) return null;
      return { ...factors, appPasswords: [...appPasswords, made] };
    },
  });
  return changed && (text.match(/.{1,4}/g) ?? []).join('-');
}

/** Changes nothing where the app password is gone already. */
export async function revokeAppPassword(
  identity: Identity,
  { accountId, id, context }: { accountId: string; id: string; context: RequestContext },
): Promise<void> {
  await changeFactors(identity, {
    ...{ accountId, context, event: 'factor.remove', factor: 'app-password' },
    change: (factors) => {
      const { appPasswords = [] } = factors;
      const left = appPasswords.filter((one) => one.id !== id);
      return left.length === appPasswords.length ? null : { ...factors, appPasswords: left };
    },
  });
}

/** The account's app password that the text is, however it is spaced. */
export function findAppPassword(
  identity: Pick<Identity, 'secrets'>,
  account: AccountRecord,
  { dialect, text }: { dialect: string; text: string },
): AppPassword | undefined {
  const hash = hashOf(identity, { accountId: account.id, text });
  return appPasswordsOf(account, dialect).find((one) => sameText(one.hash, hash));
}

export function appPasswordsOf({ factors }: Pick<AccountRecord, 'factors'>, dialect: string): AppPassword[] {
  return (factors?.appPasswords ?? []).filter((one) => one.dialect === dialect);
}

export async function touchAppPassword(
  identity: Identity,
  account: AccountRecord,
  used: AppPassword,
): Promise<void> {
  const now = identity.clock.now();
  if (used.lastUsedAt !== undefined && now.getTime() - Date.parse(used.lastUsedAt) < TOUCH_EVERY) return;
  const lastUsedAt = now.toISOString();
  await updateAccount(
    identity,
    account.id,
    (present) => {
      const appPasswords = present.factors?.appPasswords?.map((one) =>
        one.id === used.id ? { ...one, lastUsedAt } : one,
      );
      return appPasswords ? { ...present, factors: { ...present.factors, appPasswords } } : null;
    },
    { quiet: true },
  );
}

function hashOf(
  { secrets }: Pick<Identity, 'secrets'>,
  { accountId, text }: { accountId: string; text: string },
): string {
  const plain = text.replace(/[\s-]/g, '').toLowerCase();
  return secrets.hmac('app-password', JSON.stringify([accountId, plain]));
}

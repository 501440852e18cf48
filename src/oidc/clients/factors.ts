/** Whether a sign-in is to be refused for want of a second factor, where clients of this server ask. */
import type { Account, AuthorizationCode, Client, DeviceCode, RefreshToken } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import { lacksFactor, type SignIn } from '../../identity/factors/policy.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { FactorPolicy } from '../../model/factors.ts';
import { traitsOf } from './clients.ts';

export type FactorJudge = ReturnType<typeof createFactorJudge>;

export interface FactorDeps {
  readonly factorPolicy: (organization: string) => Promise<FactorPolicy | undefined>;
  readonly clock: Clock;
}

export function createFactorJudge({ factorPolicy, clock }: FactorDeps) {
  return async (signIn: SignIn, account: AccountRecord, client: Client | undefined): Promise<boolean> => {
    const policies = [await factorPolicy(account.organization), client && traitsOf(client).factors];
    return lacksFactor(signIn, { account, policies, now: clock.now() });
  };
}

/** A sign-in that a code or a refresh token carries on. */
export function signInBehind({
  amr = [],
  authTime = 0,
}: Pick<AuthorizationCode | DeviceCode | RefreshToken, 'amr' | 'authTime'>): SignIn {
  return { amr, signedInAt: new Date(authTime * 1000) };
}

const records = new WeakMap<Account, AccountRecord>();

/** The record behind an account that the provider has found. */
export function recordOf(account: Account): AccountRecord | undefined {
  return records.get(account);
}

export function withRecord<Known extends Account>(account: Known, record: AccountRecord): Known {
  records.set(account, record);
  return account;
}

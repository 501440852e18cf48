/**
 * The one place where a dialect, whose API cannot ask for a second factor, meets accounts that need one. Sign-ins,
 * refreshes and live tokens are judged alike, and what is refused looks as though the credential were wrong.
 */
import type { Identity } from '../../identity/context.ts';
import { appPasswordsOf } from '../../identity/factors/app-passwords.ts';
import { lacksFactor } from '../../identity/factors/policy.ts';
import type { AccountRecord } from '../../model/account.ts';
import { hasFactor } from '../../model/factors.ts';
import type { DialectSignIn } from '../../oidc/grant-contract.ts';
import type { MountedDialect } from './mounted.ts';

export type FactorGate = (account: AccountRecord, signIn: DialectSignIn) => boolean;

/** Whether such a sign-in is enough for the account now. */
export async function factorGate(
  { dialect, factors: rule }: Pick<MountedDialect, 'dialect' | 'factors'>,
  { factorPolicy, clock }: Pick<Identity, 'factorPolicy' | 'clock'>,
  organization: string,
): Promise<FactorGate> {
  const policies = rule === 'allow' ? [] : [await factorPolicy(organization)];
  return (account, { amr, signedInAt = 0, appPassword }) => {
    const isByApp = appPassword !== undefined;
    // The sign-ins of an app password end with it.
    if (isByApp && !appPasswordsOf(account, dialect.name).some(({ id }) => id === appPassword)) return false;
    if (rule === 'allow') return true;
    // It stands in for the factor of an account that has one.
    const standsIn = isByApp && rule === 'app-passwords' && hasFactor(account);
    const signIn = { amr: standsIn ? ['mfa'] : amr, signedInAt: new Date(signedInAt * 1000) };
    return !lacksFactor(signIn, { account, policies, now: clock.now() });
  };
}
